package holder

import (
	"context"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// Held is an access token whose holder may use it for this request. The zero value is
// nobody's.
type Held struct{ token tokens.Verified }

// Token is what the token says.
func (h Held) Token() tokens.Verified { return h.token }

// Verifier verifies access tokens.
type Verifier interface {
	Verify(ctx context.Context, text string) (tokens.Verified, error)
}

// Deps are the parts that the Checker needs; all but Proofs are required.
type Deps struct {
	Tokens Verifier
	// Proofs judges proofs of possession; nil: DPoP is not offered.
	Proofs *dpop.Verifier
}

// Checker makes Held. It is safe for concurrent use.
type Checker struct{ deps Deps }

// New makes it; it refuses missing parts.
func New(deps Deps) (*Checker, error) {
	if deps.Tokens == nil {
		return nil, errors.New("holder: a part is missing")
	}
	return &Checker{deps}, nil
}

// Accept judges the access token of a request and how it is presented; answer are the
// headers of the answer, for a nonce. An error without a code says that no credentials
// were sent.
func (c *Checker) Accept(answer http.Header, r *http.Request) (Held, *oauth.Error) {
	scheme, text, refused := oauth.Presented(r)
	if refused != nil {
		return Held{}, refused
	}
	if scheme == "" || scheme == oauth.SchemeDPoP && c.deps.Proofs == nil {
		return Held{}, &oauth.Error{Status: http.StatusUnauthorized, Description: "This request needs an access token in the Authorization header"}
	}
	token, err := c.deps.Tokens.Verify(r.Context(), text)
	if err != nil {
		return Held{}, tokens.BearerError(err)
	}
	if token.Type() != scheme {
		return Held{}, otherScheme(token.Type())
	}
	if scheme == oauth.SchemeDPoP {
		if refused := c.deps.Proofs.ProveToken(answer, r, text, token.Confirmation().Thumbprint); refused != nil {
			return Held{}, refused
		}
	}
	return Held{token}, nil
}

// otherScheme answers a token that is presented as what it is not (RFC 9449 §7.1, §7.2).
func otherScheme(right oauth.Scheme) *oauth.Error {
	text := "This access token is bound to no key: present it by the scheme Bearer"
	if right == oauth.SchemeDPoP {
		text = "This access token is bound to a key: present it by the scheme DPoP, with a proof"
	}
	return &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized, Slug: oauth.SlugDPoPTokenBinding, Description: text}
}

// Challenges are the WWW-Authenticate values that go with a refusal: under the scheme
// that the request used, and to a caller without a good token both that are offered
// (RFC 6750 §3, RFC 9449 §7.1). None when the token is not the reason.
func (c *Checker) Challenges(r *http.Request, e *oauth.Error) []string {
	status := e.HTTPStatus()
	malformed := status == http.StatusBadRequest && e.Code == oauth.InvalidRequest
	switch {
	case !malformed && status != http.StatusUnauthorized && status != http.StatusForbidden:
		return nil
	case c.deps.Proofs == nil:
		return []string{oauth.Challenge(oauth.SchemeBearer, e.Code, e.Description)}
	case oauth.SchemeOf(r) == oauth.SchemeDPoP:
		return []string{oauth.Challenge(oauth.SchemeDPoP, e.Code, e.Description, dpop.Algorithms()...)}
	}
	list := []string{oauth.Challenge(oauth.SchemeBearer, e.Code, e.Description)}
	if status == http.StatusUnauthorized {
		list = append(list, oauth.Challenge(oauth.SchemeDPoP, "", "", dpop.Algorithms()...))
	}
	return list
}
