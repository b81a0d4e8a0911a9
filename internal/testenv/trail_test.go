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

// events reads a page of AuditEvents.
func events(t *testing.T, env *testenv.Env, token, path string) (list []exported, next string) {
	t.Helper()
	a := env.Get(token, path)
	var b struct {
		Link  []struct{ Relation, URL string }
		Entry []struct{ Resource json.RawMessage }
	}
	if err := json.Unmarshal([]byte(a.Raw), &b); err != nil || a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.Status, a.Raw)
	}
	for _, l := range b.Link {
		if l.Relation == "next" {
			next = strings.TrimPrefix(l.URL, env.FHIR+"/")
		}
	}
	for _, e := range b.Entry {
		var event exported
		if err := json.Unmarshal(e.Resource, &event); err != nil {
			t.Fatal(err)
		}
		event.line = string(e.Resource)
		list = append(list, event)
	}
	return list, next
}

// An app with patient/AuditEvent.rs sees who looked at the patient's record, newest
// first, page by page, and nothing about anybody else; a wildcard shows none of it; and
// looking is recorded too.
//
// spec: AUD-15, AUD-16
// attack: B.92, GW-19
func TestAnAppSeesThePatientsTrail(t *testing.T) {
	env := testenv.Start(t)
	ledger := env.Register(`{"client_name":"Ledger","redirect_uris":["https://ledger.example.org/cb"],"token_endpoint_auth_method":"none","scope":"launch/patient patient/AuditEvent.rs patient/Patient.r patient/*.rs openid fhirUser"}`)
	own := func(scope string) string {
		t.Helper()
		r := ledger.Request(scope)
		return ledger.Exchange(r, env.Browser().Code(ledger, r, "maria", "")).String("access_token")
	}
	_, clinic := env.Token("sandbox-confidential", "launch/patient user/*.rs openid fhirUser", "chen", "maria")
	doctor := clinic.String("access_token")
	if doctor == "" {
		t.Fatal(clinic.Raw)
	}
	for range 3 {
		env.Get(doctor, "Observation?patient=maria&code=planted-9")
	}
	env.Get(doctor, "Patient/james")
	token := own("launch/patient patient/AuditEvent.rs patient/Patient.r openid fhirUser")
	env.Get(token, "Patient/maria")

	all, _ := events(t, env, token, "AuditEvent?_count=200")
	doctors, mine := 0, 0
	for i, e := range all {
		if !e.has("1", "Patient/maria") {
			t.Errorf("about somebody else: %s", e.line)
		}
		if i > 0 && recordedOf(t, e).Sub(recordedOf(t, all[i-1])) > 2*time.Second { // as they were written
			t.Errorf("%d is newer than the one before", i)
		}
		if strings.Contains(e.line, "somebody who treats") {
			doctors++
		}
		if e.has("2", "Patient/maria") {
			mine++
		}
	}
	if doctors < 3 || mine != 1 {
		t.Errorf("%d by the doctor, %d reads of one's own", doctors, mine)
	}
	for _, e := range all {
		for _, hidden := range []string{"planted-9", "dr-chen", "Chen", "jti", "127.0.0.1", "james"} {
			if strings.Contains(e.line+e.query(), hidden) {
				t.Errorf("%s is told: %s", hidden, e.line)
			}
		}
	}
	// Page by page, each once.
	var paged []string
	for path := "AuditEvent?_count=2"; path != ""; {
		list, next := events(t, env, token, path)
		for _, e := range list {
			paged = append(paged, idOf(t, e))
		}
		if path = next; len(paged) > 300 {
			t.Fatal("no end")
		}
	}
	// Each page adds an event of its own, which is newer than all that follow.
	for _, e := range all {
		if n := len(slices.DeleteFunc(slices.Clone(paged), func(id string) bool { return id != idOf(t, e) })); n != 1 {
			t.Errorf("%s came %d times", idOf(t, e), n)
		}
	}
	first := idOf(t, all[0])
	for path, want := range map[string]int{
		"AuditEvent?_id=" + first: 1, "AuditEvent?patient=maria&_id=" + first: 1, "AuditEvent?patient=james": 0, "AuditEvent?date=ge2999": 0, "AuditEvent?date=lt2000-01-01": 0,
		"AuditEvent?action=R&entity=Patient/maria&_id=" + idOf(t, all[0]): -1, "Patient/maria/AuditEvent?_id=" + first: 1, "Patient/james/AuditEvent": 0,
	} {
		if list, _ := events(t, env, token, path); want >= 0 && len(list) != want {
			t.Errorf("%s: %d", path, len(list))
		}
	}
	if a := env.Get(token, "AuditEvent/"+first); a.Status != http.StatusOK || a.String("id") != first {
		t.Errorf("a read: %d %s", a.Status, a.Raw)
	}
	for path, want := range map[string]int{
		"AuditEvent/event-1": 404, "AuditEvent/access-1-0-0": 404, "AuditEvent/" + strings.Replace(first, "access", "event", 1): 404, "AuditEvent/x": 404, "AuditEvent?_sort=date": 400,
		"AuditEvent?_summary=count": 400, "AuditEvent?nonsense=1": 400, "AuditEvent/" + first + "/_history": 501, "AuditEvent?_page=made-up": 404, "AuditEvent?_revinclude=Provenance:target": 400,
	} {
		if a := env.Get(token, path); a.Status != want {
			t.Errorf("%s: %d, want %d %s", path, a.Status, want, a.Raw)
		}
	}
	wild := own("launch/patient patient/*.rs openid fhirUser")
	for who, token := range map[string]string{"a wildcard": wild, "a clinician": doctor, "nobody": ""} {
		for _, path := range []string{"AuditEvent", "AuditEvent/" + first} {
			if a := env.Get(token, path); a.Status != http.StatusForbidden && a.Status != http.StatusUnauthorized {
				t.Errorf("%s, %s: %d %s", who, path, a.Status, a.Raw)
			}
		}
	}
	// Looking is recorded, and seen by the next who looks.
	again, _ := events(t, env, token, "AuditEvent?_count=200")
	if !slices.ContainsFunc(again, func(e exported) bool { return e.query() == "AuditEvent?" && strings.Contains(e.line, "Ledger") }) {
		t.Error("looking was not recorded")
	}
	if x := env.Admin(http.MethodPost, "/explain", `{"token":"`+token+`","method":"GET","path":"AuditEvent"}`); !strings.Contains(x.Raw, "trail.patient") {
		t.Error(x.Raw)
	}
}

func recordedOf(t *testing.T, e exported) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, memberOf(t, e, "recorded"))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func idOf(t *testing.T, e exported) string { return memberOf(t, e, "id") }

func memberOf(t *testing.T, e exported, name string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(e.line), &all); err != nil {
		t.Fatal(err)
	}
	text, _ := all[name].(string)
	return text
}
