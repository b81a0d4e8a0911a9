package probe

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

// JWT is a signed token, taken apart. Nothing of it is verified.
type JWT struct {
	Raw            string
	Header, Claims map[string]any
}

// ParseJWT takes a token apart.
func ParseJWT(raw string) (JWT, error) {
	parts := strings.Split(raw, ".")
	if len(parts) != 3 {
		return JWT{}, fmt.Errorf("it has %d parts, not three", len(parts))
	}
	t := JWT{Raw: raw}
	for i, into := range []*map[string]any{&t.Header, &t.Claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return JWT{}, fmt.Errorf("part %d is not base64url: %w", i+1, err)
		}
		if err := json.Unmarshal(text, into); err != nil {
			return JWT{}, fmt.Errorf("part %d is not a JSON object: %w", i+1, err)
		}
	}
	return t, nil
}

// Text is a claim that is a string, else empty.
func (t JWT) Text(name string) string {
	s, _ := t.Claims[name].(string)
	return s
}

// Number is a claim that is a number.
func (t JWT) Number(name string) (float64, bool) {
	n, ok := t.Claims[name].(float64)
	return n, ok
}

// Has reports whether the claim is there.
func (t JWT) Has(name string) bool {
	_, ok := t.Claims[name]
	return ok
}

// signatures are the algorithms that are verified; none and HMAC are not.
var signatures = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// Verify checks the signature with the keys of a set.
func (t JWT) Verify(keys agent.Answer) error {
	signed, err := jose.ParseSigned(t.Raw, signatures)
	if err != nil {
		return errors.New("it is not signed with a public-key algorithm")
	}
	kid, _ := t.Header["kid"].(string)
	list, _ := keys.Object["keys"].([]any)
	for _, one := range list {
		key, ok := publicKey(one)
		if !ok || kid != "" && key.KeyID != kid {
			continue
		}
		if _, err := signed.Verify(key.Key); err == nil {
			return nil
		}
	}
	return errors.New("no key of the set verifies it")
}

// publicKey reads one key of a set, by its public members alone: what else is wrong
// with a key is the subject of other checks.
func publicKey(one any) (key jose.JSONWebKey, ok bool) {
	members, ok := one.(map[string]any)
	if !ok {
		return key, false
	}
	public := map[string]any{}
	for _, name := range []string{"kty", "kid", "alg", "n", "e", "crv", "x", "y"} {
		if v, there := members[name]; there {
			public[name] = v
		}
	}
	raw, err := json.Marshal(public)
	if err != nil || key.UnmarshalJSON(raw) != nil {
		return key, false
	}
	return key, true
}

// Keys is the key set of the server.
func (p *Probe) Keys(ctx context.Context) (agent.Answer, error) {
	target, err := p.Endpoint(ctx, "jwks_uri")
	if err != nil {
		return agent.Answer{}, err
	}
	return p.document(ctx, target)
}

// IDToken is the ID token of the main launch.
func (p *Probe) IDToken(ctx context.Context) (JWT, error) {
	g, err := p.Main(ctx)
	if err != nil {
		return JWT{}, err
	}
	raw := g.Text("id_token")
	if raw == "" {
		return JWT{}, errors.New("the token answer has no id_token")
	}
	t, err := ParseJWT(raw)
	if err != nil {
		return JWT{}, fmt.Errorf("the id_token: %w", err)
	}
	return t, nil
}

// AssertionType is of RFC 7523 §2.2.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Assertion makes a client assertion (SMART App Launch 2.2, asymmetric); changes
// replace claims, nil leaves a claim out.
func (p *Probe) Assertion(ctx context.Context, c *Client, changes map[string]any) (string, error) {
	endpoint, err := p.Endpoint(ctx, "token_endpoint")
	if err != nil {
		return "", err
	}
	if c.Key == nil {
		return "", errors.New("the client has no key")
	}
	claims := map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": endpoint, "exp": time.Now().Add(4 * time.Minute).Unix(), "jti": rand.Text(),
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: algorithm(c.Key), Key: jose.JSONWebKey{Key: c.Key.Key, KeyID: c.Key.KeyID}},
		(&jose.SignerOptions{}).WithType("JWT"),
	)
	if err != nil {
		return "", fmt.Errorf("the key of the client: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func algorithm(k *jose.JSONWebKey) jose.SignatureAlgorithm {
	if k.Algorithm != "" {
		return jose.SignatureAlgorithm(k.Algorithm)
	}
	if _, ok := k.Key.(*ecdsa.PrivateKey); ok {
		return jose.ES384
	}
	return jose.RS384
}

// Unsigned is a token with the same claims, the algorithm none, and no signature.
func (t JWT) Unsigned() (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "none", "typ": "JWT"})
	if err != nil {
		return "", err
	}
	claims, err := json.Marshal(t.Claims)
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding
	return b64.EncodeToString(header) + "." + b64.EncodeToString(claims) + ".", nil
}

// Spoiled is a token with one character in the middle of its last part changed.
func Spoiled(raw string) string {
	b := []byte(raw)
	i := len(b) - len(b)/8 - 1
	if dot := bytes.LastIndexByte(b, '.'); dot > i {
		i = dot + (len(b)-dot)/2
	}
	if b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}
