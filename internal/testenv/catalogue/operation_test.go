package catalogue_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// attack: B.80 to B.94
func TestBundlesAndOperations(t *testing.T) { run(t, operations) }

// bundled is a Bundle of requests; its entries are JSON.
func bundled(kind string, entries ...string) string {
	return `{"resourceType":"Bundle","type":"` + kind + `","entry":[` + strings.Join(entries, ",") + `]}`
}

func entry(method, url string) string {
	return `{"request":{"method":"` + method + `","url":"` + url + `"}}`
}

func making(kind, content, more string) string {
	return `{"resource":{"resourceType":"` + kind + `"` + content + `},"request":{"method":"POST","url":"` + kind + `"}` + more + `}`
}

// post is a transaction, which the gateway does not offer: what was made elsewhere cannot
// be taken back.
func post(as, body string, status int) ask {
	return ask{as: as, method: http.MethodPost, path: "", body: body, status: status, gateway: http.StatusNotImplemented, silent: true}
}

// operation is one that is not offered, with its refusal.
func operation(as, method, path string, status int) ask {
	body := ""
	if method == http.MethodPost {
		body = `{"resourceType":"Parameters"}`
	}
	return ask{as: as, method: method, path: path, body: body, status: status, silent: true}
}

func operationsOf(as string, paths ...string) []ask {
	var list []ask
	for _, p := range paths {
		list = append(list, operation(as, http.MethodGet, p, 403), operation(as, http.MethodPost, p, 403))
	}
	return list
}

var operations = []row{
	{number: "80", apart: true, asks: []ask{{as: "lab", method: "POST", body: bundled("batch", entry("GET", "Observation/bob-lab")), status: 200}}, more: func(t *testing.T, s *side) {
		urls := []string{"Observation/alice-lab", "Observation/bob-lab", "Observation/none", "Observation?patient=bob", "Patient/bob/Observation", "Group/group", "Observation?_include=Observation:has-member", "Observation/moved/_history/1"}
		var entries []string
		for _, u := range urls {
			entries = append(entries, entry("GET", u))
		}
		got := s.send("alice", "POST", "", bundled("batch", entries...), "Content-Type", fhirJSON)
		s.keeps(t, "a batch", "alice", got)
		for i, e := range got.bundle(t).Entry {
			alone := s.send("alice", "GET", "/"+urls[i], "")
			if status, _, _ := strings.Cut(e.Response.Status, " "); status != map[int]string{200: "200", 403: "403", 404: "404"}[alone.status] {
				t.Errorf("%s: %s in a batch, %d alone", urls[i], e.Response.Status, alone.status)
			}
		}
		got = s.send("writer", "POST", "", bundled("batch", making("Observation", lab+subject("alice"), ""), making("Observation", lab+subject("bob"), ""), entry("DELETE", "Observation/bob-lab"), entry("DELETE", "Observation/alice-vital")), "Content-Type", fhirJSON)
		s.keeps(t, "a batch of writes", "writer", got)
		for i, want := range []string{"201", "403", "404", "204"} {
			if e := got.bundle(t).Entry[i]; e.Response.Status != want || want == "201" && !strings.HasPrefix(e.Response.Location, base+"/Observation/") {
				t.Errorf("write %d of a batch: %+v, want %s", i, e.Response, want)
			}
		}
		unharmed("Observation/bob-lab")(t, s)
	}},
	{number: "81", apart: true, asks: []ask{
		post("writer", bundled("transaction", making("Observation", lab+subject("alice"), ""), making("Observation", lab+subject("bob"), "")), 403),
		post("writer", bundled("transaction", making("Observation", lab+subject("alice"), ""), entry("DELETE", "Observation/bob-lab")), 404),
	}, more: func(t *testing.T, s *side) {
		s.check(t, ask{path: "/Observation", status: 200, found: observations}) // nothing was written
		if s.gateway() {
			return
		}
		refused := func(id string) answer {
			return s.send("writer", "POST", "", bundled("transaction", making("Observation", lab+subject("alice"), ""), entry("DELETE", "Observation/"+id)), "Content-Type", fhirJSON)
		}
		if diff := cmp.Diff(refused("non-lab").body, strings.ReplaceAll(refused("bob-lab").body, "bob-lab", "non-lab")); diff != "" {
			t.Errorf("hidden and missing differ:\n%s", diff)
		}
		unharmed("Observation/bob-lab")(t, s)
	}},
	{number: "82", asks: []ask{
		post("writer", bundled("transaction", entry("GET", "http://internal.example.invalid/x")), 400), post("writer", bundled("transaction", entry("GET", "//internal.example.invalid/x")), 400),
	}, more: func(t *testing.T, s *side) {
		got := s.send("writer", "POST", "", bundled("batch", entry("GET", "http://x/y"), entry("GET", "//x/y"), entry("GET", "Observation/../Patient/bob"), entry("GET", "$export"), entry("POST", "/"), entry("GET", "Observation/%2e%2e/x")), "Content-Type", fhirJSON)
		s.keeps(t, "a batch that leads elsewhere", "writer", got)
		for i, e := range got.bundle(t).Entry {
			if strings.HasPrefix(e.Response.Status, "2") {
				t.Errorf("entry %d: %s", i, e.Response.Status)
			}
		}
	}},
	{number: "83", apart: true, asks: []ask{
		post("writer", bundled("transaction", making("Observation", lab+subject("alice")+ref("encounter", "Encounter?patient=bob"), "")), 422), post("writer", bundled("transaction", making("Observation", lab+subject("alice")+ref("encounter", "Encounter?_id=none"), "")), 422),
		post("writer", bundled("transaction", making("Observation", lab+subject("alice")+ref("encounter", "Encounter?_id=enc-alice"), "")), 200),
	}},
	{number: "84", apart: true, asks: []ask{
		post("writer", bundled("transaction", making("Observation", lab+subject("alice"), `,"fullUrl":"urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9"`), making("Condition", subject("alice"), `,"fullUrl":"urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9"`)), 400),
		post("writer", bundled("transaction", `{"resource":`+observation(`,"id":"alice-lab"`+lab+subject("alice"))+`,"request":{"method":"PUT","url":"Observation/alice-lab","ifMatch":"W/\"7\""}}`), 412),
	}, more: unharmed("Observation/alice-lab")},
	{number: "85", asks: []ask{
		{as: "patient-only", path: "/Patient/alice/$everything", status: 200, found: []string{"Patient/alice"}}, {path: "/Patient/bob/$everything", status: 404, like: "/Patient/non/$everything"},
		{path: "/Patient/$everything", status: 403}, {path: "/Encounter/enc-alice/$everything", status: 403},
	}, more: func(t *testing.T, s *side) {
		got := s.send("alice", "GET", "/Patient/alice/$everything?_count=200", "")
		s.keeps(t, "everything", "alice", got)
		if n := len(got.bundle(t).ids()); n < len(observations)+5 {
			t.Errorf("%d resources of a whole record", n)
		}
		for _, id := range got.bundle(t).ids() {
			if kind, _, _ := strings.Cut(id, "/"); kind == "Group" || kind == "AuditEvent" || kind == "Bundle" || kind == "Person" {
				t.Errorf("%s is in it", id)
			}
		}
	}},
	{number: "86", asks: append(operationsOf("writer", "/$export", "/Patient/$export", "/Group/group/$export"), operation("doctor", "GET", "/$export", 403), operation("doctor", "GET", "/Patient/$export", 403),
		operation("writer", "GET", "/export/none", 404), operation("doctor", "DELETE", "/export/none", 404))},
	{number: "87", asks: operationsOf("writer", "/$graphql", "/Patient/alice/$graphql")},
	{number: "88", asks: append(operationsOf("writer", "/Patient/$match", "/Patient/$member-match", "/Patient/$lookup"), operationsOf("doctor", "/Patient/$match")...)},
	{number: "89", asks: operationsOf("writer", "/DocumentReference/$docref", "/Observation/$lastn", "/Observation/$stats", "/List/$find", "/Composition/x/$document", "/Patient/alice/$summary")},
	{number: "90", asks: append(operationsOf("writer", "/ValueSet/$expand", "/$convert", "/StructureMap/$transform", "/ConceptMap/$translate", "/CodeSystem/$lookup"),
		ask{as: "writer", method: "POST", path: "/Observation/$validate?profile=http://internal.example.invalid/p", body: observation(lab + subject("alice")), status: 400, silent: true})},
	{number: "91", asks: []ask{
		{path: "/Patient/alice2", status: 404, like: "/Patient/none"}, {path: "/Patient?_id=alice,alice2,bob", status: 200, found: []string{"Patient/alice"}}, {path: "/Patient/bob", status: 404}, {path: "/Patient/carol", status: 404},
		operation("writer", "POST", "/Patient/$merge", 403),
	}},
	{number: "92", asks: []ask{
		{path: "/Group/group", status: 403, like: "/Group/none"}, {path: "/Person/person", status: 403, like: "/Person/none"}, {path: "/AuditEvent/event", status: 403, like: "/AuditEvent/none"}, {path: "/Linkage/x", status: 403},
		{path: "/List/no-subject", status: 404, like: "/List/none"}, {path: "/List/alice-list", status: 200}, {path: "/Group", status: 403}, {path: "/List", status: 200, found: []string{"List/alice-list"}},
	}},
	{number: "93", asks: operationsOf("writer", "/$reindex", "/Observation/alice-lab/$purge-history", "/$bulk-delete", "/$import", "/$process-message", "/$versions", "/Observation/$anything", "/$anything")},
	{number: "94", asks: []ask{{path: "/metadata", status: 200, lacks: []string{"HAPI"}}, {path: "/.well-known/openid-configuration", status: 404}}, more: func(t *testing.T, s *side) {
		got := s.send("", http.MethodOptions, "/", "")
		s.keeps(t, "OPTIONS", "alice", got)
		if got.status == 200 && got.body != "" {
			t.Errorf("OPTIONS: %s", got.body)
		}
	}},
}
