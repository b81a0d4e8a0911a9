package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// lines collects what a command prints, safely for one writer and one reader.
type lines struct{ pipe *io.PipeWriter }

func (l lines) Write(b []byte) (int, error) { return l.pipe.Write(b) }

// dev runs `emberlatch dev` until the test ends and returns its address.
func dev(t *testing.T, dir string) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	address, ended := devUntil(ctx, t, dir)
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			t.Errorf("dev ended with %d", code)
		}
	})
	return address
}

// devUntil runs `emberlatch dev` until ctx ends; the status comes when it has.
func devUntil(ctx context.Context, t *testing.T, dir string) (address string, ended chan int) {
	t.Helper()
	out, in := io.Pipe()
	ended = make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"dev", "--listen", "127.0.0.1:0", "--data", dir, "--people", "6", "--quiet"}, nil, lines{in}, io.Discard)
	}()
	buf := make([]byte, 256)
	n, err := out.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	address, ok := strings.CutPrefix(strings.TrimSpace(string(buf[:n])), "ready ")
	if !ok {
		t.Fatalf("printed %q", buf[:n])
	}
	return address, ended
}

// command runs another command against the folder.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	code = run(ctx, args, nil, &out, &errs)
	return code, out.String(), errs.String()
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// What the README says about changing a running sandbox: apps, people, records, and what was recorded of it.
//
// spec: AUD-14
func TestCommandsChangeARunningSandbox(t *testing.T) {
	dir := t.TempDir()
	address := dev(t, dir)
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Get(address + "/health/ready")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("not ready: %v", err)
	}
	_ = resp.Body.Close()
	if info, err := os.Stat(filepath.Join(dir, "sandbox.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("sandbox.json: %v %v", info, err)
	}

	app := file(t, "app.json", `{"client_name":"My app","redirect_uris":["http://127.0.0.1/callback"],"token_endpoint_auth_method":"none","scope":"launch/patient patient/*.rs openid fhirUser offline_access"}`)
	code, out, errs := command(t, "client", "add", app, "--data", dir)
	var registered map[string]any
	if code != 0 || json.Unmarshal([]byte(out), &registered) != nil || registered["client_id"] == nil || registered["client_secret"] != nil {
		t.Fatalf("client add: %d %s %s", code, out, errs)
	}
	wrong := file(t, "wrong.json", `{"redirect_uris":["http://evil.example.org/cb"]}`)
	if code, _, errs := command(t, "client", "add", wrong, "--data", dir); code == 0 || !strings.Contains(errs, "redirect_uris[0]") {
		t.Errorf("a bad redirect URI: %d %s", code, errs)
	}

	keyless := file(t, "keyless.json", `{"token_endpoint_auth_method":"private_key_jwt","grant_types":["client_credentials"],"scope":"system/*.rs"}`)
	if code, _, errs := command(t, "client", "add", keyless, "--data", dir); code == 0 || !strings.Contains(errs, "public keys") {
		t.Errorf("a service without keys: %d %s", code, errs)
	}
	if code, out, errs := command(t, "client", "rotate-secret", "sandbox-confidential", "--overlap", "1h", "--json", "--data", dir); code != 0 || !strings.Contains(out, "previous_secret_expires_at") {
		t.Errorf("client secret: %d %s %s", code, out, errs)
	}
	if code, out, errs := command(t, "client", "rotate-secret", "sandbox-backend", "--data", dir); code == 0 || strings.Contains(out, "client_secret") || !strings.Contains(errs, "no secret") {
		t.Errorf("the secret of a client with a key: %d %s %s", code, out, errs)
	}

	record := file(t, "record.ndjson", `{"resourceType":"Patient","id":"zoe","name":[{"family":"Winter","given":["Zoe"]}],"birthDate":"1990-01-01"}
{"resourceType":"Observation","id":"zoe-1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/zoe"}}
{"resourceType":"Nothing"}
`)
	code, out, errs = command(t, "data", "load", record, "--data", dir, "--json")
	if code != 1 || !strings.Contains(out, `"Patient": 1`) || !strings.Contains(out, "record.ndjson:3") {
		t.Errorf("data load: %d %s %s", code, out, errs)
	}
	user := file(t, "user.json", `{"username":"zoe","password":"a quiet morning walk","role":"patient","fhirUser":"Patient/zoe"}`)
	if code, out, errs := command(t, "user", "add", user, "--data", dir); code != 0 || strings.Contains(out, "quiet") {
		t.Errorf("user add: %d %s %s", code, out, errs)
	}
	if code, _, errs := command(t, "user", "add", user, "--data", dir); code == 0 || !strings.Contains(errs, `"zoe"`) {
		t.Errorf("the same account twice: %d %s", code, errs)
	}
	lost := file(t, "lost.json", `{"username":"lost","password":"a quiet morning walk","role":"practitioner","fhirUser":"Practitioner/not-loaded"}`)
	if code, _, errs := command(t, "user", "add", lost, "--data", dir); code == 0 || !strings.Contains(errs, "Practitioner/not-loaded") || !strings.Contains(errs, "--record-later") {
		t.Errorf("a record that is not there: %d %s", code, errs)
	}
	if code, out, errs := command(t, "user", "add", lost, "--record-later", "--data", dir); code != 0 || !strings.Contains(out, "Practitioner/not-loaded") {
		t.Errorf("a record that comes later: %d %s", code, errs)
	}
	if code, out, errs := command(t, "user", "disable", "ZOE", "--data", dir); code != 0 || !strings.Contains(out, `"disabled": true`) {
		t.Errorf("user disable: %d %s %s", code, out, errs)
	}
	if code, _, errs := command(t, "user", "add", user, "--data", dir); code == 0 || !strings.Contains(errs, `"zoe"`) {
		t.Errorf("the name of a disabled account: %d %s", code, errs)
	}
	if code, _, errs := command(t, "user", "disable", "nobody-here", "--data", dir); code == 0 || !strings.Contains(errs, `the user "nobody-here": not found`) {
		t.Errorf("disabling nobody: %d %s", code, errs)
	}
	broken := file(t, "broken.json", "{\n  \"resourceType\": \"Patient\",\n  \"id\" \"x\"\n}\n")
	if code, out, _ := command(t, "data", "load", broken, "--data", dir); code == 0 || strings.Count(out, "broken.json") != 1 || !strings.Contains(out, "broken.json:3") {
		t.Errorf("a broken file: %d %s", code, out)
	}
	if code, out, errs := command(t, "explain", "--token", "made-up", "get", "Patient/maria", "--data", dir); code != 0 || !strings.Contains(out, "token.invalid") || !strings.Contains(out, "401") {
		t.Errorf("explain: %d %s %s", code, out, errs)
	}
	if code, _, _ := command(t, "explain", "GET", "Patient/maria", "--data", dir); code == 0 {
		t.Error("explained without a token")
	}
	if code, out, errs := command(t, "audit", "verify", "--data", dir); code != 0 || !strings.Contains(out, "head") {
		t.Errorf("audit verify: %d %s %s", code, out, errs)
	}
	if code, _, errs := command(t, "audit", "verify", "--head", "99999:"+strings.Repeat("00", 32), "--data", dir); code == 0 || !strings.Contains(errs, "not as it was written") {
		t.Errorf("a head that the chain does not reach: %d %s", code, errs)
	}
	if code, out, errs := command(t, "audit", "export", "--since", "2020-01-01T00:00:00Z", "--data", dir); code != 0 || !strings.Contains(out, `"code":"client.added"`) {
		t.Errorf("audit export: %d %s %s", code, out, errs)
	}
	followed(t, dir)
	if code, out, _ := command(t, "grant", "revoke", "--user", "maria", "--data", dir); code != 0 || !strings.Contains(out, `"revoked": 0`) {
		t.Errorf("grant revoke: %d %s", code, out)
	}
	if code, _, errs := command(t, "grant", "revoke", "--user", "maria", "--patient", "maria", "--data", dir); code == 0 || !strings.Contains(errs, "name a grant alone") {
		t.Errorf("a contradictory revocation: %d %s", code, errs)
	}
	if code, out, _ := command(t, "client", "list", "--data", dir); code != 0 || !strings.Contains(out, "My app") {
		t.Errorf("client list: %d %s", code, out)
	}
}

// The folder may be relative, and its name may hold what a URL would read otherwise.
func TestTheDataStaysInItsFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, dir := range []string{".emberlatch", "a folder?x=1#50%25"} {
		dev(t, dir)
		if info, err := os.Stat(filepath.Join(dir, "emberlatch.db")); err != nil || info.Size() == 0 {
			t.Errorf("%s: the database is not in it: %v", dir, err)
		}
	}
}

// The sandbox has well-known passwords and does not listen where others could reach.
//
// spec: TLS-06
func TestTheSandboxStaysOnLoopback(t *testing.T) {
	code, _, errs := command(t, "dev", "--listen", "0.0.0.0:0", "--data", t.TempDir())
	if code == 0 || !strings.Contains(errs, "loopback") {
		t.Errorf("%d %s", code, errs)
	}
}

// `emberlatch launch` prints the URL that an EHR would open, and nothing else.
//
// spec: CTX-01, CTX-02, CTX-34
func TestLaunchPrintsTheURL(t *testing.T) {
	dir := t.TempDir()
	address := dev(t, dir)
	app := file(t, "app.json", `{"redirect_uris":["https://app.example.org/cb"],"initiate_login_uri":"https://app.example.org/launch?a=b","scope":"launch patient/*.rs"}`)
	code, out, errs := command(t, "client", "add", app, "--data", dir)
	var registered struct {
		ID string `json:"client_id"`
	}
	if code != 0 || json.Unmarshal([]byte(out), &registered) != nil {
		t.Fatalf("client add: %d %s", code, errs)
	}
	code, out, errs = command(t, "launch", registered.ID, "--patient", "maria", "--user", "chen", "--intent", "i", "--banner", "false", "--data", dir)
	u, err := url.Parse(strings.TrimSpace(out))
	if code != 0 || err != nil || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "https://app.example.org/launch?a=b&iss=") {
		t.Fatalf("launch: %d %s %s", code, out, errs)
	}
	if q := u.Query(); q.Get("a") != "b" || q.Get("iss") != address+"/fhir" || len(q.Get("launch")) < 46 || len(q) != 3 {
		t.Errorf("parameters %v", q)
	}
	code, out, errs = command(t, "launch", registered.ID, "--patient", "maria", "--fhir-context", `[{"reference":"Task/1"}]`, "--json", "--data", dir)
	var made map[string]any
	if code != 0 || json.Unmarshal([]byte(out), &made) != nil || made["iss"] != address+"/fhir" || made["launch"] == nil || made["launch_url"] == nil || made["expires_in"] != 300.0 {
		t.Errorf("--json: %d %s %s", code, out, errs)
	}
	for name, args := range map[string][]string{
		"an app without a launch URL": {"sandbox-native", "--patient", "maria"}, "an unknown app": {"nobody", "--patient", "maria"},
		"an unknown patient": {registered.ID, "--patient", "nobody"}, "out of reach": {registered.ID, "--patient", "james", "--user", "chen"},
		"no patient": {registered.ID}, "a banner of no kind": {registered.ID, "--patient", "maria", "--banner", "perhaps"},
		"context that is no JSON": {registered.ID, "--patient", "maria", "--fhir-context", "{"},
	} {
		code, out, errs := command(t, append(append([]string{"launch"}, args...), "--data", dir)...)
		if code == 0 || out != "" || errs == "" {
			t.Errorf("%s: %d %s %s", name, code, out, errs)
		}
	}
}
