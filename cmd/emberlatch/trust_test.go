package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What an operator sees of the servers whose tokens are answered for, and of a mistake
// in their list.
func TestTrustList(t *testing.T) {
	partner := httptest.NewUnstartedServer(http.NotFoundHandler())
	partner.Config.ErrorLog = log.New(io.Discard, "", 0) // its certificate is refused
	partner.StartTLS()
	t.Cleanup(partner.Close)
	u, err := url.Parse(partner.URL)
	if err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "partner.secret")
	if err := os.WriteFile(secret, []byte("s3cr3t\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	head := "public_url: http://localhost:9\nlisten: { public: \"127.0.0.1:0\" }\n"
	entries := func(algorithms string) string {
		return fmt.Sprintf(`outbound: { networks: [127.0.0.0/8], ports: [%s] }
introspection:
  trusted_issuers:
    - issuer: https://id.example.org
      audience: https://id.example.org/fhir
      jwks_uri: %s/jwks
      algorithms: %s
    - { issuer: https://old.example.org, audience: old, introspection_endpoint: %s/introspect, client_id: us, client_secret_file: %q, opaque_tokens: true }
`, u.Port(), partner.URL, algorithms, partner.URL, secret)
	}
	config := file(t, "emberlatch.yaml", head+entries("[ES256]"))
	out := strings.Join(strings.Fields(ran(t, "trust", "list", "--config", config)), " ")
	for _, want := range []string{
		"https://id.example.org https://id.example.org/fhir keys " + partner.URL + "/jwks (ES256)", "https://old.example.org old asking " + partner.URL + "/introspect, opaque tokens too",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s, want %s", out, want)
		}
	}
	if out := ran(t, "trust", "list", "--json", "--config", config); !strings.Contains(out, `"issuer": "https://old.example.org"`) || strings.Contains(out, "s3cr3t") {
		t.Errorf("as JSON: %s", out)
	}
	// Nobody has vouched for the certificate of that server.
	code, out, _ := command(t, "trust", "list", "--check", "--config", config)
	if code != 1 || strings.Count(out, "x509") != 2 || strings.Contains(out, "s3cr3t") {
		t.Errorf("%d %s", code, out)
	}
	if out := ran(t, "trust", "list", "--config", file(t, "none.yaml", head)); !strings.Contains(out, "no other server is trusted") {
		t.Errorf("an empty list: %s", out)
	}
	wrong := file(t, "wrong.yaml", head+entries("[HS256]"))
	refuses(t, wrong+":9: introspection.trusted_issuers[0].algorithms: ", "trust", "list", "--config", wrong)
}
