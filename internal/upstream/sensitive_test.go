package upstream_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/internal/upstream"
	"github.com/emberlatch/emberlatch/smart"
)

// hiv is a category that patients read in the app portal, about themselves.
var hiv = sensitive.New([]sensitive.Definition{{
	Name: "hiv", Codes: []sensitive.Code{{System: "urn:icd", Code: "B20*"}}, Labels: []sensitive.Code{{System: "urn:label", Code: "hiv"}},
	Readers: []access.Reader{{Audience: access.AudiencePatient, Apps: []string{"portal"}}},
}}, nil)

// sensitives are about Alice, and hold what her app does not read.
var sensitives = []string{
	`{"resourceType":"Observation","id":"s1","status":"final","code":{"coding":[{"system":"urn:icd","code":"B20.1"}],"text":"` + secret + `"},"subject":{"reference":"Patient/alice"},"performer":[{"reference":"Practitioner/p1"}]}`,
	`{"resourceType":"Observation","id":"s2","status":"final","code":{"coding":[{"system":"urn:x","code":"y"},{"code":"b20"}],"text":"` + secret + `"},"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Observation","id":"s3","meta":{"security":[{"system":"urn:label","code":"hiv"}]},"status":"final","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Observation","id":"s4","meta":{"security":[{"system":"urn:label","code":"never heard of"}]},"status":"final","code":{"text":"` + secret + `"},"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Observation","id":"s5","status":"final","code":{"text":"` + secret + `"},"contained":[{"resourceType":"Condition","id":"c","code":{"coding":[{"system":"urn:icd","code":"B20"}]}}],"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Condition","id":"s6","code":{"text":"` + secret + `"},"evidence":[{"code":[{"coding":[{"system":"urn:icd","code":"B20"}]}]}],"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Provenance","id":"s7","recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"` + secret + `"}}],"target":[{"reference":"Observation/a1"},{"reference":"Observation/s1"}]}`,
	`{"resourceType":"Provenance","id":"s8","recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"` + secret + `"}}],"target":[{"reference":"Provenance/s7"}]}`,
	`{"resourceType":"Binary","id":"s9","contentType":"text/plain","securityContext":{"reference":"Observation/s1"},"data":"` + secret + `"}`,
	`{"resourceType":"MedicationRequest","id":"s11","status":"active","intent":"order","medicationReference":{"reference":"Medication/m","display":"` + secret + `"},"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Provenance","id":"s12","recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"` + secret + `"}}],"target":[{"reference":"MedicationRequest/s11"}]}`,
	`{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"urn:icd","code":"B20.2"}],"text":"` + secret + `"}}`,
	`{"resourceType":"Practitioner","id":"s10","meta":{"security":[{"system":"urn:label","code":"hiv"}]},"name":[{"family":"` + secret + `"}]}`,
}

// plain are about Alice as well.
var plain = slices.Concat(alices, []string{
	`{"resourceType":"Practitioner","id":"p1","name":[{"family":"Doe"}]}`,
	`{"resourceType":"Condition","id":"c1","code":{"text":"x"},"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"DiagnosticReport","id":"d1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/alice"},"result":[{"reference":"Observation/s1"},{"reference":"Observation/a1"}]}`,
	`{"resourceType":"Provenance","id":"p2","recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}],"target":[{"reference":"Observation/a1"}]}`,
	`{"resourceType":"MedicationRequest","id":"r","status":"active","intent":"order","medicationReference":{"reference":"Medication/n"},"subject":{"reference":"Patient/alice"}}`,
	`{"resourceType":"Medication","id":"n","code":{"text":"x"}}`,
	`{"resourceType":"Provenance","id":"p3","recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}],"target":[{"reference":"MedicationRequest/r"}]}`,
	`{"resourceType":"Binary","id":"b","contentType":"text/plain","securityContext":{"reference":"Observation/a1"}}`,
})

// careful is a gateway before an upstream with the category, and who asks it.
func careful(t testing.TB, url string) http.Handler {
	t.Helper()
	cfg := upstream.Config{URL: url, CredentialsFile: file(t, "Bearer "+ours), Timeout: 5 * time.Second}
	g, err := upstream.New(upstream.Deps{Config: cfg, Base: base, Now: time.Now, Log: slog.New(slog.DiscardHandler), Sensitive: hiv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	with := func(f access.Facts, app string) access.Facts {
		f.Sensitive, f.ClientID = hiv.Policy(), app
		return f
	}
	service := access.Facts{Scopes: smart.NewScopeSet([]string{"system/*.rs"}), Own: access.Own{All: true}, Base: base}
	d, err := fhirapi.New(fhirapi.Deps{
		Base: base, Path: "/fhir", Backend: g, PageKey: make([]byte, 32), Capability: []byte("{}"), MaxPosition: upstream.MaxPosition, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Subjects: bearers{"app": with(patientToken("alice"), "app"), "portal": with(patientToken("alice"), "portal"), "service": with(service, "portal")}, Sensitive: hiv,
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// questions lead to what is sensitive by every way that the gateway offers.
var questions = []string{
	"/Observation", "/Observation?_count=1", "/Observation?_count=3", "/Observation?_summary=count", "/Observation?_total=accurate&_count=1", "/Observation?_id=s1,a1",
	"/Observation?_sort=_id&_count=2", "/Observation?patient=alice&_include=Observation:performer", "/Observation?performer=Practitioner/p1",
	"/Condition", "/Condition?_total=accurate", "/DiagnosticReport?_include=DiagnosticReport:result", "/Patient?_revinclude=Observation:subject",
	"/Observation?_revinclude=Provenance:target", "/Provenance?target=Observation/a1", "/Provenance?target=Observation/s1", "/Patient/alice/Observation", "/Practitioner?_id=s10,p1",
	"/MedicationRequest", "/MedicationRequest?_include=MedicationRequest:medication", "/MedicationRequest?_summary=count", "/Medication?_id=m,n", "/Patient?_revinclude=MedicationRequest:subject", "/MedicationRequest?_revinclude=Provenance:target",
}

// What is withheld changes no byte of what an honest upstream's gateway answers, and what is
// read by nobody is not found by its reader either.
//
// attack: GW-40, B.1, B.12, B.14, B.42, B.43, B.44, B.45, B.46, B.48
func TestWithheldContentChangesNothing(t *testing.T) {
	answers := func(resources []string) map[string]string {
		up := newHonest(t, of(resources...))
		door := careful(t, up.base)
		m := map[string]string{}
		for _, token := range []string{"app", "service"} {
			for _, path := range questions {
				if token == "service" && path == "/Provenance?target=Observation/s1" {
					continue
				}
				got := get(door, token, path)
				m[token+" "+path] = stable(fmt.Sprint(got.Code, " ", got.Body))
				if strings.Contains(got.Body.String(), secret) {
					t.Errorf("%s %s: %s", token, path, got.Body)
				}
			}
			for _, raw := range sensitives {
				r, err := fhir.ParseResource([]byte(raw))
				if err != nil {
					t.Fatal(err)
				}
				got := get(door, token, "/"+r.Reference().String())
				m[token+" "+r.ID()] = fmt.Sprint(got.Code, " ", got.Body)
				if got.Code != http.StatusNotFound {
					t.Errorf("%s reads %s: %d", token, r.Reference(), got.Code)
				}
			}
		}
		return m
	}
	with, without := answers(slices.Concat(plain, sensitives)), answers(plain)
	for path, want := range without {
		if with[path] != want {
			t.Errorf("%s: without what is withheld\n%s\nwith it\n%s", path, want, with[path])
		}
	}
}

// The reader of a category finds all of it, and nothing whose label nobody knows.
func TestTheReaderFindsTheCategory(t *testing.T) {
	door := careful(t, newHonest(t, of(slices.Concat(plain, sensitives)...)).base)
	for path, want := range map[string]int{"/Observation/s1": 200, "/Observation/s5": 200, "/Observation/s4": 404, "/Provenance/s7": 200, "/Provenance/s8": 200, "/Binary/s9": 200, "/MedicationRequest/s11": 200, "/Provenance/s12": 200, "/Provenance/p3": 200, "/Practitioner/s10": 404, "/Binary/b": 200} {
		if got := get(door, "portal", path); got.Code != want {
			t.Errorf("%s: %d, want %d: %s", path, got.Code, want, got.Body)
		}
	}
	if got := get(door, "portal", "/Observation?_summary=count"); !strings.Contains(got.Body.String(), `"total":6`) {
		t.Errorf("the total: %s", got.Body)
	}
}

// An upstream that gives what it wants gives nothing of what is withheld.
//
// attack: GW-40, B.34, B.115
func TestAHostileUpstreamGivesNothingWithheld(t *testing.T) {
	var entries []string
	for _, raw := range slices.Concat(plain, sensitives) {
		entries = append(entries, `{"fullUrl":"urn:x","resource":`+raw+`,"search":{"mode":"match"}}`)
	}
	page := `{"resourceType":"Bundle","type":"searchset","total":99,"entry":[` + strings.Join(entries, ",") + `]}`
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/fhir+json")
		if r.Method == http.MethodGet && !strings.Contains(r.URL.RawQuery, "=") {
			for _, raw := range slices.Concat(plain, sensitives) {
				if id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]; strings.Contains(raw, `"id":"`+id+`"`) {
					_, _ = io.WriteString(w, raw)
					return
				}
			}
		}
		_, _ = io.WriteString(w, page)
	})
	door := careful(t, up.URL+"/fhir")
	for _, token := range []string{"app", "service"} {
		for _, path := range questions {
			if body := get(door, token, path).Body.String(); strings.Contains(body, secret) || strings.Contains(body, `"total":99`) {
				t.Errorf("%s %s: %s", token, path, body)
			}
		}
	}
}
