package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// serve runs `emberlatch serve` with more lines of configuration until the test ends;
// it returns its address and the configuration file.
func serve(t *testing.T, more string) (address, config string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = "http://" + free.Addr().String()
	_ = free.Close()
	config = file(t, "emberlatch.yaml", fmt.Sprintf("public_url: %s\nlisten: { public: %q }\n%s", address, free.Addr(), more))
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() { done <- run(ctx, []string{"serve", "--config", config}, nil, lines{in}, io.Discard) }()
	t.Cleanup(func() {
		stop()
		if code := <-done; code != 0 {
			t.Errorf("serve ended with %d", code)
		}
	})
	buf := make([]byte, 256)
	if n, err := out.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "ready ") {
		t.Fatalf("printed %q, %v", buf[:n], err)
	}
	return address, config
}

// send posts a document and reads the answer.
func send(t *testing.T, address, token, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&answer) // a page has no members
	return resp.StatusCode, answer
}

// A server offers registration when its configuration says so, within the scopes
// and with the issuers that it names.
//
// spec: REG-12, DISC-21
// attack: DC-01
func TestRegistrationIsConfigured(t *testing.T) {
	closed, _ := serve(t, "")
	if status, _ := send(t, closed+"/register", "", `{}`); status != http.StatusNotFound {
		t.Errorf("off by default: %d", status)
	}
	// RFC 7517 appendix A.1.
	keys := file(t, "trust.jwks", `{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"}]}`)
	address, config := serve(t, "registration:\n  dynamic: token\n  scope: patient/Goal.rs user/Goal.rs\n  max_clients: 1\n  software_statements: [{ issuer: https://trust.example.org, keys_file: "+keys+" }]\n")
	added := decoded(t, ran(t, "client", "token", "add", "--uses", "3", "--json", "--config", config))
	token, _ := added["initial_access_token"].(string)
	const start = `{"redirect_uris":["https://a.example.org/cb"],`
	// {"alg":"ES256","kid":"1"} . {"iss":"https://trust.example.org"} and https://other.example.org
	const header, trusted, other = "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.", "eyJpc3MiOiJodHRwczovL3RydXN0LmV4YW1wbGUub3JnIn0.", "eyJpc3MiOiJodHRwczovL290aGVyLmV4YW1wbGUub3JnIn0."
	signature := strings.Repeat("A", 86)
	for _, row := range []struct{ name, body, code string }{
		{"redirect", `{"redirect_uris":["http://a.example.org/cb"]}`, "invalid_redirect_uri"}, {"scope", start + `"scope":"openid"}`, "invalid_client_metadata"},
		{"forged", start + `"software_statement":"` + header + trusted + signature + `"}`, "invalid_software_statement"},
		{"unknown issuer", start + `"software_statement":"` + header + other + signature + `"}`, "unapproved_software_statement"},
	} {
		if status, answer := send(t, address+"/register", token, row.body); status != http.StatusBadRequest || answer["error"] != row.code {
			t.Errorf("%s: %d %v", row.name, status, answer)
		}
	}
	if status, answer := send(t, address+"/register", token, start+`"scope":"user/Goal.rs"}`); status != http.StatusCreated || answer["scope"] != "user/Goal.rs" {
		t.Errorf("what this server allows: %d %v", status, answer)
	}
	if status, answer := send(t, address+"/register", token, start+`"scope":"user/Goal.rs"}`); status != http.StatusServiceUnavailable || answer["error"] != "temporarily_unavailable" {
		t.Errorf("one more than it allows: %d %v", status, answer)
	}
	missing := file(t, "emberlatch.yaml", "public_url: http://localhost:9\nlisten: { public: \"127.0.0.1:0\" }\nregistration: { software_statements: [{ issuer: x, keys_file: "+filepath.Join(t.TempDir(), "none")+" }] }\n")
	refuses(t, "registration.software_statements[0].keys_file", "serve", "--config", missing)
}

func TestRegistrationInTheSandbox(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, []string{"dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--people", "6", "--quiet", "--registration", "open"}, nil, lines{in}, io.Discard)
	}()
	buf := make([]byte, 256)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimSpace(strings.TrimPrefix(string(buf[:n]), "ready "))
	if status, answer := send(t, address+"/register", "", `{"redirect_uris":["https://a.example.org/cb"]}`); status != http.StatusCreated {
		t.Errorf("%d %v", status, answer)
	}
	stop()
	if code := <-done; code != 0 {
		t.Errorf("dev ended with %d", code)
	}
}
