package upstream

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
)

// bundle is a page of search results as the upstream tells them. Nothing of it is
// believed before it is verified.
type bundle struct {
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
	mode     string
}

// errBundle: the answer is no searchset.
var errBundle = errors.New("it answered a search with what is not a Bundle of the type searchset")

// errEmpty: an entry without a resource.
var errEmpty = errors.New("an entry without a resource")

// parseBundle reads a page in one pass over its bytes. A doubled name anywhere makes
// the whole unreadable: two readers would see two documents (row 77).
func parseBundle(document []byte) (bundle, error) {
	root, err := fhir.ReadDocument(document)
	if err != nil {
		return bundle{}, fmt.Errorf("reading a Bundle: %w", err)
	}
	links, entries := root.Member("link"), root.Member("entry")
	if !root.Member("resourceType").Is("Bundle") || !root.Member("type").Is("searchset") || !isList(links) || !isList(entries) {
		return bundle{}, errBundle
	}
	b := bundle{total: count(root.Member("total")), entries: make([]entry, 0, entries.Len())}
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
		b.entries = append(b.entries, read(e.Member("resource"), search.Member("mode").Text()))
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
