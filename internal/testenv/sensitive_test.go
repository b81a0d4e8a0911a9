package testenv_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// diagnoses are everything with a code of ICD-10-CM, for practitioners in one app.
func diagnoses(o *app.SandboxOptions) {
	o.Sensitive = app.SensitiveConfig{Categories: []app.CategoryConfig{{
		Name: "diagnoses", Words: map[string]string{"en": "Diagnoses", "es": "Diagnósticos"}, Codes: []string{"http://hl7.org/fhir/sid/icd-10-cm|*"},
		Readers: []app.ReaderConfig{{Audience: "practitioner", Apps: []string{"sandbox-confidential"}}},
	}}}
}

// counted is how many a search finds.
func counted(t *testing.T, env *testenv.Env, token, path string) string {
	t.Helper()
	a := env.Get(token, path)
	if a.Status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, a.Status, a.Raw)
	}
	return fmt.Sprint(a.Body["total"])
}

// What is withheld is withheld from the login on: the patient's app neither reads nor counts
// it, nor is told that somebody looked; the practitioner's app does, the record says so, and
// an operator is told why.
//
// spec: AUD-04
// attack: GW-40
func TestWhatIsSensitiveReachesItsReaders(t *testing.T) {
	env := testenv.StartWith(t, diagnoses)
	_, clinic := env.Token("sandbox-confidential", "launch/patient user/*.rs openid fhirUser", "chen", "maria")
	doctor := clinic.String("access_token")
	found := env.Get(doctor, "Condition?patient=maria&_count=1")
	entries, _ := found.Body["entry"].([]any)
	if found.Status != http.StatusOK || len(entries) == 0 {
		t.Fatal(found.Raw)
	}
	one := entries[0].(map[string]any)["resource"].(map[string]any)["id"].(string)
	ledger := env.Register(`{"client_name":"Ledger","redirect_uris":["https://ledger.example.org/cb"],"token_endpoint_auth_method":"none","scope":"launch/patient patient/AuditEvent.rs patient/*.rs openid fhirUser"}`)
	r := ledger.Request("launch/patient patient/AuditEvent.rs patient/*.rs openid fhirUser")
	patient := ledger.Exchange(r, env.Browser().Code(ledger, r, "maria", "")).String("access_token")
	if n := counted(t, env, patient, "Condition?_summary=count"); n != "0" {
		t.Errorf("the patient's app counts %s", n)
	}
	if n := counted(t, env, patient, "Observation?_summary=count"); n == "0" {
		t.Error("nothing else is there either")
	}
	for _, path := range []string{"Condition/" + one, "Condition/" + one + "/_history/1", "Condition/" + one + "/_history"} {
		if a := env.Get(patient, path); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	a, status, steps := explanation(t, env, patient, "GET", "Condition/"+one)
	if status != http.StatusNotFound || !strings.HasSuffix(steps, "-row:row.withheld") || !strings.Contains(a.Raw, `"sensitive":["diagnoses"]`) {
		t.Errorf("explained: %s %s", steps, a.Raw)
	}
	if a := env.Get(doctor, "Condition/"+one); a.Status != http.StatusOK {
		t.Errorf("its reader: %d", a.Status)
	}
	labels := 0
	for _, e := range exports(t, env) {
		if strings.Contains(e.line, `"securityLabel":[{"system":"urn:emberlatch:sensitive","code":"diagnoses"}]`) {
			labels++
			if !e.has("1", "Patient/maria") {
				t.Errorf("labelled, and about somebody else: %s", e.line)
			}
		}
	}
	if labels != 2 {
		t.Errorf("%d events say what was sensitive", labels)
	}
	told, _ := events(t, env, patient, "AuditEvent?_count=200")
	for _, e := range told {
		if strings.Contains(e.line, "securityLabel") {
			t.Errorf("the patient's app is told of what is withheld: %s", e.line)
		}
	}
}
