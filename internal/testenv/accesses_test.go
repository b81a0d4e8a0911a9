package testenv_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// exported is an AuditEvent of an export.
type exported struct {
	Subtype []struct{ Code string }
	Outcome string
	Agent   []struct {
		Who    struct{ Reference, Display string }
		Policy []string
	}
	Entity []struct {
		What struct {
			Reference  string
			Identifier struct{ Value string }
		}
		Type  struct{ Code string }
		Query string
	}
	line string
}

func (e exported) query() string {
	for _, part := range e.Entity {
		if raw, err := base64.StdEncoding.DecodeString(part.Query); err == nil && part.Query != "" {
			return string(raw)
		}
	}
	return ""
}

func (e exported) has(kind, value string) bool {
	for _, part := range e.Entity {
		if part.Type.Code == kind && (part.What.Reference == value || part.What.Identifier.Value == value) {
			return true
		}
	}
	return false
}

// exports reads the whole record; each event is as R4 defines it.
func exports(t *testing.T, env *testenv.Env) (all []exported) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(env.Admin(http.MethodGet, "/audit/export", "").Raw), "\n") {
		e := exported{line: line}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err, line)
		}
		r, err := fhir.ParseResource([]byte(line))
		if err != nil {
			t.Fatal(err, line)
		}
		if findings := structure.Check(r); len(findings) > 0 {
			t.Errorf("%v %s", findings, line)
		}
		all = append(all, e)
	}
	return all
}

// From consent to refusal: each step of an app stands in the record, with the request's
// id and the patient, and nothing that anybody could use.
//
// spec: AUD-01, AUD-05, AUD-07, AUD-08, AUD-09, AUD-10, AUD-12, AUD-13, AUD-17
// attack: LO-01
func TestTheWayOfAnAppStandsInTheRecord(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-confidential")
	b := env.Browser()
	r := c.Request(readAll)
	for range 9 { // more than is free: the last one waits
		b.Submit(b.Open(r.URL()), "action", "sign-in", url.Values{"username": {"james"}, "password": {"a wrong pass phrase"}})
	}
	r, code, _ := pending(t, env, c, "maria")
	issued := c.Exchange(r, code)
	access, refresh := issued.String("access_token"), issued.String("refresh_token")
	env.Get(access, "Patient/maria", "X-Request-Id", "request-of-the-app-1")
	env.Get(access, "Observation?code=planted-7&_count=1")
	env.Get(access, "Patient/james")
	env.Get("", "Patient/maria?access_token="+access)
	env.Get(access+"x", "Patient/maria")
	refreshed := c.Refresh(refresh)
	c.Refresh(refresh + "x")
	c.Exchange(r, code)

	all := exports(t, env)
	find := func(name string, good func(exported) bool) exported {
		t.Helper()
		for _, e := range all {
			if good(e) {
				return e
			}
		}
		t.Errorf("%s is not in the record", name)
		return exported{}
	}
	kind := func(code, outcome string) func(exported) bool {
		return func(e exported) bool { return e.Subtype[len(e.Subtype)-1].Code == code && e.Outcome == outcome }
	}
	find("consent", kind("consent.given", "0"))
	find("what was given by it", kind("AuthZ-Consent", "0"))
	find("the issue of tokens", kind("ITI-71", "0"))
	find("a refused token request", kind("ITI-71", "4"))
	find("a login", kind("login", "0"))
	find("a failed login", kind("login.failed", "4"))
	find("a lockout", kind("login.blocked", "4"))
	find("the read with the id of its request", func(e exported) bool {
		return e.has("XrequestId", "request-of-the-app-1") && e.has("2", "Patient/maria") && e.has("1", "Patient/maria")
	})
	find("the search as it was sent", func(e exported) bool {
		return e.query() == "Observation?code=planted-7&_count=1" && e.has("1", "Patient/maria")
	})
	find("the refused read", func(e exported) bool {
		return e.has("2", "Patient/james") && e.Outcome == "4" && !e.has("1", "Patient/james")
	})
	find("a token in an address", func(e exported) bool { return strings.Contains(e.query(), "access_token=removed") })

	stored := files(t, env.DataDir)
	for name, secret := range map[string]string{
		"code": code, "access token": access, "its signature": access[strings.LastIndex(access, "."):], "refresh token": refresh,
		"next access token": refreshed.String("access_token"), "next refresh token": refreshed.String("refresh_token"), "ID token": issued.String("id_token"), "password": "a wrong pass phrase",
	} {
		if secret == "" || strings.Contains(stored, secret) || strings.Contains(stored, base64.StdEncoding.EncodeToString([]byte(secret))) {
			t.Errorf("%s %q is stored, or was none", name, secret)
		}
		for _, e := range all {
			if strings.Contains(e.line+e.query(), secret) {
				t.Errorf("%s is in the record: %s", name, e.line)
			}
		}
	}
	if report := env.Admin(http.MethodPost, "/audit/verify", ""); !strings.Contains(report.Raw, `"ok":true`) {
		t.Error(report.Raw)
	}
}

// files is everything that the server has stored, but for what the sandbox tells people.
func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "sandbox.json" {
			return err
		}
		raw, err := os.ReadFile(path)
		all.Write(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
