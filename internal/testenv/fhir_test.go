package testenv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// The FHIR API without a token, with a wrong one, and with one that does not reach.
//
// spec: RS-01, RS-02, RS-03, RS-04, RS-06, RS-16, RS-17, RS-18, RS-19, RS-22, RSX-01, RSX-02, RSX-04, RSX-06, RSX-07, RSX-13, RSX-16, RSX-17, RSX-19, RSX-21, RSX-27, ERR-40, ERR-41, ERR-43, ERR-45, ERR-47, ERR-48, RSP-15, SCOPE-13, HDR-07
// attack: B.1, B.2, B.7, B.8, B.10, B.13, B.21, B.22, B.24, B.26, B.29, B.30, B.31, B.32, B.35, B.36, B.37, B.40, B.41, B.51, B.87, B.93, B.100, B.101, B.109
func TestFHIRRequests(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", "launch/patient openid patient/Patient.rs patient/Observation.rs patient/Condition.r patient/Encounter.s", "maria", "")
	token := a.String("access_token")
	const auth = "Bearer "
	for _, row := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		contains                 string
	}{
		{"ERR-40 no token", "GET", "Patient/maria", "", nil, 401, `"code":"login"`},
		{"RS-02 lower case scheme", "GET", "Patient/maria", "", []string{"Authorization", "bearer " + token}, 200, ""},
		{"ERR-41 Basic", "GET", "Patient/maria", "", []string{"Authorization", "Basic abc"}, 401, ""},
		{"ERR-41 empty token", "GET", "Patient/maria", "", []string{"Authorization", "Bearer "}, 401, ""},
		{"RS-03 token in the query", "GET", "Patient/maria?access_token=" + token, "", nil, 400, "header"},
		{"RS-04 token in a form", "POST", "Patient/_search", "access_token=" + token, []string{"Authorization", auth + token}, 400, ""},
		{"B.1 another's", "GET", "Patient/james", "", []string{"Authorization", auth + token}, 404, "not-found"},
		{"B.2 type without a scope", "GET", "Coverage/maria-coverage", "", []string{"Authorization", auth + token}, 403, "forbidden"},
		{"RSX-01 search only, then read", "GET", "Encounter/x", "", []string{"Authorization", auth + token}, 403, ""},
		{"RSX-02 read only, then search", "GET", "Condition?patient=maria", "", []string{"Authorization", auth + token}, 403, ""},
		{"RSX-02 read only, then POST search", "POST", "Condition/_search", "patient=maria", []string{"Authorization", auth + token}, 403, ""},
		{"RS-16 XML", "GET", "Patient/maria", "", []string{"Authorization", auth + token, "Accept", "application/fhir+xml"}, 406, "application/fhir+json"},
		{"B.13 _format=xml", "GET", "Patient/maria?_format=xml", "", []string{"Authorization", auth + token}, 406, ""},
		{"B.13 _format=json", "GET", "Patient/maria?_format=json", "", []string{"Authorization", auth + token}, 200, ""},
		{"B.21 another patient", "GET", "Observation?patient=james", "", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.22 AND of both", "GET", "Observation?patient=maria&patient=james", "", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.24 Type/id", "GET", "Observation?patient=Patient/james", "", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.29 another case", "GET", "Observation?PATIENT=james", "", []string{"Authorization", auth + token}, 400, "not-supported"},
		{"B.30 query and body", "POST", "Observation/_search?patient=maria", "patient=james", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.30 JSON body", "POST", "Observation/_search", `{"patient":"maria"}`, []string{"Authorization", auth + token, "Content-Type", "application/json"}, 415, ""},
		{"B.31 compartment of another", "GET", "Patient/james/Observation", "", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.31 result type without a scope", "GET", "Patient/maria/Coverage", "", []string{"Authorization", auth + token}, 403, ""},
		{"B.31 Encounter root", "GET", "Encounter/x/Observation", "", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.31 every type", "GET", "Patient/maria/*", "", []string{"Authorization", auth + token}, 404, ""},
		{"B.32 system search", "GET", "?_type=Patient", "", []string{"Authorization", auth + token}, 501, "not-supported"},
		{"B.35 _list without a scope for List", "GET", "Observation?_list=x", "", []string{"Authorization", auth + token}, 403, "search List"},
		{"B.36 _filter", "GET", "Observation?_filter=x", "", []string{"Authorization", auth + token}, 400, ""},
		{"B.37 _contained", "GET", "Observation?_contained=true", "", []string{"Authorization", auth + token}, 400, ""},
		{"B.40 chain to another", "GET", "Observation?subject:Patient._id=james", "", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.41 _has", "GET", "Patient?_has:Observation:patient:patient=james", "", []string{"Authorization", auth + token}, 200, `"total":0`},
		{"B.41 _has without a scope", "GET", "Patient?_has:Coverage:beneficiary:status=active", "", []string{"Authorization", auth + token}, 403, "search Coverage"},
		{"B.51 a cursor of another server", "GET", "Observation?_getpages=x", "", []string{"Authorization", auth + token}, 400, ""},
		{"B.51 a made-up page", "GET", "Observation?_page=x", "", []string{"Authorization", auth + token}, 404, ""},
		{"B.87 $graphql", "GET", "$graphql?query=x", "", []string{"Authorization", auth + token}, 403, ""},
		{"B.85 $everything of another", "GET", "Patient/james/$everything", "", []string{"Authorization", auth + token}, 404, ""},
		{"RSX-04 create without c", "POST", "Observation", "{}", []string{"Authorization", auth + token}, 403, ""},
		{"RSX-06 update without u", "PUT", "Observation/x", "{}", []string{"Authorization", auth + token}, 403, ""},
		{"RSX-07 delete without d", "DELETE", "Observation/x", "", []string{"Authorization", auth + token}, 403, ""},
		{"RSX-27 TRACE", "TRACE", "Observation/x", "", []string{"Authorization", auth + token}, 405, ""},
		{"B.8 If-None-Match on another's", "GET", "Patient/james", "", []string{"Authorization", auth + token, "If-None-Match", "*"}, 404, ""},
		{"B.8 If-None-Match on the own", "GET", "Patient/maria", "", []string{"Authorization", auth + token, "If-None-Match", `W/"1"`}, 304, ""},
		{"B.10 Range", "GET", "Patient/maria", "", []string{"Authorization", auth + token, "Range", "bytes=0-10"}, 200, "Lopez"},
		{"B.100 dots", "GET", "Observation/../Patient/james", "", []string{"Authorization", auth + token}, 404, ""},
		{"B.100 encoded slash", "GET", "Patient%2Fmaria", "", []string{"Authorization", auth + token}, 404, ""},
		{"B.100 double slash", "GET", "/Patient/maria", "", []string{"Authorization", auth + token}, 404, ""},
		{"B.100 trailing slash", "GET", "Patient/maria/", "", []string{"Authorization", auth + token}, 404, ""},
		{"B.100 another case", "GET", "patient/maria", "", []string{"Authorization", auth + token}, 404, ""},
		{"B.101 method override", "GET", "Patient/maria", "", []string{"Authorization", auth + token, "X-HTTP-Method-Override", "DELETE"}, 200, ""},
		{"RSP-15 contained", "GET", "Patient/maria%23x", "", []string{"Authorization", auth + token}, 404, ""},
		{"RS-22 long query", "GET", "Observation?code=" + strings.Repeat("x", 17<<10), "", []string{"Authorization", auth + token}, 414, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			req, err := http.NewRequest(row.method, env.FHIR+"/"+row.path, strings.NewReader(row.body))
			if err != nil {
				t.Fatal(err)
			}
			if row.method == "POST" {
				req.Header.Set("Content-Type", form)
			}
			for i := 0; i+1 < len(row.header); i += 2 {
				req.Header.Set(row.header[i], row.header[i+1])
			}
			got := env.Send(req)
			if got.Status != row.status || !strings.Contains(got.Raw, row.contains) {
				t.Fatalf("%d %s, want %d with %q", got.Status, got.Raw, row.status, row.contains)
			}
			if got.Status >= 400 && got.Status != 414 && !strings.Contains(got.Raw, `"resourceType":"OperationOutcome"`) {
				t.Errorf("an error that is no OperationOutcome: %s", got.Raw)
			}
			if cc := got.Header.Get("Cache-Control"); !strings.Contains(cc, "no-store") && got.Status != 404 {
				t.Errorf("Cache-Control %q", cc)
			}
			if got.Status == 401 && !strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Bearer ") {
				t.Errorf("challenge %q", got.Header.Get("WWW-Authenticate"))
			}
			if strings.Contains(got.Raw, "Okafor") {
				t.Error("another's name")
			}
		})
	}
	t.Run("B.7 HEAD", func(t *testing.T) {
		for path, want := range map[string]int{"Patient/maria": 200, "Patient/james": 404, "Patient/none": 404, "Coverage/x": 403} {
			req, err := http.NewRequest(http.MethodHead, env.FHIR+"/"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", auth+token)
			if got := env.Send(req); got.Status != want || got.Raw != "" {
				t.Errorf("HEAD %s: %d %q", path, got.Status, got.Raw)
			}
		}
	})
}

// The capability statement is for everybody and tells what is there.
//
// spec: DISC-28, DISC-29, DISC-30, RS-23
// attack: B.94
func TestCapabilityStatement(t *testing.T) {
	env := testenv.Start(t)
	got := env.Get("", "metadata", "Origin", "https://anybody.example.org")
	if got.Status != 200 || got.String("resourceType") != "CapabilityStatement" || !strings.Contains(got.Raw, "SMART-on-FHIR") {
		t.Fatalf("%d %.200s", got.Status, got.Raw)
	}
	for _, want := range []string{env.FHIR + `"`, `"valueUri":"` + env.URL + `/authorize"`, `"valueUri":"` + env.URL + `/token"`, `"code":"search-type"`, "oauth-uris", `{"type":"AuditEvent","interaction":[{"code":"read"},{"code":"search-type"}],"versioning":"no-version"`} {
		if !strings.Contains(got.Raw, want) {
			t.Errorf("no %s", want)
		}
	}
	// A Group is exported by backend services, and nothing else is done with it.
	const group = `{"type":"Group","versioning":"versioned","readHistory":false,"updateCreate":false,"operation":[{"name":"export","definition":"http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export"}]}`
	if !strings.Contains(got.Raw, group) || strings.Count(got.Raw, `"type":"Group"`) != 1 {
		t.Error("Group has more than its export, or not even that")
	}
	for _, closed := range []string{`"type":"Person"`} {
		if strings.Contains(got.Raw, closed) {
			t.Errorf("%s is listed and closed", closed)
		}
	}
	if got := env.Get("", "metadata", "Accept", "application/fhir+xml"); got.Status != 406 {
		t.Errorf("XML: %d", got.Status)
	}
}

// Pages are complete, without gaps or doubles, and a link works for its own grant
// only; totals and links tell nothing of what is hidden.
//
// spec: RSX-18, RSX-20, RS-20, RS-15, RSG-15, RSP-02, RSP-06
// attack: B.12, B.20, B.33, B.46, B.48, B.49, B.50
func TestPages(t *testing.T) {
	env := testenv.Start(t)
	_, a := env.Token("sandbox-native", readAll, "maria", "")
	_, other := env.Token("sandbox-native", readAll, "james", "")
	token := a.String("access_token")
	whole := sees(t, env, token, "Observation?_sort=-date&_count=1000")
	var paged []string
	next := "Observation?_sort=-date&_count=37"
	link := ""
	for next != "" {
		got := env.Get(token, next)
		if got.Status != 200 {
			t.Fatalf("%s: %d %s", next, got.Status, got.Raw)
		}
		entries, _ := got.Body["entry"].([]any)
		for _, e := range entries {
			paged = append(paged, e.(map[string]any)["resource"].(map[string]any)["id"].(string))
		}
		next = ""
		for _, l := range got.Body["link"].([]any) {
			m := l.(map[string]any)
			if !strings.HasPrefix(m["url"].(string), env.FHIR+"/Observation") {
				t.Errorf("link %v", m)
			}
			if m["relation"] == "next" {
				next = strings.TrimPrefix(m["url"].(string), env.FHIR+"/")
				link = next
			}
		}
		if next != "" && len(entries) != 37 {
			t.Errorf("a page of %d", len(entries))
		}
	}
	if strings.Join(paged, " ") != strings.Join(whole, " ") {
		t.Errorf("pages give %d, the whole %d, or another order", len(paged), len(whole))
	}
	if got := env.Get(other.String("access_token"), link); got.Status != 404 {
		t.Errorf("a page link of another grant: %d", got.Status)
	}
	if got := env.Get(token, link+"&patient=james"); got.Status != 400 {
		t.Errorf("a page link with more: %d", got.Status)
	}
	for _, q := range []string{"Observation?_summary=count", "Observation?_count=0", "Observation?_total=accurate&_count=1"} {
		got := env.Get(token, q)
		if n, _ := got.Body["total"].(float64); int(n) != len(whole) {
			t.Errorf("%s: total %v, want %d", q, got.Body["total"], len(whole))
		}
	}
	for _, id := range whole {
		if !strings.HasPrefix(id, "maria-") {
			t.Errorf("%s is not hers", id)
		}
	}
}

// What comes along is judged by its own type's scopes and the same compartment.
//
// spec: RSX-14, RSX-15, RSP-10, RSP-11, RSP-13, RSG-09
// attack: B.42, B.43, B.52
func TestIncludes(t *testing.T) {
	env := testenv.Start(t)
	types := func(token, query string) map[string]int {
		got := env.Get(token, query)
		if got.Status != 200 {
			t.Fatalf("%s: %d %s", query, got.Status, got.Raw)
		}
		n := map[string]int{}
		entries, _ := got.Body["entry"].([]any)
		for _, e := range entries {
			n[e.(map[string]any)["resource"].(map[string]any)["resourceType"].(string)]++
		}
		return n
	}
	_, some := env.Token("sandbox-native", "launch/patient patient/Observation.rs", "maria", "")
	if got := types(some.String("access_token"), "Observation?category=laboratory&_include=Observation:subject&_include=Observation:performer&_count=2"); got["Patient"]+got["Practitioner"] > 0 || got["Observation"] != 2 {
		t.Errorf("includes without a scope: %v", got)
	}
	_, all := env.Token("sandbox-native", readAll, "maria", "")
	token := all.String("access_token")
	if got := types(token, "Observation?category=laboratory&_include=Observation:subject&_include=Observation:performer&_count=2"); got["Patient"] != 1 || got["Practitioner"] != 1 {
		t.Errorf("includes with a scope: %v", got)
	}
	if got := types(token, "Organization?_revinclude=Patient:organization"); got["Patient"] != 1 {
		t.Errorf("from a shared type to records: %v", got)
	}
	if got := types(token, "Patient?_revinclude=Provenance:target"); got["Provenance"] != 1 {
		t.Errorf("provenance: %v", got)
	}
	docs := sees(t, env, token, "DocumentReference?_count=1")
	if got := env.Get(token, "Binary/"+docs[0]); got.Status != 200 || got.Header.Get("Content-Disposition") != "attachment" || got.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the content of an own document: %d %v", got.Status, got.Header)
	}
	// attack: B.14, B.17
	_, james := env.Token("sandbox-native", readAll, "james", "")
	if got := env.Get(james.String("access_token"), "Binary/"+docs[0]); got.Status != 404 {
		t.Errorf("the content of another's document: %d", got.Status)
	}
}
