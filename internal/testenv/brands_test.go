package testenv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/brand"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// The SMART configuration leads to a Bundle that anybody may read, from any origin,
// without a token, with a weak entity tag; it names this server, and the identifier is
// that of exactly one Organization.
//
// spec: DISC-26, XP-02, CORS-14
func TestBrands(t *testing.T) {
	env := testenv.Start(t)
	_, doc := document(t, env, "/fhir/.well-known/smart-configuration")
	address, _ := doc["user_access_brand_bundle"].(string)
	path, ours := strings.CutPrefix(address, env.URL)
	if !ours {
		t.Fatalf("user_access_brand_bundle is %q", address)
	}
	identifier, _ := doc["user_access_brand_identifier"].(map[string]any)
	a, _ := document(t, env, path, "Origin", "https://anybody.example.org", "Accept-Encoding", "gzip")
	if a.Status != http.StatusOK || a.Header.Get("Content-Type") != "application/fhir+json" || a.Header.Get("Content-Encoding") != "" ||
		a.Header.Get("Access-Control-Allow-Origin") != "https://anybody.example.org" {
		t.Fatalf("%d %v", a.Status, a.Header)
	}
	primary := brand.Identifier{System: identifier["system"].(string), Value: identifier["value"].(string)}
	if _, err := brand.Parse([]byte(a.Raw), env.FHIR, primary); err != nil {
		t.Error(err)
	}
	tag := a.Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("entity tag %s", tag)
	}
	for _, match := range []string{tag, strings.TrimPrefix(tag, "W/"), `"x", ` + tag} {
		if got, _ := document(t, env, path, "If-None-Match", match); got.Status != http.StatusNotModified {
			t.Errorf("If-None-Match %s: %d", match, got.Status)
		}
	}
	if got, _ := document(t, env, path, "If-None-Match", `"x"`); got.Status != http.StatusOK {
		t.Errorf("another tag: %d", got.Status)
	}
	if got := send(t, env, path, "application/json", "{}"); got.Status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got.Status)
	}
}
