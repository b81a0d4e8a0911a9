package brokentest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
)

// The app whose tokens are bound to keys (RFC 9449).
const (
	BoundID       = "bound"
	BoundRedirect = "https://bound.example.org/cb"
)

// proof is what a good DPoP proof says; key names its key.
type proof struct {
	JTI, HTM, HTU, ATH string
	IAT                int64
	key                string
}

// proof reads and verifies the proof of a request: ES256, this method, this address,
// this minute.
func (s *Server) proof(r *http.Request) (p proof, good bool) {
	parts := strings.Split(r.Header.Get("DPoP"), ".")
	if len(parts) != 3 {
		return p, false
	}
	var head struct {
		Typ, Alg string
		JWK      struct{ X, Y string }
	}
	for i, into := range []any{&head, &p} {
		text, err := b64.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return p, false
		}
	}
	p.key = head.JWK.X + "." + head.JWK.Y
	off := now().Unix() - p.IAT
	return p, head.Typ == "dpop+jwt" && head.Alg == "ES256" && p.JTI != "" && signedBy(head.JWK.X, head.JWK.Y, parts) &&
		(p.HTM == r.Method || s.bad("proof-any-method")) && (p.HTU == s.URL+r.URL.Path || s.bad("proof-any-address")) &&
		(off < 60 && off > -60 || s.bad("proof-old"))
}

func signedBy(x, y string, parts []string) bool {
	xs, err1 := b64.DecodeString(x)
	ys, err2 := b64.DecodeString(y)
	signature, err3 := b64.DecodeString(parts[2])
	if err1 != nil || err2 != nil || err3 != nil || len(signature) != 64 || len(xs) != 32 || len(ys) != 32 {
		return false
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, xs...), ys...))
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

// provenKey is the key of a token request; empty for apps of Bearer tokens.
func (s *Server) provenKey(r *http.Request, client string) (string, *oauthError) {
	if client != BoundID || r.Header.Get("DPoP") == "" && s.bad("proof-optional") {
		return "", nil
	}
	p, good := s.proof(r)
	if !good {
		return "", &oauthError{http.StatusBadRequest, "invalid_dpop_proof"}
	}
	return p.key, nil
}

// bind binds what a token answer holds.
func (s *Server) bind(key string, answer object) {
	if key == "" {
		return
	}
	access, _ := answer["access_token"].(string)
	s.keys[access] = key
	if refresh, _ := answer["refresh_token"].(string); refresh != "" {
		s.keys[refresh] = key
	}
	if !s.bad("bound-type") {
		answer["token_type"] = "DPoP"
	}
}

// possessed reports whether a token may be used as it is presented.
func (s *Server) possessed(r *http.Request, scheme, text string) bool {
	key, bound := s.keys[text]
	if !bound || strings.EqualFold(scheme, "Bearer") && s.bad("bound-as-bearer") {
		return strings.EqualFold(scheme, "Bearer")
	}
	if s.bad("bound-refused") {
		return false
	}
	p, good := s.proof(r)
	sum := sha256.Sum256([]byte(text))
	used := s.jtis["proof "+p.JTI]
	s.jtis["proof "+p.JTI] = true
	return strings.EqualFold(scheme, "DPoP") && good && (p.key == key || s.bad("proof-any-key")) &&
		(p.ATH == b64.EncodeToString(sum[:]) || s.bad("proof-any-token")) && (!used || s.bad("proof-again"))
}
