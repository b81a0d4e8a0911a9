package discovery

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/emberlatch/emberlatch/internal/door"
)

// Door serves the documents.
type Door struct {
	smart, provider document
	brands          document // empty: none
	keys            func() []byte
	keySet          atomic.Pointer[document] // of the keys as they were last asked for
}

type document struct {
	body []byte
	etag string
	kind string // media type; empty: JSON
}

// New makes the documents. keys returns the public key set as JSON.
func New(f Features, keys func() []byte) (*Door, error) {
	if f.Issuer == "" || f.FHIRBase == "" || f.Authorize == "" || f.Token == "" || f.Introspect == "" || f.Revoke == "" ||
		f.UserInfo == "" || f.JWKS == "" || f.Logout == "" || len(f.Capabilities) == 0 || len(f.Scopes) == 0 || keys == nil {
		return nil, errors.New("discovery: a part is missing")
	}
	smart, err := json.Marshal(f.smart())
	if err != nil {
		return nil, err
	}
	provider, err := json.Marshal(f.provider())
	if err != nil {
		return nil, err
	}
	d := &Door{smart: newDocument(smart), provider: newDocument(provider), keys: keys}
	if !f.Brands.IsZero() {
		d.brands = newDocument(f.Brands.JSON())
		// SMART App Launch 2.2, user-access brands: a weak entity tag.
		d.brands.etag, d.brands.kind = "W/"+d.brands.etag, "application/fhir+json"
	}
	return d, nil
}

func newDocument(body []byte) document {
	sum := sha256.Sum256(body)
	return document{body: body, etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
}

// SMARTConfiguration answers <FHIR base>/.well-known/smart-configuration.
func (d *Door) SMARTConfiguration(w http.ResponseWriter, r *http.Request) { serve(w, r, d.smart) }

// Provider answers openid-configuration and oauth-authorization-server.
func (d *Door) Provider(w http.ResponseWriter, r *http.Request) { serve(w, r, d.provider) }

// Brands answers the Bundle of user-access brands; 404 when there is none.
func (d *Door) Brands(w http.ResponseWriter, r *http.Request) {
	if len(d.brands.body) == 0 {
		door.JSON(w, http.StatusNotFound, struct{}{})
		return
	}
	serve(w, r, d.brands)
}

// Keys answers the key set (RFC 7517 §5).
func (d *Door) Keys(w http.ResponseWriter, r *http.Request) {
	body, doc := d.keys(), d.keySet.Load()
	if doc == nil || !bytes.Equal(doc.body, body) {
		made := newDocument(body)
		doc = &made
		d.keySet.Store(doc)
	}
	serve(w, r, *doc)
}

// serve answers GET and HEAD as JSON whatever the Accept header says (DISC-02);
// credentials are not looked at (DISC-03).
func serve(w http.ResponseWriter, r *http.Request, doc document) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		door.MethodNotAllowed(w, http.MethodGet)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=60") // DISC-39
	h.Set("ETag", doc.etag)
	// RFC 9110 §13.1.2: compared weakly.
	if strings.Contains(r.Header.Get("If-None-Match"), strings.TrimPrefix(doc.etag, "W/")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", cmp.Or(doc.kind, "application/json"))
	_ = door.Body(w, http.StatusOK, doc.body)
}
