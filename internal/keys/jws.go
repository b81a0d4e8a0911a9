package keys

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxJWS bounds a token, in bytes.
const maxJWS = 8 << 10

var (
	// ErrJWS: not a token that a key of this ring signed for this use.
	ErrJWS = errors.New("keys: not a token of ours")
	// ErrUnknownKey is an ErrJWS that names a key which is not known here. Another
	// process may have begun to sign with it at this moment.
	ErrUnknownKey = fmt.Errorf("%w: it names a key that is not known", ErrJWS)
)

var b64 = base64.RawURLEncoding.Strict()

// Sign makes a JWS in compact form with the signing key of a use and algorithm
// (RFC 7515 §3.1). typ says what kind of token it is (RFC 8725 §3.11).
func (r *Ring) Sign(use, algorithm, typ string, payload []byte) (string, error) {
	k := r.set.Load().signer(use, algorithm, r.deps.Now())
	if k == nil {
		return "", errors.New("keys: no key signs for " + use + " with " + algorithm)
	}
	header := `{"alg":"` + k.Algorithm + `","typ":"` + typ + `","kid":"` + k.ID + `"}`
	input := make([]byte, 0, b64.EncodedLen(len(header))+b64.EncodedLen(len(payload))+400)
	input = b64.AppendEncode(input, []byte(header))
	input = append(input, '.')
	input = b64.AppendEncode(input, payload)
	signature, err := k.sign(input)
	if err != nil {
		return "", err
	}
	return string(b64.AppendEncode(append(input, '.'), signature)), nil
}

// joseHeader is all that a header of ours holds; any other member refuses.
type joseHeader struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid"`
}

// Verify returns the payload of a token that a key of this use signed, and the kid
// of that key. Order: form and size, then the key by its kid, then the algorithm
// that this key has, then the signature; nothing of the payload is read before
// (RFC 8725 §3.1).
func (r *Ring) Verify(use, typ, text string) (payload []byte, kid string, err error) {
	// Line breaks are skipped by the decoder: with them a token had other spellings.
	if len(text) > maxJWS || strings.Count(text, ".") != 2 || strings.ContainsAny(text, "\r\n") {
		return nil, "", ErrJWS
	}
	first, last := strings.IndexByte(text, '.'), strings.LastIndexByte(text, '.')
	header, err := readHeader(text[:first])
	if err != nil || header.Type != typ {
		return nil, "", ErrJWS
	}
	k := r.set.Load().byID[header.KeyID]
	if k == nil {
		return nil, "", missing(header.KeyID)
	}
	if k.Use != use || k.Algorithm != header.Algorithm || gone(k.SigningKey, r.deps.Now()) {
		return nil, "", ErrJWS
	}
	signature, err := b64.DecodeString(text[last+1:])
	if err != nil || !k.verify([]byte(text[:last]), signature) {
		return nil, "", ErrJWS
	}
	if payload, err = b64.DecodeString(text[first+1 : last]); err != nil {
		return nil, "", ErrJWS
	}
	return payload, k.ID, nil
}

func readHeader(encoded string) (h joseHeader, err error) {
	raw, err := b64.DecodeString(encoded)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(raw, &h, json.RejectUnknownMembers(true), jsontext.AllowDuplicateNames(false))
}

// missing tells a kid that could be one of ours from all others.
func missing(kid string) error {
	if _, err := b64.DecodeString(kid); err != nil || len(kid) != kidSize {
		return ErrJWS
	}
	return ErrUnknownKey
}
