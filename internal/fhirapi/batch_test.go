package fhirapi_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// asked is one entry of a Bundle of requests.
type asked struct {
	FullURL  string          `json:"fullUrl,omitempty"`
	Resource json.RawMessage `json:"resource,omitempty"`
	Request  asking          `json:"request"`
}

type asking struct {
	Method      string `json:"method"`
	URL         string `json:"url"`
	IfMatch     string `json:"ifMatch,omitempty"`
	IfNoneExist string `json:"ifNoneExist,omitempty"`
	IfNoneMatch string `json:"ifNoneMatch,omitempty"`
}

func bundleOf(t testing.TB, kind string, entries ...asked) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"resourceType": "Bundle", "type": kind, "entry": append([]asked{}, entries...)})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// told is one entry of the answer.
type told struct {
	Resource json.RawMessage
	Response struct {
		Status, Location, ETag, LastModified string
		Outcome                              json.RawMessage
	}
}

func (s *site) bundle(t testing.TB, token, body string, header ...string) (answer, []told) {
	t.Helper()
	got := s.put(t, token, http.MethodPost, "", body, header...)
	var b struct {
		ResourceType, Type string
		Entry              []told
	}
	if err := json.Unmarshal([]byte(got.body), &b); err != nil || got.status == 200 && !strings.HasSuffix(b.Type, "-response") {
		t.Fatal(err, got.body)
	}
	return got, b.Entry
}

func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

var varies = regexp.MustCompile(`[a-z2-7]{26}|\d{4}-\d\d-\d\dT[\d:.]+Z`)

var batches = flag.Int("batches", 8, "how many random batches a token sends; as many as -rapid.checks at most")

// A batch is the list of its requests: whatever they are, the answers are the same
// and so is what is stored.
//
// spec: RSG-09, RSB-01, RSB-05
// attack: B.80
func TestBatchIsTheListOfItsRequests(t *testing.T) {
	known := tokens{"alice": patient("alice", "patient/*.cruds"), "lab": patient("alice", laboratory, "patient/Condition.cud"),
		"doctor": clinician([]string{"user/*.cruds"}, "alice", "bob")}
	bodies := []string{"", lab("alice", ""), lab("bob", ""), withID("a-lab", lab("alice", `,"note":[{"text":"x"}]`)), withID("a-lab", lab("bob", "")),
		withID("b-lab", lab("alice", "")), `{"resourceType":"Condition","subject":{"reference":"Patient/alice"}}`, `{"resourceType":"Observation","colour":1}`,
		lab("alice", `,"hasMember":[{"reference":"Observation/b-lab"}]`), `{"resourceType":"Patient"}`}
	urls := []string{"Observation", "Observation/a-lab", "Observation/b-lab", "Observation/none", "Condition", "Patient/alice", "Observation?category=survey", "Observation?_id=a-two",
		"Patient/alice/Observation", "Observation/moved/_history/1", "Observation/moved/_history", "_history?_count=200", "Group", "$export", "Observation/_search", "nothing", "Observation?bad=1"}
	for rounds, token := range []string{"alice", "lab", "doctor"} {
		t.Run(token, func(t *testing.T) {
			dir := 0
			rapid.Check(t, func(rt *rapid.T) {
				dir++
				if dir > *batches {
					return // a store each: enough
				}
				one, two := newSite(t, openStore(t, ward()), known), newSite(t, openStore(t, ward()), known)
				var entries []asked
				for range rapid.IntRange(1, 6).Draw(rt, "entries") {
					entries = append(entries, asked{Resource: raw(rapid.SampledFrom(bodies).Draw(rt, "body")), Request: asking{
						Method: rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"}).Draw(rt, "method"), URL: rapid.SampledFrom(urls).Draw(rt, "url"),
						IfMatch: rapid.SampledFrom([]string{"", "", `W/"1"`, `W/"2"`, "x"}).Draw(rt, "ifMatch"), IfNoneExist: rapid.SampledFrom([]string{"", "", "", "category=survey", "_id=a-two"}).Draw(rt, "ifNoneExist"),
					}})
				}
				_, answers := one.bundle(t, token, bundleOf(t, "batch", entries...))
				for n, e := range entries {
					alone := two.alone(t, token, e)
					there := fmt.Sprint(answers[n].Response.Status, " ", answers[n].Response.ETag, " ", string(answers[n].Resource), string(answers[n].Response.Outcome))
					here := fmt.Sprint(alone.status, " ", alone.header.Get("ETag"), " ", strings.TrimSpace(alone.body))
					if diff := cmp.Diff(sortedEntries(here), sortedEntries(there)); diff != "" {
						rt.Fatalf("%+v (-alone +batch):\n%s", e, diff)
					}
				}
				if diff := cmp.Diff(two.inNoOrder(t), one.inNoOrder(t)); diff != "" {
					rt.Fatalf("%d: what is stored (-alone +batch):\n%s", rounds, diff)
				}
			})
		})
	}
}

// beginnings are where an entry or an answer begins, so that no part holds the
// beginning of the answer that follows.
var beginnings = regexp.MustCompile(`\{"fullUrl"|\{"resourceType":"Bundle"`)

// sortedEntries are the parts of an answer: what was made up sorts as it likes.
func sortedEntries(body string) []string {
	parts := beginnings.Split(varies.ReplaceAllString(body, "…"), -1)
	for i := range parts {
		parts[i] = strings.TrimRight(parts[i], ",]}")
	}
	slices.Sort(parts)
	return parts
}

// inNoOrder is everything, without what is made up and in no order.
func (s *site) inNoOrder(t testing.TB) []string { return sortedEntries(s.everything(t)) }

// alone makes the request of an entry by itself.
func (s *site) alone(t testing.TB, token string, e asked) answer {
	t.Helper()
	var header []string
	if e.Resource != nil {
		header = append(header, "Content-Type", fhirJSON)
	}
	for name, value := range map[string]string{"If-Match": e.Request.IfMatch, "If-None-Exist": e.Request.IfNoneExist} {
		if value != "" {
			header = append(header, name, value)
		}
	}
	return s.send(t, token, e.Request.Method, "/"+e.Request.URL, string(e.Resource), header...)
}

// All or nothing: names, conditions and references between entries; one refusal is
// that of the whole, and tells nothing of what is hidden.
//
// spec: RSX-04, RSX-25, RSB-02, RSB-03, RSB-04
// attack: B.61, B.81, B.82, B.83, B.84
func TestTransaction(t *testing.T) {
	const urn = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
	known := tokens{"alice": patient("alice", "patient/*.cruds"), "c": patient("alice", "patient/Observation.c"), "doctor": clinician([]string{"user/*.cruds"}, "alice", "bob")}
	member := func(ref string) json.RawMessage { return raw(lab("alice", `,"hasMember":[{"reference":"`+ref+`"}]`)) }
	post := func(kind, body string) asked {
		return asked{Resource: raw(body), Request: asking{Method: "POST", URL: kind}}
	}
	named := asked{FullURL: urn, Resource: raw(lab("alice", "")), Request: asking{Method: "POST", URL: "Observation"}}
	provenance := post("Provenance", `{"resourceType":"Provenance","recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"display":"x"}}],"target":[{"reference":"`+urn+`"}]}`)
	for _, row := range []struct {
		name, token string
		entries     []asked
		status      int
		says        string
	}{
		{"nothing", "alice", nil, 200, ""},
		{"a reference to what comes before", "alice", []asked{named, {Resource: member(urn), Request: asking{Method: "POST", URL: "Observation"}}}, 200, ""},
		{"a reference to what comes behind", "alice", []asked{{Resource: member(urn), Request: asking{Method: "POST", URL: "Observation"}}, named}, 200, ""},
		{"a Provenance before its target", "alice", []asked{provenance, named}, 200, ""},
		{"a reference without a scope to read it", "c", []asked{named, {Resource: member(urn), Request: asking{Method: "POST", URL: "Observation"}}}, 200, ""},
		{"a file and what attaches it", "alice", []asked{
			{FullURL: urn, Resource: raw(`{"resourceType":"Binary","contentType":"text/plain","securityContext":{"reference":"Patient/alice"}}`), Request: asking{Method: "POST", URL: "Binary"}},
			post("DocumentReference", `{"resourceType":"DocumentReference","status":"current","subject":{"reference":"Patient/alice"},"content":[{"attachment":{"url":"`+urn+`"}}]}`)}, 200, ""},
		{"update and delete", "alice", []asked{{Request: asking{Method: "DELETE", URL: "Observation/a-none"}},
			{Resource: raw(withID("a-lab", lab("alice", `,"note":[{"text":"x"}]`))), Request: asking{Method: "PUT", URL: "Observation/a-lab", IfMatch: `W/"1"`}}}, 200, ""},
		{"a reference by criteria", "alice", []asked{{Resource: member("Observation?_id=a-two"), Request: asking{Method: "POST", URL: "Observation"}}}, 200, ""},
		{"a creation that is needless, and a reference to what is there", "alice", []asked{
			{FullURL: urn, Resource: raw(lab("alice", "")), Request: asking{Method: "POST", URL: "Observation", IfNoneExist: "_id=a-two"}},
			{Resource: member(urn), Request: asking{Method: "POST", URL: "Observation"}}}, 200, ""},
		{"B.81 one refusal", "alice", []asked{named, post("Observation", lab("bob", ""))}, 403, "Bundle.entry[1]"},
		{"B.81 one gate that is shut", "alice", []asked{named, post("CareTeam", `{"resourceType":"CareTeam"}`)}, 403, "Bundle.entry[1]"},
		{"B.81 one that is hidden", "alice", []asked{named, {Resource: raw(withID("b-lab", lab("alice", ""))), Request: asking{Method: "PUT", URL: "Observation/b-lab"}}}, 404, "Bundle.entry[1]"},
		{"B.81 one that is bad", "alice", []asked{named, post("Observation", `{"resourceType":"Observation"}`)}, 400, "Bundle.entry[1].Observation.status"},
		{"B.81 a version that is not current", "alice", []asked{named, {Request: asking{Method: "DELETE", URL: "Observation/a-lab", IfMatch: `W/"5"`}}}, 412, "Bundle.entry[1]"},
		{"B.83 criteria that find none", "alice", []asked{{Resource: member("Observation?_id=none"), Request: asking{Method: "POST", URL: "Observation"}}}, 422, "Bundle.entry[0]"},
		{"B.83 criteria that find another's", "alice", []asked{{Resource: member("Observation?_id=b-lab"), Request: asking{Method: "POST", URL: "Observation"}}}, 422, "Bundle.entry[0]"},
		{"B.83 criteria that find several", "alice", []asked{{Resource: member("Observation?category=laboratory"), Request: asking{Method: "POST", URL: "Observation"}}}, 422, "Bundle.entry[0]"},
		{"B.83 criteria without s", "c", []asked{{Resource: member("Observation?_id=a-two"), Request: asking{Method: "POST", URL: "Observation"}}}, 403, "search-type"},
		{"a reference to what is deleted beside it", "alice", []asked{{Resource: member("Observation/a-two"), Request: asking{Method: "POST", URL: "Observation"}}, {Request: asking{Method: "DELETE", URL: "Observation/a-two"}}}, 422, "Bundle.entry[0]"},
		{"a name that no entry has", "alice", []asked{{Resource: member(urn), Request: asking{Method: "POST", URL: "Observation"}}}, 400, "fullUrl"},
		{"B.84 a name twice", "alice", []asked{named, named}, 400, "once"},
		{"the same resource twice", "alice", []asked{{Request: asking{Method: "DELETE", URL: "Observation/a-two"}}, {Request: asking{Method: "DELETE", URL: "Observation/a-two"}}}, 400, "once"},
		{"a patch by paths", "alice", []asked{named, {Resource: raw(notes("x")), Request: asking{Method: "PATCH", URL: "Observation/a-lab", IfMatch: `W/"1"`}}}, 200, ""},
		{"a JSON Patch, with a reference to what is made", "alice", []asked{{Resource: carried(`[{"op":"add","path":"/hasMember","value":[{"reference":"` + urn + `"}]}]`), Request: asking{Method: "PATCH", URL: "Observation/a-lab"}}, named}, 200, ""},
		{"B.65 a patch of what is hidden", "alice", []asked{named, {Resource: raw(notes("x")), Request: asking{Method: "PATCH", URL: "Observation/b-lab"}}}, 404, "Bundle.entry[1]"},
		{"B.81 a patch that does not apply", "alice", []asked{named, {Resource: carried(`[{"op":"test","path":"/status","value":"amended"}]`), Request: asking{Method: "PATCH", URL: "Observation/a-lab"}}}, 422, "Bundle.entry[1]"},
		{"a patch that brings criteria", "alice", []asked{{Resource: carried(`[{"op":"add","path":"/hasMember","value":[{"reference":"Observation?_id=a-two"}]}]`), Request: asking{Method: "PATCH", URL: "Observation/a-lab"}}}, 400, "Bundle.entry[0]"},
		{"a patch in another Binary", "alice", []asked{{Resource: raw(`{"resourceType":"Binary","contentType":"text/plain","data":"W10="}`), Request: asking{Method: "PATCH", URL: "Observation/a-lab"}}}, 400, "Binary.contentType"},
		{"a patch that is not in base64", "alice", []asked{{Resource: raw(`{"resourceType":"Binary","contentType":"application/json-patch+json","data":"W10"}`), Request: asking{Method: "PATCH", URL: "Observation/a-lab"}}}, 400, "Binary.data"},
		{"the same resource twice, once patched", "alice", []asked{{Resource: raw(notes("x")), Request: asking{Method: "PATCH", URL: "Observation/a-two"}}, {Request: asking{Method: "DELETE", URL: "Observation/a-two"}}}, 400, "once"},
		{"a read", "alice", []asked{{Request: asking{Method: "GET", URL: "Observation/a-two"}}}, 400, "batch"},
		{"B.82 an absolute URL", "alice", []asked{{Request: asking{Method: "DELETE", URL: "http://x/Observation/a-two"}}}, 400, "relative"},
		{"B.82 a host", "alice", []asked{{Request: asking{Method: "DELETE", URL: "//x/Observation/a-two"}}}, 400, "relative"},
		{"B.82 a path from the root", "alice", []asked{{Request: asking{Method: "DELETE", URL: "/Observation/a-two"}}}, 400, "relative"},
		{"B.82 upwards", "alice", []asked{{Request: asking{Method: "DELETE", URL: "../fhir/Observation/a-two"}}}, 400, "relative"},
		{"B.82 a Bundle in a Bundle", "alice", []asked{post("", bundleOf(t, "batch"))}, 400, "relative"},
		{"B.82 an operation", "alice", []asked{{Request: asking{Method: "POST", URL: "Patient/alice/$everything"}}}, 403, "Bundle.entry[0]"},
		{"no method", "alice", []asked{{Request: asking{URL: "Observation/a-two"}}}, 400, "relative"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newSite(t, openStore(t, ward()), known)
			before := s.everything(t)
			got, answers := s.bundle(t, row.token, bundleOf(t, "transaction", row.entries...))
			if got.status != row.status || !strings.Contains(got.body, row.says) || row.status == 200 && len(answers) != len(row.entries) {
				t.Errorf("%d %s, want %d with %q", got.status, got.body, row.status, row.says)
			}
			if strings.Contains(got.body, urn) {
				t.Errorf("a name is left: %s", got.body)
			}
			if after := s.everything(t); row.status != 200 && before != after {
				t.Errorf("something is written:\n%s", cmp.Diff(before, after))
			}
			for n, a := range answers {
				if !strings.HasPrefix(a.Response.Status, "2") || a.Response.ETag == "" || a.Response.LastModified == "" || row.entries[n].Request.Method == "POST" && a.Response.Location == "" {
					t.Errorf("entry %d: %+v", n, a.Response)
				}
			}
		})
	}
}

// notes is a FHIRPath Patch that adds a note.
func notes(text string) string {
	return `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},{"name":"path","valueString":"Observation"},
		{"name":"name","valueString":"note"},{"name":"value","valueAnnotation":{"text":"` + text + `"}}]}]}`
}

// carried is a JSON Patch in a Binary.
func carried(steps string) json.RawMessage {
	return raw(`{"resourceType":"Binary","contentType":"application/json-patch+json","data":"` + base64.StdEncoding.EncodeToString([]byte(steps)) + `"}`)
}

// What is no Bundle of requests.
func TestBadBundles(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.cruds")})
	many := make([]asked, 101)
	for i := range many {
		many[i].Request = asking{Method: "GET", URL: "Patient/alice"}
	}
	for _, row := range []struct {
		name, body string
		status     int
	}{
		{"too many entries", bundleOf(t, "batch", many...), 413},
		{"another type", bundleOf(t, "collection"), 400},
		{"another resource", `{"resourceType":"Patient"}`, 400},
		{"no JSON", `{`, 400},
		{"an element that nobody knows", `{"resourceType":"Bundle","type":"batch","entries":[]}`, 400},
		{"an element in another case", `{"resourceType":"Bundle","type":"batch","Entry":[]}`, 400},
		{"a name twice", `{"resourceType":"Bundle","type":"batch","type":"transaction"}`, 400},
		{"entries that are no list", `{"resourceType":"Bundle","type":"batch","entry":{}}`, 400},
	} {
		if got := s.put(t, "alice", "POST", "", row.body); got.status != row.status || !strings.Contains(got.body, "OperationOutcome") {
			t.Errorf("%s: %d %s", row.name, got.status, got.body)
		}
	}
	if got := s.put(t, "", "POST", "", bundleOf(t, "batch")); got.status != 401 {
		t.Errorf("no token: %d", got.status)
	}
	if got, answers := s.bundle(t, "alice", bundleOf(t, "batch", asked{Request: asking{Method: "GET", URL: "Patient/alice"}}), "Prefer", "return=minimal"); len(answers) != 1 || answers[0].Resource == nil {
		t.Errorf("%s", got.body)
	}
}
