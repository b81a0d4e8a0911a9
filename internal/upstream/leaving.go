package upstream

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/fhir"
)

// arriving is content of an app as it will be read back: absolute URLs under a base of
// the upstream are local there, whatever the app meant, and are judged as such. What
// the upstream might read as a reference of its own and we do not is refused: criteria,
// and other spellings of its address.
func (b *Backend) arriving(content fhir.Resource) (fhir.Resource, error) {
	r, err := b.bases.resource(content)
	if err != nil {
		return fhir.Resource{}, err
	}
	for _, text := range literalReferences(r.Tree()) {
		if _, local := fhir.ParseReference(text, b.deps.Base); !local && b.bases.claims(text) {
			return fhir.Resource{}, refused(string(r.Type()), "A reference is to something on this server, and is not spelt Type/id.")
		}
	}
	return r, nil
}

// claims reports whether a text that is no local reference leads to us or to the upstream
// all the same, or asks something of it.
func (r *rebaser) claims(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return true
	}
	if u.Host == "" && u.Scheme == "" {
		kind, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		_, known := fhir.ParseResourceType(kind)
		return known
	}
	for _, base := range append([]string{r.to}, r.from...) {
		known, err := url.Parse(base)
		if err == nil && place(u) == place(known) && strings.HasPrefix(strings.ToLower(u.Path), strings.ToLower(known.Path)+"/") {
			return true
		}
	}
	return false
}

// place is where a URL leads to: host and port, as one text.
func place(u *url.URL) string {
	port := u.Port()
	if port == "80" || port == "443" {
		port = ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".") + ":" + port
}

// literalReferences are the texts of all references.
func literalReferences(v any) (list []string) {
	switch v := v.(type) {
	case fhir.Object:
		for name, value := range v {
			if text, ok := value.(string); ok && name == "reference" {
				list = append(list, text)
			}
			list = append(list, literalReferences(value)...)
		}
	case []any:
		for _, item := range v {
			list = append(list, literalReferences(item)...)
		}
	}
	return list
}

// leaving is the document that is sent: written anew, token by token, so that there is
// one spelling of each name and text and the upstream cannot read another resource than
// was judged (row 77), and with its base in place of ours. Numbers keep their digits.
func (r *rebaser) leaving(content fhir.Resource) ([]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(content.JSON()))
	var out bytes.Buffer
	enc := jsontext.NewEncoder(&out)
	var where holders
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return bytes.TrimSpace(out.Bytes()), nil
		}
		if err != nil {
			return nil, err
		}
		written := token
		if where.next(dec, token) {
			if theirs, ok := r.theirs(token.String()); ok {
				written = jsontext.String(theirs)
			}
		}
		if err := enc.WriteToken(written); err != nil {
			return nil, err
		}
	}
}

// theirs is the URL under the base of the upstream; false: it is none of ours.
func (r *rebaser) theirs(text string) (string, bool) {
	rest, ok := strings.CutPrefix(text, r.to+"/")
	if !ok {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "#")
	_, local := fhir.ParseReference(name, "")
	return r.from[0] + "/" + rest, local
}
