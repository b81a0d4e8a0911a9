package fhir

import (
	"encoding/json"
	"slices"
	"strconv"
)

// SearchMode says why an entry is in a searchset (FHIR R4 bundle §2.36.3).
type SearchMode string

// A match of the query, or a resource that was included for one.
const (
	ModeMatch   SearchMode = "match"
	ModeInclude SearchMode = "include"
)

// Searchset is a Bundle of type searchset under construction.
type Searchset struct {
	Base     string // FHIR base for fullUrl
	Self     string // what was understood of the request
	Next     string // link to the following page, empty at the end
	Total    int
	HasTotal bool
	entries  []searchsetEntry
}

type searchsetEntry struct {
	ref  Reference
	body []byte
	mode SearchMode
}

// Add appends an entry: the resource it is and the bytes to show.
func (s *Searchset) Add(r Resource, body []byte, mode SearchMode) {
	s.entries = append(s.entries, searchsetEntry{r.Reference(), body, mode})
}

// Grow makes room for so many entries.
func (s *Searchset) Grow(n int) { s.entries = slices.Grow(s.entries, n) }

// Append writes the Bundle behind b; the bytes of the entries are copied as they are.
func (s *Searchset) Append(b []byte) []byte {
	size := 512 + len(s.Self) + len(s.Next)
	for i := range s.entries {
		size += len(s.entries[i].body) + len(s.Base) + 160
	}
	b = slices.Grow(b, size)
	b = append(b, `{"resourceType":"Bundle","type":"searchset"`...)
	if s.HasTotal {
		b = strconv.AppendInt(append(b, `,"total":`...), int64(s.Total), 10)
	}
	b = append(b, `,"link":[{"relation":"self","url":`...)
	b = appendString(b, s.Self)
	if s.Next != "" {
		b = append(b, `},{"relation":"next","url":`...)
		b = appendString(b, s.Next)
	}
	b = append(b, `}]`...)
	base := appendString(nil, s.Base+"/")
	base = base[:len(base)-1]
	for i := range s.entries {
		e := &s.entries[i]
		if i == 0 {
			b = append(b, `,"entry":[`...)
		} else {
			b = append(b, ',')
		}
		b = append(b, `{"fullUrl":`...)
		b = append(b, base...)
		b = append(b, e.ref.Type...) // no type and no id has a character that JSON escapes
		b = append(b, '/')
		b = append(b, e.ref.ID...)
		b = append(b, `","resource":`...)
		b = append(b, e.body...)
		b = append(b, `,"search":{"mode":"`...)
		b = append(b, e.mode...)
		b = append(b, `"}}`...)
	}
	if len(s.entries) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return append(b, `""`...)
	}
	return append(b, quoted...)
}
