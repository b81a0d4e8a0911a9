package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Algorithms lists what proofs may be signed with (RFC 9449 §5.1): asymmetric ones
// only, each for one kind of key.
func Algorithms() []string {
	return []string{string(jose.ES256), string(jose.ES384), string(jose.PS256)}
}

const (
	// maxProof bounds a proof, in bytes, before anything of it is read.
	maxProof   = 8 << 10
	maxTokenID = 256
	// proofType is the typ of a proof (RFC 9449 §4.2).
	proofType = "dpop+jwt"
	// window is how far iat may be from our clock, before and behind it.
	window = time.Minute
)

// statement is what a proof says, signed by the key that it brings.
type statement struct {
	thumbprint    string // of the key (RFC 7638)
	method, place string // htm, htu
	tokenID       string // jti
	tokenHash     string // ath, empty when it is not there
	nonce         string // empty when it is not there
	issued        time.Time
}

// header are the members that are looked at (RFC 9449 §4.2). Those that would bring
// another key along are never read.
type header struct {
	Type      string         `json:"typ"`
	Algorithm string         `json:"alg"`
	Key       jsontext.Value `json:"jwk"`
	Critical  jsontext.Value `json:"crit"`
}

// claims are those of a proof (RFC 9449 §4.2).
type claims struct {
	TokenID   string         `json:"jti"`
	Method    string         `json:"htm"`
	Place     string         `json:"htu"`
	IssuedAt  jsontext.Value `json:"iat"`
	TokenHash string         `json:"ath"`
	Nonce     string         `json:"nonce"`
}

var b64 = base64.RawURLEncoding.Strict()

// read checks form, header, signature and that all claims are there (RFC 9449 §4.3,
// 2 to 7). An error is a sentence for the client's developer: it speaks of the proof
// alone.
func read(text string) (statement, error) {
	if len(text) > maxProof || strings.Count(text, ".") != 2 {
		return statement{}, errors.New("it is a signed JWT in compact form, of three parts and at most 8 kB")
	}
	var h header
	raw, err := b64.DecodeString(text[:strings.IndexByte(text, '.')])
	if err != nil || oauth.ReadJSON(raw, &h) != nil {
		return statement{}, errors.New("its header is not one JSON object with each member once, in base64url without padding")
	}
	public, err := h.key()
	if err != nil {
		return statement{}, err
	}
	payload, err := verified(text, h.Algorithm, public)
	if err != nil {
		return statement{}, err
	}
	s, err := readClaims(payload)
	if err != nil {
		return statement{}, err
	}
	s.thumbprint, err = thumbprint(public)
	return s, err
}

// key is the public key of the header, when the header is good (RFC 9449 §4.3, 4, 5
// and 7).
func (h header) key() (crypto.PublicKey, error) {
	switch {
	case h.Type != proofType:
		return nil, errors.New("its typ is " + proofType)
	case !slices.Contains(Algorithms(), h.Algorithm):
		return nil, errors.New("its alg is one of " + strings.Join(Algorithms(), ", "))
	case h.Key.Kind() != '{':
		return nil, errors.New("its header needs jwk, the public key")
	case h.Critical != nil: // RFC 7515 §4.1.11: nothing that must be understood is
		return nil, errors.New("its header has no crit")
	}
	public, err := clientkey.Bare(h.Key)
	if err != nil {
		return nil, errors.New("its jwk " + err.Error())
	}
	if algorithmOf(public) != h.Algorithm {
		return nil, errors.New("its alg does not fit its key: ES256 with P-256, ES384 with P-384, PS256 with RSA")
	}
	return public, nil
}

func algorithmOf(public crypto.PublicKey) string {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return string(jose.PS256)
	case *ecdsa.PublicKey:
		if p.Curve == elliptic.P384() {
			return string(jose.ES384)
		}
		return string(jose.ES256)
	}
	return ""
}

// verified is the payload, once its signature has been verified by the one key and
// algorithm.
func verified(text, algorithm string, public crypto.PublicKey) ([]byte, error) {
	wrong := errors.New("its signature does not verify by the key in its jwk")
	if !oauth.IsCompactJWS(text) {
		return nil, wrong
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
	if err != nil {
		return nil, wrong
	}
	payload, err := signed.Verify(public)
	if err != nil {
		return nil, wrong
	}
	return payload, nil
}

// readClaims: each that is required is there (RFC 9449 §4.3, 3).
func readClaims(payload []byte) (statement, error) {
	var c claims
	if oauth.ReadJSON(payload, &c) != nil {
		return statement{}, errors.New("its claims are not one JSON object with each member once, texts and numbers where they belong")
	}
	issued, ok := oauth.NumericDate(c.IssuedAt)
	switch {
	case c.TokenID == "" || len(c.TokenID) > maxTokenID:
		return statement{}, errors.New("it needs jti, a text of at most 256 bytes that is new each time")
	case c.Method == "":
		return statement{}, errors.New("it needs htm, the method of the request")
	case c.Place == "":
		return statement{}, errors.New("it needs htu, the URL of the request without query and fragment")
	case !ok:
		return statement{}, errors.New("it needs iat, a number of seconds since 1970")
	}
	return statement{
		method: c.Method, place: c.Place, tokenID: c.TokenID, tokenHash: c.TokenHash, nonce: c.Nonce, issued: issued,
	}, nil
}

// thumbprint is the SHA-256 thumbprint of a key (RFC 7638 §3).
func thumbprint(public crypto.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: public}).Thumbprint(crypto.SHA256)
	return b64.EncodeToString(sum), err
}

// ValidThumbprint reports whether a text can be the thumbprint of a key: SHA-256 in
// base64url without padding (RFC 9449 §10).
func ValidThumbprint(text string) bool {
	sum, err := b64.DecodeString(text)
	return err == nil && len(sum) == crypto.SHA256.Size() && len(text) == b64.EncodedLen(len(sum))
}
