package testenv_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// exporting is a client that exports over the network.
type exporting struct {
	t     testing.TB
	env   *testenv.Env
	token string
}

func (x exporting) send(method, target string, header ...string) testenv.Answer {
	x.t.Helper()
	r, err := http.NewRequestWithContext(x.t.Context(), method, target, http.NoBody)
	if err != nil {
		x.t.Fatal(err)
	}
	if x.token != "" {
		r.Header.Set("Authorization", "Bearer "+x.token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return x.env.Send(r)
}

func (x exporting) begin(path string) string {
	x.t.Helper()
	a := x.send(http.MethodGet, x.env.FHIR+path, "Prefer", "respond-async", "Accept", "application/fhir+json")
	if a.Status != http.StatusAccepted {
		x.t.Fatalf("%s: %d %s", path, a.Status, a.Raw)
	}
	return a.Header.Get("Content-Location")
}

// output are the files of an export that is ready.
func (x exporting) output(status string) (urls map[string]string) {
	x.t.Helper()
	for range 200 {
		a := x.send(http.MethodGet, status)
		if a.Status == http.StatusAccepted {
			continue
		}
		var m struct{ Output []struct{ Type, URL string } }
		if a.Status != http.StatusOK || json.Unmarshal([]byte(a.Raw), &m) != nil {
			x.t.Fatalf("status: %d %s", a.Status, a.Raw)
		}
		urls = map[string]string{}
		for _, f := range m.Output {
			urls[f.Type] = f.URL
		}
		return urls
	}
	x.t.Fatal("never ready")
	return nil
}

// lines are the ids in a file.
func (x exporting) lines(url string) (ids []string) {
	x.t.Helper()
	a := x.send(http.MethodGet, url, "Accept", "application/fhir+ndjson", "Accept-Encoding", "identity")
	if a.Status != http.StatusOK {
		x.t.Fatalf("%s: %d %s", url, a.Status, a.Raw)
	}
	for line := range strings.Lines(a.Raw) {
		var r struct{ ID string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			x.t.Fatal(err)
		}
		ids = append(ids, r.ID)
	}
	return ids
}

const exportedData = `{"resourceType":"Patient","id":"ex-a","name":[{"family":"Adams"}]}
{"resourceType":"Patient","id":"ex-b","name":[{"family":"Brown"}]}
{"resourceType":"Observation","id":"ex-a1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ex-a"}}
{"resourceType":"Observation","id":"ex-b1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ex-b"}}
{"resourceType":"Group","id":"ex-both","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/ex-a"}},{"entity":{"reference":"Patient/ex-b"}}]}
{"resourceType":"Group","id":"ex-one","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/ex-a"}}]}`

// A backend service exports a Group: exactly these lines; others get nothing of it, and
// it ends with its client. On both databases, on PostgreSQL with two processes that take
// turns.
//
// spec: BS-12, RSB-11, RSB-12, RSB-13, RSB-14, RSB-15, RSB-16, RSB-17
// attack: B.86, GW-09, GW-12
func TestExportOfAGroup(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		env := testenv.Start(t)
		exportStory(t, env, env)
	})
	t.Run("PostgreSQL, two processes", func(t *testing.T) {
		nodes := testenv.Nodes(t, 2)
		exportStory(t, nodes[0], nodes[1])
	})
}

func exportStory(t *testing.T, env, other *testenv.Env) {
	if a := env.Admin(http.MethodPost, "/data?name=export.ndjson", exportedData); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	key := newKey(t, "ES384", "1")
	register := func(scope string, data map[string]any) *testenv.Client {
		return env.RegisterKeyed(service(scope, "jwks", keySetOf(key), "emberlatch_data", data), key)
	}
	all, one := register("system/*.rs", map[string]any{"all": true}), register("system/*.rs", map[string]any{"groups": []string{"Group/ex-one"}})
	as := func(c *testenv.Client, scope string) exporting {
		a := c.Service(scope)
		if a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		return exporting{t, env, a.String("access_token")}
	}
	whole, narrow, ofOne := as(all, "system/*.rs"), as(all, "system/Patient.rs"), as(one, "system/*.rs")
	elsewhere := whole
	elsewhere.env = other
	for end := time.Now().Add(5 * time.Second); elsewhere.send(http.MethodGet, env.FHIR+"/Patient?_count=1").Status != http.StatusOK; {
		if time.Now().After(end) { // it hears of new clients within a poll
			t.Fatal("the other process does not know the client")
		}
		time.Sleep(20 * time.Millisecond)
	}
	status := whole.begin("/Group/ex-both/$export")
	files := elsewhere.output(status)
	for kind, want := range map[string][]string{"Patient": {"ex-a", "ex-b"}, "Observation": {"ex-a1", "ex-b1"}} {
		if got := elsewhere.lines(files[kind]); !slices.Equal(got, want) {
			t.Errorf("%s: %v", kind, got)
		}
	}
	if got := narrow.output(narrow.begin("/Group/ex-both/$export")); len(got) != 1 || got["Patient"] == "" {
		t.Errorf("system/Patient.rs: %v", got)
	}
	if a := narrow.send(http.MethodGet, env.FHIR+"/Group/ex-both/$export?_type=Observation", "Prefer", "respond-async"); a.Status != http.StatusForbidden {
		t.Errorf("wider: %d %s", a.Status, a.Raw)
	}
	if a := narrow.send(http.MethodGet, files["Observation"]); a.Status != http.StatusForbidden {
		t.Errorf("a file of a type without a scope: %d %s", a.Status, a.Raw)
	}
	for _, group := range []string{"ex-both", "none"} {
		if a := ofOne.send(http.MethodGet, env.FHIR+"/Group/"+group+"/$export", "Prefer", "respond-async"); a.Status != http.StatusNotFound {
			t.Errorf("Group/%s of a client that has another: %d %s", group, a.Status, a.Raw)
		}
	}
	if got := ofOne.output(ofOne.begin("/Group/ex-one/$export"))["Observation"]; !slices.Equal(ofOne.lines(got), []string{"ex-a1"}) {
		t.Errorf("own group: %v", ofOne.lines(got))
	}
	for _, target := range []string{status, files["Patient"]} {
		if a := ofOne.send(http.MethodGet, target); a.Status != http.StatusNotFound {
			t.Errorf("another client: %d", a.Status)
		}
		if a := (exporting{t, env, ""}).send(http.MethodGet, target); a.Status != http.StatusUnauthorized {
			t.Errorf("nobody: %d", a.Status)
		}
	}
	if env == other { // where the sample people are
		_, user := env.Token("sandbox-confidential", readAll, "maria", "")
		person := exporting{t, env, user.String("access_token")}
		for _, target := range []string{env.FHIR + "/Group/ex-both/$export", env.FHIR + "/$export", status, files["Patient"]} {
			if a := person.send(http.MethodGet, target, "Prefer", "respond-async"); a.Status != http.StatusForbidden {
				t.Errorf("a person at %s: %d", target, a.Status)
			}
		}
	}
	if a := env.Admin(http.MethodGet, "/audit/export", ""); !strings.Contains(a.Raw, `"export.began"`) {
		t.Error("no export in the security record")
	}
	t.Log("one moment, whatever is written meanwhile")
	filtered := whole.begin("/Group/ex-both/$export?_type=Observation&_typeFilter=Observation%3Fstatus%3Dfinal")
	file := whole.output(filtered)["Observation"]
	time.Sleep(5 * time.Millisecond)
	later := strings.NewReplacer(`"ex-a1","status":"final"`, `"ex-a1","status":"amended"`, `"ex-b1"`, `"ex-b2"`).Replace(exportedData)
	if a := other.Admin(http.MethodPost, "/data?name=later.ndjson", later); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	for _, x := range []exporting{whole, elsewhere} {
		if got := x.lines(file); !slices.Equal(got, []string{"ex-a1", "ex-b1"}) {
			t.Errorf("after changes: %v", got)
		}
		if a := x.send(http.MethodGet, file, "Accept-Encoding", "identity"); strings.Contains(a.Raw, "amended") {
			t.Errorf("as it is now: %s", a.Raw)
		}
	}
	t.Log("cancelled, then missing")
	ended := whole.begin("/Patient/$export")
	if a := elsewhere.send(http.MethodDelete, ended); a.Status != http.StatusAccepted {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
	if a := whole.send(http.MethodGet, ended); a.Status != http.StatusNotFound || !strings.Contains(a.Raw, "OperationOutcome") {
		t.Errorf("%d %s", a.Status, a.Raw)
	}
	t.Log("a client that is stopped has nothing more")
	if a := env.Admin(http.MethodPost, "/clients/"+all.ID+"/disable", `{"reason":"test"}`); a.Status/100 != 2 {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	for end := time.Now().Add(2 * time.Second); elsewhere.send(http.MethodGet, files["Patient"]).Status != http.StatusUnauthorized; {
		if time.Now().After(end) {
			t.Fatal("its files live")
		}
		time.Sleep(20 * time.Millisecond)
	}
}
