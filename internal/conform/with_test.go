package conform_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform"
	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const jwk = `{"kty":"EC","crv":"P-384","kid":"k","alg":"ES384",
"x":"NWoz9RnQL3cWmTYSKhq_Z2ZYvoc2R0T0zHQd8Lmxz5WqH5NhiPcHeCFVZ7qU2hO0"}`

// Secrets come from the file, from a file beside it, or from the environment.
func TestWithFile(t *testing.T) {
	password := write(t, "password", "word of alice\n")
	path := write(t, "with.yaml", `
url: https://fhir.example.org/r4
origins: [https://auth.example.org]
person: {username: alice, password_file: `+password+`, patient: p1, other_patient: p2, fields: {tenant: north}, press: [Weiter]}
clients:
  confidential: {client_id: web, client_secret_env: WEB_SECRET, redirect_uris: [https://app.example.org/cb], token_endpoint_auth_method: client_secret_post}
  public: {client_id: pub, redirect_uris: ["http://127.0.0.1:9002/cb"], scope: launch/patient patient/*.read}
`)
	with, err := conform.ReadWith(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := with.Target(func(name string) string { return map[string]string{"WEB_SECRET": "word of web"}[name] })
	if err != nil {
		t.Fatal(err)
	}
	script, _ := got.Person.(agent.Script)
	if script.Password != "word of alice" || script.Fields["tenant"] != "north" || script.Press[0] != "Weiter" || script.Patient != "p1" {
		t.Errorf("%+v", script)
	}
	if got.Confidential.Secret != "word of web" || got.Confidential.Method != probe.AuthPost || got.Public.Method != probe.AuthNone ||
		got.Public.Scope != "launch/patient patient/*.read" || got.OtherPatient != "p2" || got.Origins[0] != "https://auth.example.org" {
		t.Errorf("%+v %+v", got.Confidential, got.Public)
	}
	if _, err := with.Target(func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "WEB_SECRET") {
		t.Errorf("without the variable: %v", err)
	}
	if _, err := conform.ReadWith(write(t, "with.json", `{"url":"https://fhir.example.org","person":{"username":"alice","password":"x"}}`)); err != nil {
		t.Errorf("as JSON: %v", err)
	}
}

// Mistakes are named where they are.
func TestWithFileMistakes(t *testing.T) {
	for name, c := range map[string]struct{ content, names string }{
		"unknown key":         {"url: https://a.example\npersn: {}", "persn"},
		"no URL":              {"person: {username: a}", "--url"},
		"no client_id":        {"url: https://a.example\nclients: {public: {scope: x}}", "clients.public: client_id"},
		"no secret":           {"url: https://a.example\nclients: {confidential: {client_id: a}}", "clients.confidential: client_secret"},
		"no key":              {"url: https://a.example\nclients: {backend: {client_id: a}}", "clients.backend: private_jwk_file"},
		"a public key":        {"url: https://a.example\nclients: {backend: {client_id: a, private_jwk_file: " + write(t, "k", jwk) + "}}", "no private key"},
		"a method of another": {"url: https://a.example\nclients: {public: {client_id: a, token_endpoint_auth_method: client_secret_basic}}", "client_secret_basic"},
		"a missing file":      {"url: https://a.example\nperson: {username: a, password_file: /nowhere/x}", "person.password_file"},
	} {
		with, err := conform.ReadWith(write(t, "with.yaml", c.content))
		if err == nil {
			_, err = with.Target(func(string) string { return "" })
		}
		if err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Of a sandbox the patient with one record signs in, and an app that reads codes off
// a page is left alone.
func TestSandboxFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := conform.ReadSandbox(dir); err == nil || !strings.Contains(err.Error(), "emberlatch dev") {
		t.Errorf("without a file: %v", err)
	}
	content := `{"fhir_base_url":"http://localhost:1/fhir","people":[
{"username":"anna","password":"a","role":"representative","patients":["anna","leo"]},
{"username":"maria","password":"m","role":"patient","patients":["maria"]},
{"username":"james","password":"j","role":"patient","patients":["james"]}],
"clients":[
{"client_id":"desk","client_secret":"s","kind":"confidential","redirect_uris":["urn:ietf:wg:oauth:2.0:oob"]},
{"client_id":"one","client_secret":"s1","kind":"confidential","redirect_uris":["http://127.0.0.1:1/cb"]},
{"client_id":"two","client_secret":"s2","kind":"confidential","redirect_uris":["http://127.0.0.1:1/cb","https://app.example.org/cb"]},
{"client_id":"native","kind":"public","redirect_uris":["http://127.0.0.1/cb"]}]}`
	if err := os.WriteFile(filepath.Join(dir, "sandbox.json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	with, err := conform.ReadSandbox(dir)
	if err != nil {
		t.Fatal(err)
	}
	if with.Person.Username != "maria" || with.Person.OtherPatient != "james" || with.Clients.Confidential.ClientID != "two" ||
		with.Clients.Public.ClientID != "native" || with.Clients.Backend != nil {
		t.Errorf("%+v", with)
	}
}
