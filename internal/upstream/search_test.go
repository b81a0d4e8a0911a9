package upstream_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/upstream"
)

// What cannot be verified, or what the upstream cannot be asked, is refused with a
// sentence that says what to do, and nothing is asked.
//
// spec: RSX-16, RSX-17, RSX-19, RSX-27
// attack: B.25, B.26, B.29, B.32, B.35, B.36, B.37, B.38, B.40, B.41, B.51, B.53, B.85, B.86, B.87, B.88, B.89, B.90, B.93, GW-07, GW-09
func TestWhatTheGatewayRefuses(t *testing.T) {
	asked := 0
	up := scripted(t, func(http.ResponseWriter, *http.Request) { asked++ })
	door := doorBefore(t, newGate(t, up.URL+"/fhir"))
	for path, want := range map[string]string{
		"/Observation?patient:missing=true": "400 not-supported", "/Observation?patient:identifier=x": "400 not-supported", "/Patient?_id:missing=true": "400 not-supported", "/Observation?subject:missing=false": "400 not-supported",
		"/Observation?performer:Patient.name=x": "400 not-supported", "/Observation?subject:Patient.organization.name=x": "400 not-supported", "/Observation?subject:Group.identifier=x": "403 forbidden", "/Patient?link:Patient.name=x": "400 not-supported", "/Observation?has-member.subject=Patient/bob": "400 not-supported",
		"/Patient?_has:Observation:patient:code=x": "400 not-supported", "/Observation?_list=x": "400 not-supported", "/Observation?subject:identifier=x": "400 not-supported", "/Observation?_source:below=http://x/y": "400 not-supported",
		"/Observation?_revinclude=Observation:*": "400 not-supported", "/Observation?_filter=x": "400 not-supported", "/Observation?_query=x": "400 not-supported", "/Observation?_contained=true": "400 not-supported",
		"/Observation?_content=x": "400 not-supported", "/Observation?_text=x": "400 not-supported", "/Observation?PATIENT=bob": "400 not-supported", "/Observation?_getpages=x": "400 not-supported", "/Observation?_offset=1": "400 not-supported", "/Observation?ct=x": "400 not-supported",
		"/Observation?status=final": "400 not-supported", "/Observation?_sort=status": "400 not-supported", "/Coverage": "400 not-supported", "/Provenance": "400 not-supported", "/Provenance?target=x": "400 not-supported", "/Binary": "400 not-supported", "/Observation?_include:iterate=Observation:subject": "400 not-supported", "/Observation?_include=*": "400 not-supported",
		"/Patient?_revinclude=Coverage:beneficiary": "400 not-supported",
		"/?_type=Observation":                       "403 not-supported", "/Patient/alice/$everything?_type=Coverage": "400 not-supported", "/Patient/alice/$everything?_type=Binary": "400 not-supported", "/Patient/alice/$everything?_type=Group": "400 invalid", "/$graphql": "403 forbidden", "/Patient/$match": "403 forbidden", "/$export": "403 forbidden", "/Observation/$lastn": "403 forbidden", "/Observation/$validate": "403 forbidden",
		"/Group": "403 forbidden", "/Group/g": "403 forbidden", "/Patient/alice/*": "404 not-found", "/Observation?_format=xml": "406 not-supported",
	} {
		got := get(door, "alice", path)
		var o struct {
			Issue []struct{ Code, Diagnostics string }
		}
		if err := json.Unmarshal(got.Body.Bytes(), &o); err != nil || len(o.Issue) != 1 {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
			continue
		}
		if text := strconv.Itoa(got.Code) + " " + o.Issue[0].Code; text != want || len(o.Issue[0].Diagnostics) < 20 {
			t.Errorf("%s: %s %q, want %s", path, text, o.Issue[0].Diagnostics, want)
		}
	}
	if asked != 0 {
		t.Errorf("the upstream was asked %d times", asked)
	}
}

// pages is an upstream that answers a search with these pages, whatever is asked.
func pages(t *testing.T, list ...[]string) string {
	t.Helper()
	var address string
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		next := ""
		if n+1 < len(list) {
			next = fmt.Sprintf(`"link":[{"relation":"next","url":"%s/fhir/Observation?page=%d"}],`, address, n+1)
		}
		var entries []string
		for _, e := range list[n] {
			entries = append(entries, `{"resource":`+e+`}`)
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = io.WriteString(w, `{"resourceType":"Bundle","type":"searchset",`+next+`"entry":[`+strings.Join(entries, ",")+`]}`)
	})
	address = up.URL
	return up.URL + "/fhir"
}

func lab(id, patient string) string {
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + patient + `"}}`
}

// Pages are full but the last, however the hidden ones lie between: gaps would tell
// that they are there. A page of the upstream that holds too much is gone on with.
//
// attack: B.48
func TestPagesAreFull(t *testing.T) {
	url := pages(t,
		[]string{lab("b1", "bob"), lab("a1", "alice"), lab("b2", "bob")}, []string{lab("b3", "bob")}, nil,
		[]string{lab("a2", "alice"), lab("a3", "alice"), lab("a4", "alice"), lab("b4", "bob")}, []string{lab("a5", "alice"), lab("b5", "bob")}, []string{lab("b6", "bob")})
	g := newGate(t, url)
	q := parsed(t, patientToken("alice"), "Observation", "_count=2")
	var got [][]string
	for {
		page, err := g.Search(t.Context(), decide(patientToken("alice"), "Observation"), q)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(page.Matches))
		if page.HasTotal {
			t.Errorf("a total of %d", page.Total)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
		if len(q.Cursor) > upstream.MaxPosition(q) {
			t.Errorf("a position of %d bytes", len(q.Cursor))
		}
	}
	want := [][]string{{"Observation/a1", "Observation/a2"}, {"Observation/a3", "Observation/a4"}, {"Observation/a5"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, want %v", got, want)
	}
}

// An upstream without an end holds nobody up: an answer is filled from a few pages,
// and may be continued.
//
// attack: B.56
func TestAnUpstreamWithoutAnEnd(t *testing.T) {
	var address string
	calls := 0
	up := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.Header().Set("Content-Type", "application/fhir+json")
		_, _ = fmt.Fprintf(w, `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"next","url":"%s/fhir/Observation?page=%d"}],"entry":[{"resource":%s}]}`, address, calls, lab("b1", "bob"))
	})
	address = up.URL
	g := newGate(t, up.URL+"/fhir")
	page, err := find(t, g, patientToken("alice"), "Observation", "")
	if err != nil || len(page.Matches) != 0 || page.HasTotal || page.Next == "" || calls != 20 {
		t.Errorf("%v, %d calls: %+v", err, calls, page)
	}
	if _, err := find(t, g, patientToken("alice"), "Observation", "_summary=count"); !refusal(err) {
		t.Errorf("counting: %v", err)
	}
	if _, err := find(t, g, patientToken("alice"), "Patient", "_revinclude=Observation:subject"); err != nil {
		t.Error(err) // no match, so nothing comes along
	}
}

// More patients than one request names are asked for in portions, and every page of
// every portion is there once.
func TestManyPatientsInPortions(t *testing.T) {
	var everybody, all []string
	for i := range 450 {
		id := fmt.Sprintf("p%03d", i)
		everybody = append(everybody, id)
		all = append(all, `{"resourceType":"Patient","id":"`+id+`","active":true}`, lab("o"+id, id))
	}
	up := newHonest(t, of(append(all, lab("other", "stranger"))...))
	g := newGate(t, up.base)
	who := userToken(everybody...)
	for _, c := range []struct {
		kind  fhir.ResourceType
		query string
		want  int
	}{{"Observation", "_count=70", 450}, {"Observation", "_count=1000", 450}, {"Patient", "_count=200", 450}, {"Observation", "patient=p001,p444,stranger&_sort=-date", 2}} {
		q := parsed(t, who, c.kind, c.query)
		seen := map[string]bool{}
		for {
			page, err := g.Search(t.Context(), decide(who, c.kind), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids(page.Matches) {
				if seen[id] {
					t.Errorf("%s twice", id)
				}
				seen[id] = true
			}
			if page.Next != "" && len(page.Matches) != q.Count {
				t.Errorf("%s?%s: a page of %d", c.kind, c.query, len(page.Matches))
			}
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		if len(seen) != c.want {
			t.Errorf("%s?%s: %d, want %d", c.kind, c.query, len(seen), c.want)
		}
	}
	if page, err := find(t, g, who, "Observation", "_summary=count"); err != nil || page.Total != 450 {
		t.Errorf("counted %d, %v", page.Total, err)
	}
	if _, err := find(t, g, who, "Observation", "_sort=-date"); !refusal(err) {
		t.Errorf("sorting across portions: %v", err)
	}
}

// A position that nobody made here, and a page that the upstream has forgotten, are no
// positions.
//
// attack: B.50
func TestPositions(t *testing.T) {
	g := newGate(t, newHonest(t, of(alices[0], alices[1])).base)
	for _, cursor := range []string{"x", "e30x", "eyJsIjoiL09ic2VydmF0aW9uP19wYWdlPW5vbmUifQ", "eyJzIjotMX0"} {
		q := parsed(t, patientToken("alice"), "Observation", "")
		q.Cursor = cursor
		if _, err := g.Search(t.Context(), decide(patientToken("alice"), "Observation"), q); !errors.Is(err, fhirstore.ErrPosition) {
			t.Errorf("%s: %v", cursor, err)
		}
	}
}

// URLs of the upstream are ours where they are URLs of resources; what only looks
// alike, and every other byte, stays. References with its name are local ones.
//
// spec: RS-15, RS-20
// attack: B.104
func TestBasesAreRewritten(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a reference", `"performer":[{"reference":"UP/Practitioner/p1"}]`, `"performer":[{"reference":"OUR/Practitioner/p1"}]`},
		{"escaped", `"performer":[ {"reference" : "UPX\/Practitioner\/p1"} ]`, `"performer":[ {"reference" : "OUR/Practitioner/p1"} ]`},
		{"another name", `"performer":[{"reference":"https://public.example.org/r4/Practitioner/p1"}]`, `"performer":[{"reference":"OUR/Practitioner/p1"}]`},
		{"a longer path", `"performer":[{"reference":"UPx/Practitioner/p1"}]`, ""}, {"another host", `"performer":[{"reference":"https://up.example.org/Practitioner/p1"}]`, ""},
		{"no resource", `"performer":[{"reference":"UP/admin/secret"}]`, ""}, {"text", `"note":[{"text":"see UP/Patient/alice"}]`, ""}, {"a system", `"code":{"coding":[{"system":"UP/Patient/alice"}]}`, ""},
		{"an extension", `"extension":[{"url":"UP/StructureDefinition/x","valueString":"1.50"}]`, ""},
		{"a reference in an extension", `"extension":[{"url":"UP/StructureDefinition/x","valueReference":{"reference":"UP/Patient/alice"}}]`, `"extension":[{"url":"UP/StructureDefinition/x","valueReference":{"reference":"OUR/Patient/alice"}}]`},
		{"an attachment", `"valueAttachment":{"url":"UP/Binary/x"}`, `"valueAttachment":{"url":"OUR/Binary/x"}`}, {"contained", `"contained":[{"resourceType":"ValueSet","url":"UP/ValueSet/x","id":"v"}]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := ""
			up := scripted(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/fhir+json")
				_, _ = io.WriteString(w, body)
			})
			named := strings.NewReplacer("UPX", strings.ReplaceAll(up.URL+"/fhir", "/", `\/`), "UP", up.URL+"/fhir", "OUR", base)
			whole := `{"resourceType":"Observation","id":"a1","subject":{"reference":"OURX/Patient/alice"}, "valueQuantity":{"value":1.50},` + "\n" + `%s }`
			body = named.Replace(fmt.Sprintf(strings.ReplaceAll(whole, "OURX", "UP"), c.in))
			want := c.want
			if want == "" {
				want = c.in
			}
			want = named.Replace(fmt.Sprintf(strings.ReplaceAll(whole, "OURX", "OUR"), want))
			g := newGate(t, up.URL+"/fhir", func(c *upstream.Config) { c.AlsoKnownAs = []string{"https://public.example.org/r4"} })
			got, err := read(g, patientToken("alice"), fhir.Reference{Type: "Observation", ID: "a1"})
			if err != nil || string(got.Resource.JSON()) != want {
				t.Errorf("%v\n%s\nwant\n%s", err, got.Resource.JSON(), want)
			}
		})
	}
}

// Versions are named as the upstream names them; one that it does not name has a name
// all the same, and nothing says when it was changed.
//
// spec: RSX-21, RSG-10
// attack: B.4, B.7, B.8
func TestVersions(t *testing.T) {
	version := func(id, patient, meta string) string {
		return `{"resourceType":"Observation","id":"` + id + `",` + meta + `"status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + patient + `"}}`
	}
	answers := map[string]string{
		"/fhir/Observation/a1":              version("a1", "alice", `"meta":{"versionId":"MTcx-x","lastUpdated":"2026-01-02T03:04:05Z"},`),
		"/fhir/Observation/a1/_history/1":   version("a1", "bob", `"meta":{"versionId":"1"},`),
		"/fhir/Observation/a1/_history/2":   version("a1", "alice", `"meta":{"versionId":"2"},`),
		"/fhir/Observation/a1/_history/3":   version("a1", "alice", `"meta":{"versionId":"2"},`),
		"/fhir/Observation/plain":           version("plain", "alice", ""),
		"/fhir/Observation/b1":              version("b1", "bob", `"meta":{"versionId":"1"},`),
		"/fhir/Observation/b1/_history/0.1": version("b1", "alice", `"meta":{"versionId":"0.1"},`),
	}
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.Path]
		w.Header().Set("Content-Type", "application/fhir+json")
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, text)
	})
	door := doorBefore(t, newGate(t, up.URL+"/fhir"))
	for path, want := range map[string]int{
		"/Observation/a1": 200, "/Observation/a1/_history/MTcx-x": 200, "/Observation/a1/_history/1": 404, "/Observation/a1/_history/2": 200, "/Observation/a1/_history/3": 404,
		"/Observation/a1/_history/9": 404, "/Observation/plain": 200, "/Observation/b1": 404, "/Observation/b1/_history/0.1": 404,
	} {
		if got := get(door, "alice", path); got.Code != want {
			t.Errorf("%s: %d %s, want %d", path, got.Code, got.Body, want)
		}
	}
	named := get(door, "alice", "/Observation/a1")
	if named.Header().Get("ETag") != `W/"MTcx-x"` || named.Header().Get("Last-Modified") != "Fri, 02 Jan 2026 03:04:05 GMT" {
		t.Error(named.Header())
	}
	if got := get(door, "alice", "/Observation/a1", "If-None-Match", `W/"MTcx-x"`); got.Code != http.StatusNotModified {
		t.Errorf("the same version: %d", got.Code)
	}
	if got := get(door, "alice", "/Observation/b1", "If-None-Match", "*"); got.Code != http.StatusNotFound {
		t.Errorf("a hidden one: %d", got.Code)
	}
	plain := get(door, "alice", "/Observation/plain", "If-Modified-Since", "Fri, 02 Jan 2026 03:04:05 GMT")
	if plain.Code != http.StatusOK || plain.Header().Get("Last-Modified") != "" || len(plain.Header().Get("ETag")) < 20 {
		t.Error(plain.Code, plain.Header())
	}
}

// A server of another release, or without a CapabilityStatement, is not asked anything
// else.
//
// spec: RSG-11
// attack: B.34
func TestStatements(t *testing.T) {
	for name, text := range map[string]string{
		"R5": `{"resourceType":"CapabilityStatement","fhirVersion":"5.0.0"}`, "no version": `{"resourceType":"CapabilityStatement"}`,
		"something else": alices[0], "no JSON": "x", "R40": `{"resourceType":"CapabilityStatement","fhirVersion":"40.0"}`,
	} {
		asked := 0
		g := newGate(t, stating(t, text, func(http.ResponseWriter, *http.Request) { asked++ }).URL+"/fhir")
		var failed *fhirstore.Failure
		if err := g.Check(t.Context()); !errors.As(err, &failed) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := find(t, g, patientToken("alice"), "Observation", ""); !errors.As(err, &failed) || asked != 0 {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
	}
}

// The query itself is verified on content as well: for an app, and for the server,
// which asks who reaches whom and must not be told everybody.
//
// spec: RSG-11, RSP-07
// attack: B.34
func TestAnUpstreamThatIgnoresTheQuery(t *testing.T) {
	g := newGate(t, pages(t, []string{lab("a1", "alice"), strings.Replace(lab("a2", "alice"), `"subject"`, `"category":[{"coding":[{"system":"http://x","code":"lab"}]}],"subject"`, 1)}))
	page, err := find(t, g, patientToken("alice"), "Observation", "category=lab")
	if err != nil || !slices.Equal(ids(page.Matches), []string{"Observation/a2"}) {
		t.Errorf("%v %v", ids(page.Matches), err)
	}
	g = newGate(t, pages(t, []string{
		`{"resourceType":"Patient","id":"mine","generalPractitioner":[{"reference":"Practitioner/me"}]}`, `{"resourceType":"Patient","id":"theirs","generalPractitioner":[{"reference":"Practitioner/other"}]}`,
	}))
	q := parsed(t, patientToken("alice"), "Patient", "general-practitioner=Practitioner/me")
	page, err = g.Search(t.Context(), access.System("test", base), q)
	if err != nil || !slices.Equal(ids(page.Matches), []string{"Patient/mine"}) || g.seen.droppedAs("hidden") != 1 {
		t.Errorf("%v %v %v", ids(page.Matches), err, g.seen.dropped)
	}
}
