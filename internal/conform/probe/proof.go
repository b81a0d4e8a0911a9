package probe

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
)

// Prover is a key that an app proves to have (RFC 9449).
type Prover struct{ key *ecdsa.PrivateKey }

// NewProver makes a new key.
func NewProver() (*Prover, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &Prover{key}, err
}

// Proof is a new proof for a request (RFC 9449 §4.2). Changes replace a claim or, when
// nil, leave it out.
func (k *Prover) Proof(method, target, token, nonce string, changes map[string]any) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	u.RawQuery, u.Fragment = "", ""
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": u.String(), "iat": time.Now().Unix()}
	if token != "" {
		claims["ath"] = hashOf(token)
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	for name, value := range changes {
		if value == nil {
			delete(claims, name)
		} else {
			claims[name] = value
		}
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: k.key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// proven sends a request with a proof, once more when the server asks for a nonce (RFC
// 9449 §8, §9).
func (p *Probe) proven(send func(nonce string) (agent.Answer, error)) (agent.Answer, error) {
	for range 2 {
		a, err := send(p.nonce)
		if err != nil {
			return a, err
		}
		if nonce := a.Header.Get("DPoP-Nonce"); nonce != "" {
			p.nonce = nonce
		}
		if !asksNonce(a) {
			return a, nil
		}
	}
	return agent.Answer{}, errors.New("the server asks for a nonce again and again")
}

func asksNonce(a agent.Answer) bool {
	return a.Text("error") == "use_dpop_nonce" || strings.Contains(strings.Join(a.Header.Values("WWW-Authenticate"), " "), "use_dpop_nonce")
}

// ProvenToken is Token with a proof.
func (p *Probe) ProvenToken(ctx context.Context, k *Prover, c *Client, form url.Values) (agent.Answer, error) {
	endpoint, err := p.Endpoint(ctx, "token_endpoint")
	if err != nil {
		return agent.Answer{}, err
	}
	return p.proven(func(nonce string) (agent.Answer, error) {
		proof, err := k.Proof(http.MethodPost, endpoint, "", nonce, nil)
		if err != nil {
			return agent.Answer{}, err
		}
		return p.Token(ctx, c, form, "DPoP", proof)
	})
}

// ProvenFHIR is FHIR under the scheme DPoP, with a proof for target, which is that of
// the path unless named otherwise; used is the proof that was sent last.
func (p *Probe) ProvenFHIR(ctx context.Context, k *Prover, token, path string, changes map[string]any) (a agent.Answer, used string, err error) {
	a, err = p.proven(func(nonce string) (agent.Answer, error) {
		if used, err = k.Proof(http.MethodGet, p.Base+"/"+path, token, nonce, changes); err != nil {
			return agent.Answer{}, err
		}
		return p.FHIR(ctx, "", path, "Authorization", "DPoP "+token, "DPoP", used)
	})
	return a, used, err
}

// Bound is a launch whose tokens are bound to a key.
type Bound struct {
	*Grant
	Prover *Prover
}

// BoundLaunch is a launch of the app that is registered for DPoP, made at the first
// call; anew makes another.
func (p *Probe) BoundLaunch(ctx context.Context, anew bool) (*Bound, error) {
	if p.bound != nil && !anew {
		return p.bound.value, p.bound.err
	}
	b, err := p.boundLaunch(ctx)
	p.bound = &found[*Bound]{b, err}
	return b, err
}

func (p *Probe) boundLaunch(ctx context.Context) (*Bound, error) {
	k, err := NewProver()
	if err != nil {
		return nil, err
	}
	r := p.Request(p.DPoP, p.Scope(ctx, p.DPoP), "a launch with proofs of possession")
	values, page, err := p.Authorize(ctx, r)
	if err != nil {
		return nil, err
	}
	a, err := p.ProvenToken(ctx, k, r.Client, CodeForm(r, values.Get("code")))
	if err != nil {
		return nil, err
	}
	if a.Status != http.StatusOK || a.Text("access_token") == "" {
		return nil, fmt.Errorf("the token endpoint gives no token: %s", Describe(a))
	}
	return &Bound{&Grant{Request: r, Page: page, Callback: values, Answer: a}, k}, nil
}

// BoundCode is a fresh code of that app, with its request.
func (p *Probe) BoundCode(ctx context.Context) (Request, string, error) {
	if _, err := p.BoundLaunch(ctx, false); err != nil {
		return Request{}, "", err
	}
	r := p.Request(p.DPoP, p.Scope(ctx, p.DPoP), "a code for a request without a proof")
	values, _, err := p.Authorize(ctx, r)
	return r, values.Get("code"), err
}
