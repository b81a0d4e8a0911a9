package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ran runs a command that must succeed and returns what it printed.
func ran(t *testing.T, args ...string) string {
	t.Helper()
	code, out, errs := command(t, args...)
	if code != 0 {
		t.Fatalf("%v: %d %s", args, code, errs)
	}
	return out
}

// refuses runs a command that must fail and say something.
func refuses(t *testing.T, want string, args ...string) {
	t.Helper()
	code, out, errs := command(t, args...)
	if code != 1 || !strings.Contains(errs, want) || out != "" {
		t.Errorf("%v: %d, printed %q, said %q, want %q", args, code, out, errs, want)
	}
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return m
}

// The life of an application in the hands of an operator, on a running sandbox.
//
// spec: REG-02, REG-07, REG-16, REG-17, CAUTH-10
func TestTheLifeOfAnApplication(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	app := file(t, "app.json", `{"client_name":"Ward Round","redirect_uris":["https://ward.example.org/cb"],"scope":"openid fhirUser user/*.rs"}`)
	id, _ := decoded(t, ran(t, "client", "add", app, "--data", dir))["client_id"].(string)
	// REG-07: an app for one patient at a time beside one for many.
	single := decoded(t, ran(t, "client", "add", file(t, "single.json", `{"redirect_uris":["https://my.example.org/cb"],"scope":"launch/patient patient/*.rs"}`), "--data", dir))
	if single["client_id"] == id || single["scope"] != "launch/patient patient/*.rs" || single["client_secret"] == nil {
		t.Errorf("an app for one patient: %v", single)
	}
	if out := ran(t, "client", "list", "--data", dir); !strings.Contains(strings.Join(strings.Fields(out), " "), id+" Ward Round enabled registered by us client_secret_basic") {
		t.Errorf("list: %s", out)
	}
	if out := ran(t, "client", "show", id, "--data", dir); !strings.Contains(out, "redirect_uris") || !strings.Contains(out, "does not end") || strings.Contains(out, "client_secret ") {
		t.Errorf("show: %s", out)
	}
	change := file(t, "change.json", `{"emberlatch_checked":true,"client_name":"Ward Rounds"}`)
	if out := ran(t, "client", "edit", id, change, "--data", dir); !strings.Contains(out, "changed: client_name, emberlatch_checked") {
		t.Errorf("edit: %s", out)
	}
	if out := ran(t, "client", "edit", id, change, "--data", dir); out != "nothing changed\n" {
		t.Errorf("edit again: %s", out)
	}
	shown := decoded(t, ran(t, "client", "show", id, "--data", dir, "--json"))
	if registration, _ := shown["registration"].(map[string]any); registration["client_name"] != "Ward Rounds" || registration["emberlatch_checked"] != true || shown["disabled"] != false {
		t.Errorf("show --json: %v", shown)
	}
	out := ran(t, "client", "rotate-secret", id, "--overlap", "48h", "--life", "2160h", "--data", dir)
	if !strings.Contains(out, "shown once: ") || strings.Count(out, "ends 20") != 2 {
		t.Errorf("rotate-secret: %s", out)
	}
	if out := ran(t, "client", "show", id, "--data", dir); strings.Count(out, "secret  ") != 2 {
		t.Errorf("two secrets: %s", out)
	}
	for _, step := range []struct{ verb, want, state string }{
		{"disable", "stopped everywhere", "disabled"}, {"enable", "approve it anew", "enabled"},
	} {
		if out := ran(t, "client", step.verb, id, "--data", dir); !strings.Contains(out, step.want) {
			t.Errorf("%s: %s", step.verb, out)
		}
		if out := ran(t, "client", "show", id, "--data", dir); !strings.Contains(out, step.state) {
			t.Errorf("after %s: %s", step.verb, out)
		}
	}
	if out := ran(t, "client", "remove", id, "--data", dir); !strings.Contains(out, "is removed") {
		t.Errorf("remove: %s", out)
	}
	refuses(t, "there is no client "+id, "client", "show", id, "--data", dir)
}

// What is wrong is named with its file and line.
func TestMistakesInClientFiles(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	bad := file(t, "app.json", "{\n  \"client_name\": \"A\",\n  \"redirect_uris\": [\"https://a.example.org/cb\", \"http://a.example.org/cb\"]\n}\n")
	refuses(t, bad+":3: invalid_redirect_uri: redirect_uris[1]: ", "client", "add", bad, "--data", dir)
	misspelt := file(t, "misspelt.json", "{\n  \"redirect_uris\": [\"https://a.example.org/cb\"],\n  \"redirect_uri\": 1\n}\n")
	refuses(t, misspelt+":3: invalid_client_metadata: redirect_uri: ", "client", "add", misspelt, "--data", dir)
	broken := file(t, "broken.json", "{\n  \"client_name\": \"A\"\n  \"scope\": \"x\"\n}\n")
	refuses(t, broken+":3: ", "client", "add", broken, "--data", dir)
	kind := file(t, "kind.json", "{\n\n\"token_endpoint_auth_method\": \"none\"}\n")
	refuses(t, kind+":3: invalid_client_metadata: token_endpoint_auth_method: ", "client", "edit", "sandbox-confidential", kind, "--data", dir)
	refuses(t, "there is no client nobody", "client", "edit", "nobody", kind, "--data", dir)
	refuses(t, "has no secret", "client", "rotate-secret", "sandbox-native", "--data", dir)
	refuses(t, "0 to 90 days", "client", "rotate-secret", "sandbox-confidential", "--overlap", "2400h", "--data", dir)
	refuses(t, "uses: 1 to 1000", "client", "token", "add", "--uses", "5000", "--data", dir)
	refuses(t, "up to 90 days", "client", "token", "add", "--life", "9000h", "--data", dir)
	refuses(t, "there is no initial access token x", "client", "token", "remove", "x", "--data", dir)
	for name, row := range map[string]struct{ text, want string }{
		"taken":      {`{"client_id":"new","redirect_uris":["https://a.example.org/cb"]}` + "\n\n" + `{"client_id":"sandbox-native","redirect_uris":["https://a.example.org/cb"]}`, ":3: conflict: client_id: sandbox-native"},
		"twice":      {`{"client_id":"new","redirect_uris":["https://a.example.org/cb"]}` + "\n" + `{"client_id":"new","redirect_uris":["https://a.example.org/cb"]}`, ":2: conflict: client_id: new"},
		"no id":      {`{"client_id":"new","redirect_uris":["https://a.example.org/cb"]}` + "\n" + `{"redirect_uris":["https://a.example.org/cb"]}`, ":2: invalid_client_metadata: client_id"},
		"redirect":   {"[\n{\"client_id\":\"new\",\n\"redirect_uris\":[\"http://a.example.org/cb\"]}]", ":3: invalid_redirect_uri: redirect_uris[0]"},
		"not JSON":   {`{"client_id":"new","redirect_uris":["https://a.example.org/cb"]}` + "\nhello\n", ":2: invalid_client_metadata: "},
		"broken":     {`{"client_id":"new","redirect_uris":["https://a.example.org/cb"]}` + "\n{\"a\":1,\n\"a\" 2}\n", ":3: "},
		"open list":  {`[{"client_id":"new","redirect_uris":["https://a.example.org/cb"]}`, ":1: "},
		"something ": {`[] {}`, ":1: "},
	} {
		t.Run(name, func(t *testing.T) {
			apps := file(t, "apps.ndjson", row.text)
			refuses(t, apps+row.want, "client", "import", apps, "--data", dir)
		})
	}
	if out := ran(t, "client", "list", "--data", dir); strings.Contains(out, "new  ") {
		t.Errorf("part of a refused file came in: %s", out)
	}
}

// All applications go to another server and work there with the secrets they have.
//
// spec: REG-02, CAUTH-09
func TestApplicationsMoveToAnotherServer(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	dev(t, from)
	registered := decoded(t, ran(t, "client", "add", file(t, "app.json", `{"redirect_uris":["https://ward.example.org/cb"]}`), "--data", from))
	id, _ := registered["client_id"].(string)
	secret, _ := registered["client_secret"].(string)
	exported := ran(t, "client", "export", "--data", from)
	count := strings.Count(ran(t, "client", "list", "--data", from, "--json"), `"client_id"`)
	if strings.Contains(exported, secret) || count < 2 || strings.Count(exported, "\n") != count {
		t.Errorf("exported: %s", exported)
	}
	address := dev(t, to)
	var own []string
	for _, line := range strings.Split(exported, "\n") {
		if strings.Contains(line, id) {
			own = append(own, line)
		}
	}
	apps := file(t, "apps.ndjson", strings.Join(own, "\n"))
	if out := ran(t, "client", "import", apps, "--data", to); out != "imported: 1\n" {
		t.Errorf("import: %s", out)
	}
	req, err := http.NewRequest(http.MethodPost, address+"/revoke", strings.NewReader("token=x"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(id, secret)
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("its secret at the new place: %d", resp.StatusCode)
	}
	// What the sandbox is made with can be taken out and in as well.
	all := file(t, "all.ndjson", exported)
	refuses(t, "is taken", "client", "import", all, "--data", to)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	if out := ran(t, "client", "import", all, "--data", empty, "--json"); !strings.Contains(out, fmt.Sprintf(`"imported": %d`, count)) {
		t.Errorf("without a running server: %s", out)
	}
	if again := ran(t, "client", "export", "--data", empty); again != exported {
		t.Errorf("exported again:\n%s\n%s", exported, again)
	}
}

// A token for a developer: shown once, counted, ended.
//
// spec: REG-11
func TestTokensForDevelopers(t *testing.T) {
	dir := t.TempDir()
	address := dev(t, dir)
	out := ran(t, "client", "token", "add", "--uses", "2", "--note", "Sprout\u202e Health", "--data", dir)
	token, _, _ := strings.Cut(strings.TrimPrefix(out, "token, shown once: "), "\n")
	if !strings.HasPrefix(token, "it_") || !strings.Contains(out, "for 2 registrations") {
		t.Fatalf("add: %s", out)
	}
	req, err := http.NewRequest(http.MethodPost, address+"/register", strings.NewReader(`{"client_name":"G\u00f6","redirect_uris":["https://a.example.org/cb"]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("registration: %d", resp.StatusCode)
	}
	if out := ran(t, "client", "list", "--data", dir); !strings.Contains(out, "registered itself") {
		t.Errorf("list: %s", out)
	}
	list := ran(t, "client", "token", "list", "--data", dir)
	if strings.Contains(list, token) || !strings.Contains(list, "  1  ") && !strings.Contains(list, "  1 ") || strings.Contains(list, "\u202e") {
		t.Errorf("list: %s", list)
	}
	id := strings.Fields(strings.Split(list, "\n")[1])[0]
	if out := ran(t, "client", "token", "remove", id, "--data", dir); !strings.Contains(out, "has ended") {
		t.Errorf("remove: %s", out)
	}
	if out := ran(t, "client", "token", "list", "--data", dir, "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("list --json: %s", out)
	}
}

// Anybody may register in a sandbox that says so, and nowhere else.
//
// spec: REG-11
func TestOpenRegistrationIsForTheSandbox(t *testing.T) {
	config := file(t, "emberlatch.yaml", "public_url: http://localhost:9\nlisten: { public: \"127.0.0.1:0\" }\nregistration: { dynamic: open }\n")
	refuses(t, "registration.dynamic: open is for", "serve", "--config", config)
	for value, want := range map[string]string{
		"dynamic: maybe": "neither off nor token", "scope: system/*.rs": "system scopes", "scope: patient/Nonsense.x": "not understood", "max_clients: 0": "outside of 1",
	} {
		config := file(t, "emberlatch.yaml", "public_url: http://localhost:9\nlisten: { public: \"127.0.0.1:0\" }\nregistration: { "+value+" }\n")
		refuses(t, want, "serve", "--config", config)
	}
}

// The keys of an app are fetched now, and each is explained.
//
// spec: CAUTH-22, CAUTH-25
func TestKeysOfAnAppAreExplained(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	// RFC 7517 appendix A.1, and a key that is a secret.
	const good = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"one"}`
	body := `{"keys":[` + good + `,{"kty":"oct","kid":"two","k":"AAAA"}]}`
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	added := decoded(t, ran(t, "client", "add", file(t, "app.json", `{"redirect_uris":["https://a.example.org/cb"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"`+host.URL+`/k"}`), "--data", dir))
	id, _ := added["client_id"].(string)
	out := ran(t, "client", "check-jwks", id, "--data", dir)
	for _, want := range []string{host.URL + "/k", "ES256", "is symmetric", "usable: 1 of 2"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not told: %s", want, out)
		}
	}
	if v := decoded(t, ran(t, "client", "check-jwks", id, "--json", "--data", dir)); v["usable"] != 1.0 {
		t.Errorf("as JSON: %v", v)
	}
	body = `{"keys":[]}`
	if code, out, _ := command(t, "client", "check-jwks", id, "--data", dir); code != 1 || !strings.Contains(out, "usable: 0 of 0") {
		t.Errorf("no key: %d %s", code, out)
	}
	host.Close()
	if code, out, _ := command(t, "client", "check-jwks", id, "--data", dir); code != 1 || !strings.Contains(out, "they cannot be had") {
		t.Errorf("unreachable: %d %s", code, out)
	}
	refuses(t, "it has no keys", "client", "check-jwks", "sandbox-native", "--data", dir)
	if out := ran(t, "client", "check-jwks", "sandbox-backend", "--data", dir); !strings.Contains(out, "keys: inline") {
		t.Errorf("inline: %s", out)
	}
}
