package fhirapi

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// pageLife is how long a page link works.
const pageLife = time.Hour

// pageLink is what a next link holds. It is a position, never a permission: the
// view is evaluated anew when it comes back.
type pageLink struct {
	Place  string `json:"t"` // type, behind the root of a compartment search
	Query  string `json:"q"` // canonical, without the position
	Cursor string `json:"c"`
	Grant  string `json:"g"`
	Until  int64  `json:"u"` // Unix seconds
}

// errPageLink: not ours, changed, of another grant, of another search, or over.
var errPageLink = errors.New("fhirapi: unusable page link")

// sealer makes and opens page links (AES-256-GCM).
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, fmt.Errorf("page link key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead}, err
}

// plain is what is sealed.
func (p pageLink) plain() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // it is no page, and a query is full of ampersands
	err := e.Encode(p)
	return b.Bytes(), err
}

// length is how long the sealed link becomes with a cursor of so many bytes.
func (s sealer) length(p pageLink, cursor int) (int, error) {
	p.Cursor = ""
	plain, err := p.plain()
	return base64.RawURLEncoding.EncodedLen(s.aead.NonceSize() + len(plain) + cursor + s.aead.Overhead()), err
}

func (s sealer) seal(p pageLink) (string, error) {
	plain, err := p.plain()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(plain)+s.aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, nil)), nil
}

func (s sealer) open(text, place, grant string, now time.Time) (pageLink, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(sealed) < s.aead.NonceSize() {
		return pageLink{}, errPageLink
	}
	n := s.aead.NonceSize()
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], nil)
	if err != nil {
		return pageLink{}, errPageLink
	}
	var p pageLink
	if err := json.Unmarshal(plain, &p); err != nil {
		return pageLink{}, errPageLink
	}
	if p.Place != place || p.Grant != grant || now.Unix() > p.Until {
		return pageLink{}, errPageLink
	}
	return p, nil
}
