package upstream

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
)

// bundle is a page of search results, or of versions, as the upstream tells them. Nothing of it is
// believed before it is verified.
type bundle struct {
	root    fhir.Node
	entries []entry
	next    string // link, as it came
	total   total
}

// total is a count of the upstream.
type total struct {
	matches int
	given   bool
}

// entry is one resource of a page; broken: it cannot be read as one.
type entry struct {
	resource fhir.Resource
	broken   error
	mode     string // of a searchset
	told     told   // of a history
}

// told is what a history says about a version besides its content.
type told struct{ method, etag, modified string }

// The kinds of Bundle that are asked for.
const (
	searchset = "searchset"
	history   = "history"
)

// errBundle: the answer is not of the kind that was asked for.
var errBundle = errors.New("it answered with what is not a Bundle of the type that was asked for")

// errEmpty: an entry without a resource.
var errEmpty = errors.New("an entry without a resource")

// parseBundle reads a page in one pass over its bytes. A doubled name anywhere makes
// the whole unreadable: two readers would see two documents (row 77).
func parseBundle(document []byte, kind string) (bundle, error) {
	root, err := fhir.ReadDocument(document)
	if err != nil {
		return bundle{}, fmt.Errorf("reading a Bundle: %w", err)
	}
	links, entries := root.Member("link"), root.Member("entry")
	if !root.Member("resourceType").Is("Bundle") || !root.Member("type").Is(kind) || !isList(links) || !isList(entries) {
		return bundle{}, errBundle
	}
	b := bundle{root: root, total: count(root.Member("total")), entries: make([]entry, 0, entries.Len())}
	for link := range links.Values() {
		if link.Kind() != '{' {
			return bundle{}, errBundle
		}
		if link.Member("relation").Is("next") {
			b.next = link.Member("url").Text()
		}
	}
	for e := range entries.Values() {
		search := e.Member("search")
		if e.Kind() != '{' || search.Kind() != 0 && search.Kind() != '{' {
			return bundle{}, errBundle
		}
		one := read(e.Member("resource"), search.Member("mode").Text())
		if kind == history {
			response := e.Member("response")
			one.told = told{e.Member("request").Member("method").Text(), response.Member("etag").Text(), response.Member("lastModified").Text()}
		}
		b.entries = append(b.entries, one)
	}
	return b, nil
}

// isList reports whether a member is a list, or left out.
func isList(n fhir.Node) bool { return n.Kind() == '[' || n.Kind() == 0 }

// read reads one entry.
func read(resource fhir.Node, mode string) entry {
	e := entry{mode: mode, broken: errEmpty}
	if resource.Kind() != 0 {
		e.resource, e.broken = resource.Resource()
	}
	return e
}

func count(n fhir.Node) total {
	matches, err := strconv.ParseUint(n.Number(), 10, 31)
	return total{int(matches), err == nil}
}
