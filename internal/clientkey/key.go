package clientkey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Algorithms that keys may sign with (RFC 7518 §3.1). No symmetric one, and never none.
const (
	RS384 = "RS384"
	ES384 = "ES384"
	PS384 = "PS384"
	ES256 = "ES256"
	RS256 = "RS256"
	PS256 = "PS256"
)

// Algorithms lists those of client assertions, the usual ones first (SMART App Launch
// 2.2 demands RS384 or ES384).
func Algorithms() []string { return []string{RS384, ES384, PS384, ES256} }

// ServerAlgorithms lists those that other servers may sign their tokens with (RFC 9068
// §2.1 demands RS256).
func ServerAlgorithms() []string { return []string{RS256, ES256, PS256, RS384, ES384, PS384} }

const (
	minRSABits = 2048
	maxRSABits = 8192
	maxKeyID   = 256
	// maxKeys bounds a set that is registered, maxFetchedKeys one that is fetched.
	maxKeys        = 20
	maxFetchedKeys = 100
)

// Key is a usable public key. The zero value verifies nothing.
type Key struct {
	public    crypto.PublicKey
	id        string
	kind      string   // kty
	algorithm string   // alg, empty when the key does not say
	signs     []string // what it may sign with; none when it is unusable
}

// Public is *rsa.PublicKey or *ecdsa.PublicKey.
func (k Key) Public() crypto.PublicKey { return k.public }

// jwk are the members of a key that are judged here (RFC 7517 §4). The rest is
// read by a library.
type jwk struct {
	Kind       string   `json:"kty"`
	ID         string   `json:"kid"`
	Algorithm  string   `json:"alg"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
}

// present is a member that must not be there, whatever its value.
type present bool

// UnmarshalJSON notes that it is.
func (p *present) UnmarshalJSON([]byte) error {
	*p = true
	return nil
}

// privateMembers are those of private keys and of secrets (RFC 7518 §6.2.2, §6.3.2,
// §6.4.1).
type privateMembers struct {
	D    present `json:"d"`
	P    present `json:"p"`
	Q    present `json:"q"`
	DP   present `json:"dp"`
	DQ   present `json:"dq"`
	QI   present `json:"qi"`
	Oth  present `json:"oth"`
	K    present `json:"k"`
	Priv present `json:"priv"`
}

func (m privateMembers) any() bool { return m != privateMembers{} }

// Bare reads a public key that comes by itself and needs no name, as in the header of
// a proof (RFC 9449 §4.2). It is an *rsa.PublicKey or an *ecdsa.PublicKey on P-256 or
// P-384; the error says what else it is, in words for the client's developer.
func Bare(raw []byte) (crypto.PublicKey, error) {
	m, err := judge(raw)
	if err != nil {
		return nil, err
	}
	return publicHalf(raw, m.Kind)
}

// judge reads the members that say what a key is, and refuses secrets.
func judge(raw []byte) (jwk, error) {
	var m jwk
	var private privateMembers
	if err := errors.Join(json.Unmarshal(raw, &m, jsontext.AllowDuplicateNames(false)), json.Unmarshal(raw, &private)); err != nil {
		return m, errors.New("is not one JSON object with each member once")
	}
	switch {
	case m.Kind == "oct":
		return m, errors.New("is symmetric: use public keys only")
	case private.any():
		return m, errors.New("shows its private half: send the public half only, and make a new key")
	}
	return m, nil
}

// parseKey reads one key that may sign with the algorithms that are taken. The Key has
// kid and kty also when it is unusable, and the error says why in words for its
// developer.
func parseKey(raw []byte, taken []string) (Key, error) {
	m, err := judge(raw)
	k := Key{id: m.ID, kind: m.Kind, algorithm: m.Algorithm}
	if err != nil {
		return k, err
	}
	switch {
	case m.ID == "" || len(m.ID) > maxKeyID:
		return k, errors.New("needs a kid of 1 to 256 bytes")
	case m.Use != "" && m.Use != "sig":
		return k, errors.New("is not for signatures: use is sig or left out")
	case len(m.Operations) > 0 && !slices.Contains(m.Operations, "verify"):
		return k, errors.New("is not for verifying: key_ops has verify or is left out")
	}
	public, err := publicHalf(raw, m.Kind)
	if err != nil {
		return k, err
	}
	signs := slices.DeleteFunc(fitting(public), func(a string) bool { return !slices.Contains(taken, a) })
	if len(signs) == 0 || m.Algorithm != "" && !slices.Contains(signs, m.Algorithm) {
		return k, fmt.Errorf("cannot sign with its alg here: %v are offered, ES384 with P-384 and ES256 with P-256", taken)
	}
	k.public, k.signs = public, signs
	return k, nil
}

// publicHalf has the library read the key, and judges its size (RFC 7518 §3.3,
// §3.4, §6.2.1.1).
func publicHalf(raw []byte, kind string) (crypto.PublicKey, error) {
	if kind != "RSA" && kind != "EC" {
		return nil, errors.New("is of another kty than RSA or EC")
	}
	var parsed jose.JSONWebKey
	if err := parsed.UnmarshalJSON(raw); err != nil || !parsed.Valid() {
		return nil, errors.New("is not a valid key")
	}
	switch p := parsed.Key.(type) {
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSABits || bits > maxRSABits || p.E < 3 || p.E%2 == 0 {
			return nil, fmt.Errorf("is an RSA key outside of %d to %d bits, or with an unusual exponent", minRSABits, maxRSABits)
		}
		return p, nil
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P384() && p.Curve != elliptic.P256() {
			return nil, errors.New("is on another curve than P-384 or P-256")
		}
		return p, nil
	}
	return nil, errors.New("is not a valid key")
}

// fitting are the algorithms that fit a public key.
func fitting(public crypto.PublicKey) []string {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return []string{RS384, PS384, RS256, PS256}
	case *ecdsa.PublicKey:
		if p.Curve == elliptic.P384() {
			return []string{ES384}
		}
		return []string{ES256}
	}
	return nil
}

// kindOf is the kty that an algorithm needs.
func kindOf(algorithm string) string {
	switch algorithm {
	case RS384, PS384, RS256, PS256:
		return "RSA"
	case ES384, ES256:
		return "EC"
	}
	return ""
}
