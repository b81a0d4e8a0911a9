package fhir

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Bundle is a Bundle of requests: a batch or a transaction (FHIR R4 bundle §2.36).
type Bundle struct {
	Type    string
	Entries []BundleEntry
}

// BundleEntry is one request of a Bundle.
type BundleEntry struct {
	FullURL  string
	Resource []byte // JSON as it came; nil: none
	Request  BundleRequest
}

// BundleRequest is the request line of an entry and the headers that it may have.
type BundleRequest struct {
	Method, URL                                        string
	IfNoneMatch, IfModifiedSince, IfMatch, IfNoneExist string
}

// ParseBundle reads a Bundle of requests strictly; its resources are not looked into
// any further than that they are JSON. Errors are *ParseError.
func ParseBundle(b []byte) (Bundle, error) {
	tree, err := parseTree(b)
	if err != nil {
		return Bundle{}, err
	}
	if tree["resourceType"] != "Bundle" {
		return Bundle{}, &ParseError{"resourceType", "Bundle"}
	}
	var bundle Bundle
	var entries []byte
	err = eachMember(b, "Bundle", map[string]func([]byte) bool{
		"resourceType": anything, "id": anything, "meta": anything, "identifier": anything, "timestamp": anything, "link": anything,
		"type": text(&bundle.Type), "entry": keep(&entries),
	})
	if err != nil || entries == nil {
		return bundle, err
	}
	list, err := items(entries)
	if err != nil {
		return Bundle{}, &ParseError{"Bundle.entry", "a list"}
	}
	for n, item := range list {
		e, err := parseEntry(item, "Bundle.entry["+strconv.Itoa(n)+"]")
		if err != nil {
			return Bundle{}, err
		}
		bundle.Entries = append(bundle.Entries, e)
	}
	return bundle, nil
}

func parseEntry(b []byte, path string) (BundleEntry, error) {
	var e BundleEntry
	var request []byte
	err := eachMember(b, path, map[string]func([]byte) bool{
		"id": anything, "link": anything, "fullUrl": text(&e.FullURL), "resource": keep(&e.Resource), "request": keep(&request),
	})
	if err != nil || request == nil {
		return e, err
	}
	return e, eachMember(request, path+".request", map[string]func([]byte) bool{
		"method": text(&e.Request.Method), "url": text(&e.Request.URL), "ifNoneMatch": text(&e.Request.IfNoneMatch),
		"ifModifiedSince": text(&e.Request.IfModifiedSince), "ifMatch": text(&e.Request.IfMatch), "ifNoneExist": text(&e.Request.IfNoneExist),
	})
}

// eachMember hands every member of an object to its reader. A member without one, and
// one that its reader does not take, is an error.
func eachMember(object []byte, path string, readers map[string]func([]byte) bool) error {
	members, err := Members(object)
	if err != nil {
		return &ParseError{path, "an object"}
	}
	for _, m := range members {
		read, known := readers[m.Name]
		if !known {
			return &ParseError{path, "the elements of a Bundle of requests and no others"}
		}
		if !read(m.Value) {
			return &ParseError{path + "." + m.Name, "a text"}
		}
	}
	return nil
}

func anything([]byte) bool { return true }

func text(into *string) func([]byte) bool {
	return func(b []byte) bool { return json.Unmarshal(b, into) == nil && b[0] == '"' }
}

func keep(into *[]byte) func([]byte) bool {
	return func(b []byte) bool { *into = b; return true }
}

// items splits a JSON array.
func items(array []byte) ([][]byte, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(array))
	if dec.PeekKind() != '[' {
		return nil, io.ErrUnexpectedEOF
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	var list [][]byte
	for dec.PeekKind() != ']' {
		value, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		list = append(list, bytes.Clone(value))
	}
	return list, nil
}

// BundleResponse is what became of one entry.
type BundleResponse struct {
	Resource                             json.RawMessage // nil: none
	Status, Location, ETag, LastModified string
	Outcome                              json.RawMessage // nil: none
}

// WriteResponses writes the Bundle that answers a batch or a transaction.
func WriteResponses(w io.Writer, kind string, list []BundleResponse) error {
	type response struct {
		Status       string          `json:"status"`
		Location     string          `json:"location,omitempty"`
		ETag         string          `json:"etag,omitempty"`
		LastModified string          `json:"lastModified,omitempty"`
		Outcome      json.RawMessage `json:"outcome,omitempty"`
	}
	type entry struct {
		Resource json.RawMessage `json:"resource,omitempty"`
		Response response        `json:"response"`
	}
	bundle := struct {
		ResourceType string  `json:"resourceType"`
		Type         string  `json:"type"`
		Entry        []entry `json:"entry,omitempty"`
	}{"Bundle", kind + "-response", nil}
	for _, r := range list {
		bundle.Entry = append(bundle.Entry, entry{r.Resource, response{r.Status, r.Location, r.ETag, r.LastModified, r.Outcome}})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(bundle)
}
