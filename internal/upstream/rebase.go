package upstream

import (
	"bytes"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/fhir"
)

// rebaser turns absolute URLs of the upstream into ours, where the structure of a
// resource says that they are URLs of resources: Reference.reference, and url outside
// of extensions and canonical resources (Attachment, RelatedArtifact). Text that only
// looks alike is content, and stays (row 104).
type rebaser struct {
	from []string
	to   string
	// hosts are the bases as they may stand in bytes, without the scheme.
	hosts [][]byte
}

func newRebaser(from []string, to string) *rebaser {
	r := &rebaser{from: from, to: to}
	for _, base := range from {
		_, rest, _ := strings.Cut(base, ":")
		r.hosts = append(r.hosts, []byte(rest))
	}
	return r
}

// escaped are spellings of a slash and of ASCII letters that hide a base from a search
// in the bytes.
var escaped = [][]byte{[]byte(`\/`), []byte(`\u00`)}

// mayHold reports whether a document may hold a base of the upstream.
func (r *rebaser) mayHold(document []byte) bool {
	return containsAny(document, r.hosts) || bytes.IndexByte(document, '\\') >= 0 && containsAny(document, escaped)
}

func containsAny(document []byte, list [][]byte) bool {
	for _, text := range list {
		if bytes.Contains(document, text) {
			return true
		}
	}
	return false
}

// resource is the resource with our base; every other byte stays.
func (r *rebaser) resource(v fhir.Resource) (fhir.Resource, error) {
	if !r.mayHold(v.JSON()) {
		return v, nil
	}
	raw, changed, err := r.rewrite(v.JSON())
	if err != nil || !changed {
		return v, err
	}
	return fhir.ParseResource(raw)
}

// ours is the URL under our base; false: it is none of the upstream. The rest must
// name a resource of this API, and the base ends at a path boundary.
func (r *rebaser) ours(text string) (string, bool) {
	for _, base := range r.from {
		if rest, ok := strings.CutPrefix(text, base+"/"); ok {
			name, _, _ := strings.Cut(rest, "#")
			if _, local := fhir.ParseReference(name, ""); local {
				return r.to + "/" + rest, true
			}
		}
	}
	return "", false
}

// remainder is what follows a base of the upstream in a link: a path and a query
// below it, without a way out; false: the link leads elsewhere (row 49).
func (r *rebaser) remainder(link string) (string, bool) {
	for _, base := range r.from {
		rest, ok := strings.CutPrefix(link, base)
		if !ok {
			continue
		}
		path, _, _ := strings.Cut(rest, "?")
		if strings.ContainsFunc(rest, func(c rune) bool { return c <= 0x20 || c >= 0x7f || strings.ContainsRune("#\\\"<>", c) }) || strings.ContainsAny(path, "%;") || path != "" && path[0] != '/' {
			return "", false
		}
		for _, segment := range strings.Split(path, "/")[min(1, strings.Count(path, "/")):] {
			if segment == "." || segment == ".." {
				return "", false
			}
		}
		return rest, rest != ""
	}
	return "", false
}

// rewrite copies a document with the URLs exchanged.
func (r *rebaser) rewrite(document []byte) (out []byte, changed bool, err error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(document))
	var where holders
	copied := 0
	for {
		before := int(dec.InputOffset())
		token, err := dec.ReadToken()
		if err == io.EOF { //nolint:errorlint // as the decoder says it
			break
		}
		if err != nil {
			return nil, false, err
		}
		url := where.next(dec, token)
		if !url {
			continue
		}
		ours, is := r.ours(token.String())
		if !is {
			continue
		}
		end := int(dec.InputOffset())
		start := before + bytes.IndexByte(document[before:end], '"')
		out = append(out, document[copied:start]...)
		if out, err = jsontext.AppendQuote(out, ours); err != nil {
			return nil, false, err
		}
		copied, changed = end, true
	}
	return append(out, document[copied:]...), changed, nil
}

// holders follow the names on the way to a token.
type holders []holder

// holder is an object or a list, the member that holds it, and the member that is
// being read in it.
type holder struct{ in, name string }

// next takes one token and reports whether it is a text that may be the URL of a
// resource.
func (h *holders) next(dec *jsontext.Decoder, token jsontext.Token) bool {
	switch token.Kind() {
	case '{', '[':
		in := ""
		if n := len(*h); n > 0 {
			if in = (*h)[n-1].name; in == "" { // a list: what it is in
				in = (*h)[n-1].in
			}
		}
		*h = append(*h, holder{in: in})
		return false
	case '}', ']':
		*h = (*h)[:len(*h)-1]
		return false
	case '"':
	default:
		return false
	}
	kind, length := dec.StackIndex(dec.StackDepth())
	if kind != '{' {
		return false
	}
	here := &(*h)[len(*h)-1]
	if length%2 == 1 {
		here.name = token.String()
		return false
	}
	switch here.name {
	case "reference":
		return true
	case "url":
		return here.in != "" && here.in != "contained" && here.in != "resource" && here.in != "extension" && here.in != "modifierExtension"
	}
	return false
}
