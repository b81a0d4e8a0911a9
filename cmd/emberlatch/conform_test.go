package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform/brokentest"
)

// Beside a running sandbox no argument is needed but the suites.
func TestConformBesideASandbox(t *testing.T) {
	t.Chdir(t.TempDir())
	address := dev(t, defaultDataDir)
	code, out, errs := command(t, "conform", "run", "smart", "oidc", "bcp")
	if code != 0 || !strings.Contains(out, "\npass  PKCE-01 ") || !strings.HasSuffix(out, "conformant with what was checked\n") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if strings.Contains(out, "\nfail") || strings.Contains(out, "\nskip") {
		t.Errorf("%s", out)
	}
	code, out, errs = command(t, "conform", "run", "smart", "--json", "--url", address+"/fhir/", "--only", "DISC-01,RSX-01")
	var report struct {
		Base    string
		Results []struct{ ID, Outcome string }
	}
	if code != 0 || json.Unmarshal([]byte(out), &report) != nil || len(report.Results) != 2 || report.Base != address+"/fhir" {
		t.Errorf("%d %s %s", code, out, errs)
	}
}

// The exit status is the result: 1 for a server that fails, 2 for no result.
func TestConformElsewhere(t *testing.T) {
	s, err := brokentest.Start("plain-advertised")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	with := file(t, "with.yaml", fmt.Sprintf(`
url: %q
person: {username: alice, password: %q, other_patient: bob}
clients:
  confidential: {client_id: web, client_secret: %q, redirect_uris: [%q]}
  public: {client_id: pub, redirect_uris: [%q]}
`, s.Base, brokentest.Password, brokentest.WebSecret, brokentest.WebRedirect, brokentest.PublicRedirect))
	code, out, errs := command(t, "conform", "run", "smart", "--with", with)
	if code != 1 || !strings.Contains(out, "Failed:\nfail  DISC-10 ") || !strings.Contains(out, "not conformant") || errs != "" {
		t.Errorf("%d %s %s", code, out, errs)
	}
	// The password may come from the environment, and from a file.
	t.Setenv("EMBERLATCH_CONFORM_PASSWORD", brokentest.Password)
	for _, more := range [][]string{nil, {"--password-file", file(t, "password", brokentest.Password+"\n")}} {
		args := append([]string{"conform", "run", "smart", "--with", with, "--username", "alice", "--only", "AUTHZ-01"}, more...)
		if code, out, errs := command(t, args...); code != 0 {
			t.Errorf("%v: %d %s %s", more, code, out, errs)
		}
	}
	t.Setenv("EMBERLATCH_CONFORM_PASSWORD", "wrong")
	if code, out, _ := command(t, "conform", "run", "smart", "--with", with, "--username", "alice", "--only", "AUTHZ-01"); code != 1 {
		t.Errorf("a wrong password: %d %s", code, out)
	}
	for name, args := range map[string][]string{
		"no sandbox":    {"smart", "--data", t.TempDir()},
		"nobody there":  {"smart", "--url", "http://127.0.0.1:1/fhir"},
		"unknown suite": {"fapi"},
		"no suite":      {},
		"unknown check": {"smart", "--with", with, "--only", "DISC-99"},
	} {
		if code, out, errs := command(t, append([]string{"conform", "run"}, args...)...); code != 2 || errs == "" {
			t.Errorf("%s: %d %s %s", name, code, out, errs)
		}
	}
}

func TestConformList(t *testing.T) {
	code, out, _ := command(t, "conform", "list", "bcp")
	if code != 0 || !strings.Contains(out, "PKCE-01") || strings.Contains(out, "DISC-01") {
		t.Errorf("%d %s", code, out)
	}
	if code, out, _ := command(t, "conform", "run", "--help"); code != 0 || !strings.Contains(out, "emberlatch conform run smart oidc bcp --url") {
		t.Errorf("%d %s", code, out)
	}
}
