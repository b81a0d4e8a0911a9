package testenv_test

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// An operator gives an app a new secret; the old one works for the overlap, and at
// once no more when none was asked for.
//
// spec: CAUTH-10
func TestSecretsAreRotated(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	works := func(secret string) bool {
		c.Secret = secret
		return c.Post("/introspect", url.Values{"token": {"x"}}).Status == http.StatusOK
	}
	rotate := func(overlap int) testenv.Answer {
		t.Helper()
		a := env.Admin(http.MethodPost, "/clients/"+c.ID+"/secret", `{"overlap_seconds":`+strconv.Itoa(overlap)+`}`)
		if a.Status != 200 || len(a.String("client_secret")) != 43 {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		return a
	}
	first := c.Secret
	a := rotate(3600)
	second := a.String("client_secret")
	if end, _ := a.Body["previous_secret_expires_at"].(float64); end < float64(time.Now().Add(59*time.Minute).Unix()) {
		t.Errorf("%s", a.Raw)
	}
	if !works(first) || !works(second) {
		t.Error("two secrets do not overlap")
	}
	third := rotate(0).String("client_secret")
	if works(first) || works(second) || !works(third) {
		t.Error("an old secret works")
	}
	for id, body := range map[string]string{
		"sandbox-native": "{}", "sandbox-asymmetric": "{}", c.ID: `{"overlap_seconds":-1}`, "sandbox-browser": `{"overlap":1}`,
	} {
		if got := env.Admin(http.MethodPost, "/clients/"+id+"/secret", body); got.Status != 400 || got.String("error") == "" || got.Body["client_secret"] != nil {
			t.Errorf("%s: %d %s", id, got.Status, got.Raw)
		}
	}
	if got := env.Admin(http.MethodPost, "/clients/nobody/secret", "{}"); got.Status != 404 {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
}
