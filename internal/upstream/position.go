package upstream

import (
	"bytes"
	"encoding/base64"
	"encoding/json"

	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// maxLink bounds what is kept of a link of the upstream.
const maxLink = 4000

// position is where a search goes on. It is no permission: what comes from there is
// verified against the view of that moment.
type position struct {
	// After is the last patient of the portions that are done.
	After string `json:"a,omitempty"`
	// Link is the page of the upstream, below its base; empty: the first of a portion.
	Link string `json:"l,omitempty"`
	// Skip is how many of its entries were looked at.
	Skip int `json:"s,omitempty"`
}

// MaxPosition bounds the positions of this backend.
func MaxPosition(search.Query) int { return (maxLink + 256) * 4 / 3 }

func (p position) encode() (string, error) {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false) // a link is full of ampersands, and this is no page
	err := e.Encode(p)
	return base64.RawURLEncoding.EncodeToString(bytes.TrimSpace(raw.Bytes())), err
}

func decodePosition(cursor string) (position, error) {
	var p position
	if cursor == "" {
		return p, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(raw, &p) != nil || p.Skip < 0 {
		return position{}, fhirstore.ErrPosition
	}
	return p, nil
}
