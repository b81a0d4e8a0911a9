package brokentest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

var b64 = base64.RawURLEncoding

func segment(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b64.EncodeToString(raw)
}

// idToken signs an ID token (OpenID Connect Core §2).
func (s *Server) idToken(g *grant, access string, refreshed bool) string {
	sum := sha256.Sum256([]byte(access))
	issued := now().Unix()
	c := object{
		"iss": s.URL, "sub": g.sub, "aud": g.client, "azp": g.client, "iat": issued, "exp": issued + 600,
		"at_hash": b64.EncodeToString(sum[:16]), "fhirUser": s.Base + "/Patient/" + Patient, "sid": "s-1",
	}
	if g.nonce != "" {
		c["nonce"] = g.nonce
	}
	if g.maxAge && !s.bad("no-auth-time") {
		c["auth_time"] = g.authTime.Unix()
	}
	s.spoilClaims(g, c, refreshed)
	head := object{"alg": "RS256", "typ": "JWT", "kid": KeyID}
	if s.bad("kid-unknown") {
		head["kid"] = "another"
	}
	if s.bad("alg-none") {
		return segment(object{"alg": "none", "kid": KeyID}) + "." + segment(c) + "."
	}
	text := segment(head) + "." + segment(c)
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.signing, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	if s.bad("signature-wrong") {
		signature[0] ^= 1
	}
	return text + "." + b64.EncodeToString(signature)
}

func (s *Server) spoilClaims(g *grant, c object, refreshed bool) {
	switch {
	case s.bad("iss-wrong"):
		c["iss"] = s.URL + "/"
	case s.bad("iat-missing"):
		delete(c, "iat")
	case s.bad("aud-wrong"):
		c["aud"] = "another"
	case s.bad("sub-long"):
		c["sub"] = strings.Repeat("x", 256)
	case s.bad("sub-changes"):
		c["sub"] = random()
	case s.bad("sub-client"):
		c["sub"] = g.client
	case s.bad("id-token-long"):
		c["exp"] = now().Add(24 * time.Hour).Unix()
	case s.bad("id-token-expired"):
		c["exp"] = now().Add(-time.Hour).Unix()
	case s.bad("azp-wrong"):
		c["azp"] = "another"
	case s.bad("at-hash-wrong"):
		c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA"
	case s.bad("sid-missing"):
		delete(c, "sid")
	case s.bad("nonce-lost"):
		delete(c, "nonce")
	case s.bad("fhiruser-missing"):
		delete(c, "fhirUser")
	case s.bad("fhiruser-odd"):
		c["fhirUser"] = "alice@example.org"
	case s.bad("fhiruser-unreadable"):
		c["fhirUser"] = s.Base + "/Practitioner/gone"
	case s.bad("refresh-other-sub") && refreshed:
		c["sub"] = "somebody-else"
	}
}

// assertion verifies a client assertion (RFC 7523; ES384).
func (s *Server) assertion(raw string) (string, *oauthError) {
	if s.bad("assertion-refused") {
		return "", invalidClient()
	}
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return "", invalidClient()
	}
	var head, c struct {
		Alg, Iss, Sub, Aud, Jti string
		Exp                     int64
	}
	for i, into := range []any{&head, &c} {
		text, err := b64.DecodeString(parts[i])
		if err != nil || json.Unmarshal(text, into) != nil {
			return "", invalidClient()
		}
	}
	unsigned := head.Alg == "none" && s.bad("assertion-unsigned")
	left := time.Until(time.Unix(c.Exp, 0))
	known := c.Iss == AsymmetricID || c.Iss == BackendID
	switch {
	case !known,
		!unsigned && (head.Alg != "ES384" || !s.signed(parts) && !s.bad("assertion-unverified")),
		c.Sub != c.Iss && !s.bad("assertion-any-sub"),
		c.Aud != s.URL+"/token" && !s.bad("assertion-any-aud"),
		left < 0 && !s.bad("assertion-expired"),
		left > 6*time.Minute && !s.bad("assertion-long"),
		c.Jti == "" && !s.bad("assertion-without-jti"),
		s.jtis[c.Jti] && c.Jti != "" && !s.bad("assertion-replay"):
		return "", invalidClient()
	}
	s.jtis[c.Jti] = true
	return c.Iss, nil
}

func (s *Server) signed(parts []string) bool {
	signature, err := b64.DecodeString(parts[2])
	if err != nil || len(signature) != 96 {
		return false
	}
	digest := sha512.Sum384([]byte(parts[0] + "." + parts[1]))
	return ecdsa.Verify(&s.Key.PublicKey, digest[:], new(big.Int).SetBytes(signature[:48]), new(big.Int).SetBytes(signature[48:]))
}
