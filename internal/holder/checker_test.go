package holder_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/holder"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// none verifies nothing; failed is why.
type none struct{ failed error }

func (n none) Verify(context.Context, string) (tokens.Verified, error) {
	return tokens.Verified{}, n.failed
}

func checker(t *testing.T, failed error, offered bool) *holder.Checker {
	t.Helper()
	deps := holder.Deps{Tokens: none{failed}}
	if offered {
		var err error
		deps.Proofs, err = dpop.New(dpop.Deps{Origin: "https://ehr.example.org", NonceKey: make([]byte, 32), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := holder.New(deps)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func with(authorization string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://ehr.example.org/fhir/Patient/a", nil)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	return r
}

// What is no good token is refused with the right status under either scheme, and the
// scheme DPoP has no meaning where it is not offered. Good tokens, bound or not, are in
// the stories of testenv.
//
// spec: AT-14, RS-02
func TestRefusals(t *testing.T) {
	for name, row := range map[string]struct {
		authorization string
		failed        error
		offered       bool
		status        int
		code          oauth.Code
	}{
		"nothing": {"", nil, true, 401, ""}, "Basic": {"Basic YTpi", nil, true, 401, ""}, "malformed": {"DPoP a b", nil, true, 401, oauth.InvalidToken},
		"DPoP, not offered": {"DPoP a", nil, false, 401, ""}, "bad": {"Bearer a", tokens.ErrInvalid, true, 401, oauth.InvalidToken},
		"bad by DPoP": {"DPoP a", tokens.ErrInvalid, true, 401, oauth.InvalidToken}, "not known now": {"Bearer a", tokens.ErrUnavailable, true, 503, oauth.TemporarilyUnavailable},
	} {
		_, refused := checker(t, row.failed, row.offered).Accept(http.Header{}, with(row.authorization))
		if refused == nil || refused.HTTPStatus() != row.status || refused.Code != row.code {
			t.Errorf("%s: %v", name, refused)
		}
	}
	if _, err := holder.New(holder.Deps{}); err == nil {
		t.Error("a checker without tokens")
	}
}

// spec: AT-14, ERR-40
func TestChallenges(t *testing.T) {
	const bearer, proof = `Bearer realm="emberlatch"`, `DPoP realm="emberlatch"`
	const algs = `, algs="ES256 ES384 PS256"`
	const invalid = `, error="invalid_token", error_description="x"`
	bad := &oauth.Error{Code: oauth.InvalidToken, Status: 401, Description: "x"}
	narrow := &oauth.Error{Code: oauth.InsufficientScope, Status: 403, Description: "x"}
	for name, row := range map[string]struct {
		authorization string
		about         *oauth.Error
		offered       bool
		want          []string
	}{
		"nothing sent": {"", &oauth.Error{Status: 401}, true, []string{bearer, proof + algs}}, "nothing sent, off": {"", &oauth.Error{Status: 401}, false, []string{bearer}},
		"Bearer": {"Bearer a", bad, true, []string{bearer + invalid, proof + algs}}, "DPoP": {"dpop a", bad, true, []string{proof + invalid + algs}},
		"DPoP, off":     {"DPoP a", &oauth.Error{Status: 401}, false, []string{bearer}},
		"scope":         {"Bearer a", narrow, true, []string{bearer + `, error="insufficient_scope", error_description="x"`}},
		"scope, DPoP":   {"DPoP a", narrow, true, []string{proof + `, error="insufficient_scope", error_description="x"` + algs}},
		"two headers":   {"Bearer a", oauth.New(oauth.InvalidRequest, "x"), true, []string{bearer + `, error="invalid_request", error_description="x"`}},
		"not the token": {"Bearer a", &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: 503}, true, nil},
	} {
		if diff := cmp.Diff(row.want, checker(t, nil, row.offered).Challenges(with(row.authorization), row.about)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
