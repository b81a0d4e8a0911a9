package fhir

import (
	"io"
	"time"
)

// HistoryBundle is a Bundle of type history under construction (FHIR R4 http
// §3.1.0.11): versions, the newest first.
type HistoryBundle struct {
	Base    string // FHIR base for fullUrl
	Self    string // what was understood of the request
	Next    string // link to the following page, empty at the end
	entries [][]byte
}

// HistoryVersion is what a history says about a version besides its content.
type HistoryVersion struct {
	ETag             string
	At               time.Time // zero: it is not known
	Created, Deleted bool
}

// Add appends a version; of a deletion the resource is only named.
func (h *HistoryBundle) Add(r Resource, v HistoryVersion) {
	method, url, status := "PUT", r.Reference().String(), "200"
	switch {
	case v.Deleted:
		method, status = "DELETE", "204"
	case v.Created:
		method, url, status = "POST", string(r.Type()), "201"
	}
	b := appendString([]byte(`{"fullUrl":`), h.Base+"/"+r.Reference().String())
	if !v.Deleted {
		b = append(append(b, `,"resource":`...), r.JSON()...)
	}
	b = appendString(append(b, `,"request":{"method":"`+method+`","url":`...), url)
	b = append(b, `},"response":{"status":"`+status+`","etag":`...)
	b = appendString(b, v.ETag)
	if !v.At.IsZero() {
		b = append(b, `,"lastModified":"`+v.At.UTC().Format("2006-01-02T15:04:05.000Z07:00")+`"`...)
	}
	h.entries = append(h.entries, append(b, `}}`...))
}

// Write writes the Bundle.
func (h *HistoryBundle) Write(w io.Writer) error {
	b := []byte(`{"resourceType":"Bundle","type":"history","link":[{"relation":"self","url":`)
	b = appendString(b, h.Self)
	if h.Next != "" {
		b = appendString(append(b, `},{"relation":"next","url":`...), h.Next)
	}
	b = append(b, `}]`...)
	for i, e := range h.entries {
		if i == 0 {
			b = append(b, `,"entry":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, e...)
	}
	if len(h.entries) > 0 {
		b = append(b, ']')
	}
	_, err := w.Write(append(b, '}'))
	return err
}
