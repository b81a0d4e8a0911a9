package register_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// spec: REG-02, CAUTH-09
func TestClientsGoToAnotherServer(t *testing.T) {
	c, body, err := registrar(t).Register([]byte(`{` + redirects + `,"contacts":["a@example.org"],"scope":"openid user/*.rs","emberlatch_checked":true}`))
	if err != nil {
		t.Fatal(err)
	}
	c, _, err = registrar(t).NewSecret(c, time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Disabled, c.SelfRegistered, c.RefuseSecretPost, c.RegistrationHash = true, true, true, []byte("h")
	c.RegisteredWith, c.Ceiling = store.RegisteredByForm, store.Ceiling{Scope: "openid", RequirePushed: true, DPoPBound: true}
	c.Review = store.Review{RegisteredAt: now, VerifiedAt: now, EnabledAt: now, SuspendedAt: now, Reason: "Complaints."}
	line, err := register.Export(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(line), "\n") || strings.Contains(string(body), "sha256") {
		t.Errorf("%s\n%s", line, body)
	}
	again, err := registrar(t).Import(line)
	if err != nil {
		t.Fatal(err)
	}
	c.RegistrationHash, c.OperatorSet = nil, true // it manages itself at the place where it registered
	if diff := cmp.Diff(c, again); diff != "" {
		t.Error(diff)
	}
}

func TestRecordsThatAreRefused(t *testing.T) {
	const id = `"client_id":"a",`
	hash := strings.Repeat("0", 64)
	for _, test := range []struct{ row, body, parameter string }{
		{"no id", `{` + redirects + `}`, "client_id"}, {"an id with a slash", `{"client_id":"https://a.example/x",` + redirects + `}`, "client_id"},
		{"a long id", `{"client_id":"` + strings.Repeat("a", 201) + `",` + redirects + `}`, "client_id"},
		{"a bad redirect", `{` + id + `"redirect_uris":["http://a.example/cb"]}`, "redirect_uris"},
		{"a secret in clear", `{` + id + redirects + `,"client_secret":"x"}`, "client_secret"},
		{"a short hash", `{` + id + redirects + `,"emberlatch_secrets":[{"sha256":"00","created_at":"2026-01-01T00:00:00Z"}]}`, "emberlatch_secrets"},
		{"three secrets", `{` + id + redirects + `,"emberlatch_secrets":[{"sha256":"` + hash + `"},{"sha256":"` + hash + `"},{"sha256":"` + hash + `"}]}`, "emberlatch_secrets"},
		{"a secret of a public client", `{` + id + redirects + `,"token_endpoint_auth_method":"none","emberlatch_secrets":[{"sha256":"` + hash + `"}]}`, "emberlatch_secrets"},
		{"misspelt", `{` + id + redirects + `,"disabled":true}`, "disabled"},
	} {
		c, err := registrar(t).Import([]byte(test.body))
		if err == nil {
			t.Errorf("%s: imported %+v", test.row, c)
		} else if refused := refusal(t, err); refused.Parameter != test.parameter {
			t.Errorf("%s: %v", test.row, refused)
		}
	}
	if c, err := registrar(t).Import([]byte(`{` + id + redirects + `,"emberlatch_self_registered":true}`)); err != nil || !c.MayAsk() || !c.OperatorSet {
		t.Errorf("from a server without reviews: %+v, %v", c, err)
	}
	if c, err := registrar(t).Import([]byte(`{` + id + redirects + `}`)); err != nil || c.ID != store.ClientID("a") || len(c.Secrets) != 0 || !c.CreatedAt.Equal(now) {
		t.Errorf("without a secret: %+v, %v", c, err)
	}
}
