package catalogue_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// attack: B.60 to B.79
func TestWrites(t *testing.T) { run(t, writes) }

// put is a write, with its status.
func put(as, method, path, body string, status int, header ...string) ask {
	return ask{as: as, method: method, path: path, body: body, status: status, header: header}
}

// observation is one without an id.
func observation(content string) string { return `{"resourceType":"Observation"` + content + `}` }

// unharmed fails when a resource is not as it was in the ward.
func unharmed(refs ...string) func(*testing.T, *side) {
	return func(t *testing.T, s *side) {
		t.Helper()
		for _, text := range refs {
			if got := s.version(t, text); got != 1 {
				t.Errorf("%s has version %d", text, got)
			}
		}
	}
}

// version is the current version of a resource, with the rights of the server.
func (s *side) version(t *testing.T, text string) int64 {
	t.Helper()
	ref, ok := fhir.ParseReference(text, "")
	if !ok {
		t.Fatal(text)
	}
	r, err := s.store.Read(context.Background(), access.System("test", base), ref)
	if err != nil {
		t.Fatal(text, err)
	}
	return r.Version
}

// pathPatch is a FHIRPath Patch of one operation.
func pathPatch(kind, path, value string) string {
	return `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"` + kind + `"},{"name":"path","valueString":"` + path + `"},{"name":"value",` + value + `}]}]}`
}

const patchSubject = `[{"op":"replace","path":"/subject/reference","value":"Patient/bob"}]`

var writes = []row{
	{number: "60", apart: true, asks: []ask{
		put("lab-writer", "POST", "/Observation", observation(category(categories, "vital-signs")+subject("alice")), 403), put("writer", "POST", "/Observation", observation(lab+subject("bob")), 403),
		put("writer", "POST", "/Observation", observation(lab+subject("none")), 403), put("lab-writer", "POST", "/Observation", observation(lab+subject("alice")), 201),
		put("writer", "POST", "/Observation", observation(lab), 403), put("writer", "POST", "/Patient", `{"resourceType":"Patient"}`, 403),
		put("doctor-of-alice", "POST", "/Observation", observation(lab+subject("bob")), 403),
	}},
	{number: "61", apart: true, asks: []ask{
		put("writer", "POST", "/DocumentReference", document("Binary/bob-binary"), 422), put("writer", "POST", "/DocumentReference", document("Binary/none"), 422),
		put("writer", "POST", "/Observation", observation(lab+subject("alice")+ref("encounter", "Encounter/enc-bob")), 422), put("writer", "POST", "/Observation", observation(lab+subject("alice")+ref("encounter", "Encounter/none")), 422),
		put("writer", "POST", "/Observation", observation(lab+subject("alice")+`,"hasMember":[{"reference":"Observation/bob-lab"}]`), 422),
		put("writer", "POST", "/DocumentReference", document("Binary/alice-binary"), 201),
	}, more: func(t *testing.T, s *side) {
		hiddenOne, missing := s.send("writer", "POST", "/DocumentReference", document("Binary/bob-binary"), "Content-Type", fhirJSON), s.send("writer", "POST", "/DocumentReference", document("Binary/none"), "Content-Type", fhirJSON)
		if diff := cmp.Diff(missing, hiddenOne, cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("a hidden target is not as a missing one:\n%s", diff)
		}
	}},
	{number: "62", apart: true, asks: []ask{
		put("writer", "PUT", "/Observation/bob-lab", observation(`,"id":"bob-lab"`+lab+subject("alice")), 404), put("writer", "PUT", "/Observation/alice-lab", observation(`,"id":"alice-lab"`+lab+subject("bob")), 403),
		put("doctor", "PUT", "/Observation/alice-lab", observation(`,"id":"alice-lab"`+lab+subject("bob")), 403),
		put("lab-writer", "PUT", "/Observation/alice-lab", observation(`,"id":"alice-lab"`+category(categories, "vital-signs")+subject("alice")), 403),
	}, more: unharmed("Observation/bob-lab", "Observation/alice-lab")},
	{number: "63", apart: true, asks: []ask{
		put("lab-writer", "PUT", "/Observation/alice-vital", observation(`,"id":"alice-vital"`+lab+subject("alice")), 404), put("writer", "PUT", "/Condition/bob-condition", thing("Condition", "bob-condition", subject("alice")), 404),
	}, more: func(t *testing.T, s *side) {
		unharmed("Observation/alice-vital", "Condition/bob-condition")(t, s)
		var wait sync.WaitGroup
		won := make(chan int, 16)
		for range 16 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				won <- s.send("writer", "PUT", "/Observation/alice-lab", observation(`,"id":"alice-lab"`+lab+subject("alice")), "Content-Type", fhirJSON, "If-Match", `W/"1"`).status
			}()
		}
		wait.Wait()
		close(won)
		counted := map[int]int{}
		for status := range won {
			counted[status]++
		}
		if counted[200] != 1 || counted[412] != 15 {
			t.Errorf("sixteen updates of one version: %v", counted)
		}
	}},
	{number: "64", apart: true, asks: []ask{
		put("writer", "PUT", "/Observation/none", observation(`,"id":"none"`+lab+subject("alice")), 404), put("writer", "PUT", "/Observation/bob-lab", observation(`,"id":"bob-lab"`+lab+subject("alice")), 404),
		put("writer", "PUT", "/Observation/none", observation(`,"id":"none"`+lab+subject("bob")), 404),
	}},
	{number: "65", apart: true, asks: []ask{
		put("writer", "PATCH", "/Observation/alice-lab", patchSubject, 403, "Content-Type", "application/json-patch+json"),
		put("writer", "PATCH", "/Observation/bob-lab", `[{"op":"test","path":"/status","value":"final"}]`, 404, "Content-Type", "application/json-patch+json"),
		put("writer", "PATCH", "/Observation/bob-lab", `[{"op":"test","path":"/status","value":"other"}]`, 404, "Content-Type", "application/json-patch+json"),
		put("creates", "PATCH", "/Observation/alice-lab", `[{"op":"test","path":"/status","value":"final"}]`, 403, "Content-Type", "application/json-patch+json"),
		put("writer", "PATCH", "/Observation/alice-lab", pathPatch("replace", "Observation.subject", `"valueReference":{"reference":"Patient/bob"}`), 403),
		put("writer", "PATCH", "/Observation/bob-lab", pathPatch("replace", "Observation.where(status = 'final').status", `"valueCode":"amended"`), 404),
		put("writer", "PATCH", "/Observation/bob-lab", pathPatch("replace", "Observation.where(status = 'other').status", `"valueCode":"amended"`), 404),
		put("creates", "PATCH", "/Observation/alice-lab", pathPatch("replace", "Observation.where(status = 'final').status", `"valueCode":"amended"`), 403),
	}, more: unharmed("Observation/alice-lab", "Observation/bob-lab")},
	{number: "66", apart: true, asks: []ask{
		put("writer", "DELETE", "/Observation/bob-lab", "", 404), put("writer", "DELETE", "/Observation/none", "", 404), put("lab-writer", "DELETE", "/Observation/alice-vital", "", 404),
		put("writer", "DELETE", "/Observation/alice-vital", "", 204),
	}, more: unharmed("Observation/bob-lab")},
	{number: "67", apart: true, asks: []ask{
		put("writer", "POST", "/Observation", observation(lab+subject("alice")), 201, "If-None-Exist", "_id=bob-lab"), put("writer", "POST", "/Observation", observation(lab+subject("alice")), 201, "If-None-Exist", "_id=none"),
		put("writer", "POST", "/Observation", observation(lab+subject("alice")), 200, "If-None-Exist", "_id=alice-lab"), put("creates", "POST", "/Observation", observation(lab+subject("alice")), 403, "If-None-Exist", "_id=alice-lab"),
		put("writer", "DELETE", "/Observation?_id=bob-lab", "", 404).sameAs("/Observation?_id=non-lab"), put("writer", "DELETE", "/Observation?category=laboratory", "", 412),
		put("writer", "PUT", "/Condition?asserter=Patient/alice", `{"resourceType":"Condition"`+subject("alice")+`}`, 404).sameAs("/Condition?asserter=Patient/nobod"),
	}, more: unharmed("Observation/bob-lab", "Condition/bob-condition")},
	{number: "68", apart: true, asks: []ask{
		put("creates", "POST", "/Observation", observation(lab+subject("alice")), 201, "Prefer", "return=representation"),
	}, more: func(t *testing.T, s *side) {
		if got := s.send("creates", "POST", "/Observation", observation(lab+subject("alice")), "Content-Type", fhirJSON, "Prefer", "return=representation"); got.status == 201 && got.body != "" {
			t.Errorf("a writer who may not read was shown: %s", got.body)
		}
	}},
	{number: "69", apart: true, asks: []ask{put("writer", "POST", "/Observation", observation(lab+subject("alice")), 201)}, more: func(t *testing.T, s *side) {
		got := s.send("writer", "POST", "/Observation", observation(lab+subject("alice")), "Content-Type", fhirJSON)
		if got.status == 201 && !strings.HasPrefix(got.header.Get("Location"), base+"/Observation/") {
			t.Errorf("%d, Location %q", got.status, got.header.Get("Location"))
		}
	}},
	{number: "70", apart: true, asks: []ask{
		put("writer", "DELETE", "/Observation/alice-vital?_cascade=delete", "", 400), put("writer", "DELETE", "/Observation/alice-vital?_expunge=true", "", 400), put("writer", "DELETE", "/Observation/alice-vital?_hardDelete=true", "", 400),
		put("doctor", "DELETE", "/Patient/bob", "", 403, "X-Cascade", "delete"),
	}, more: func(t *testing.T, s *side) {
		unharmed("Observation/alice-vital", "Patient/bob")(t, s)
		s.send("alice", "GET", "/Observation/alice-lab", "", "X-Cascade", "delete", "X-Retry-On-Version-Conflict", "retry", "X-Upsert-Extistence-Check", "disabled", "X-Partition", "x")
		for _, r := range s.asked() {
			for name := range r.Header {
				if strings.HasPrefix(name, "X-") {
					t.Errorf("the upstream was sent %s", name)
				}
			}
		}
	}},
	{number: "71", apart: true, asks: []ask{
		put("writer", "POST", "/Observation", observation(lab+subject("alice")), 400, "X-Provenance", `{"resourceType":"Provenance","target":[{"reference":"Patient/bob"}]}`),
	}},
	{number: "72", apart: true, asks: []ask{
		put("writer", "POST", "/Observation/alice-lab/$meta-add", `{"resourceType":"Parameters"}`, 403), put("writer", "POST", "/Observation/alice-lab/$meta-delete", `{"resourceType":"Parameters"}`, 403),
	}, more: labelsStay},
	{number: "73", apart: true, asks: []ask{
		put("doctor-of-alice", "POST", "/CareTeam", `{"resourceType":"CareTeam","status":"active"`+subject("alice")+`}`, 403), put("doctor-of-alice", "POST", "/Group", `{"resourceType":"Group","type":"person","actual":true}`, 403),
		put("writer", "POST", "/RelatedPerson", `{"resourceType":"RelatedPerson","patient":{"reference":"Patient/alice"}}`, 403), put("writer", "POST", "/Consent", `{"resourceType":"Consent"}`, 403),
		put("doctor-of-alice", "POST", "/Encounter", `{"resourceType":"Encounter","status":"finished","class":{"code":"AMB"}`+subject("alice")+`}`, 403),
		put("doctor-of-alice", "POST", "/PractitionerRole", `{"resourceType":"PractitionerRole"}`, 403),
		put("doctor-of-alice", "PUT", "/Patient/alice", thing("Patient", "alice", `,"generalPractitioner":[{"reference":"Practitioner/p2"}]`), 403),
	}},
	{number: "74", asks: []ask{
		put("writer", "POST", "/SearchParameter", `{"resourceType":"SearchParameter"}`, 403), put("writer", "POST", "/StructureDefinition", `{"resourceType":"StructureDefinition"}`, 403),
		put("doctor", "POST", "/CompartmentDefinition", `{"resourceType":"CompartmentDefinition"}`, 403), put("doctor", "POST", "/OperationDefinition", `{"resourceType":"OperationDefinition"}`, 403),
		put("doctor", "POST", "/ValueSet", `{"resourceType":"ValueSet"}`, 403),
	}},
	{number: "75", asks: []ask{put("doctor", "POST", "/Subscription", `{"resourceType":"Subscription"}`, 403), {as: "doctor", path: "/Subscription", status: 403}, {as: "doctor", path: "/SubscriptionTopic", status: 404}}},
	{number: "76", asks: []ask{
		{path: "/Bundle/bundle", status: 403, like: "/Bundle/none"}, put("doctor", "POST", "/Bundle", `{"resourceType":"Bundle","type":"document"}`, 403),
		{as: "doctor", path: "/Parameters/x", status: 403}, {as: "doctor", path: "/MessageHeader/x", status: 403}, {path: "/Composition/x/$document", status: 403},
	}},
	{number: "77", apart: true, asks: []ask{
		put("writer", "POST", "/Observation", observation(lab+subject("alice")+subject("bob")), 400), put("writer", "POST", "/Observation", observation(lab+ref("Subject", "Patient/alice")+subject("bob")), 400),
		put("writer", "POST", "/Observation", observation(lab+subject("alice")+",\"note\":[{\"text\":\"\xff\"}]"), 400), put("writer", "POST", "/Observation", "\ufeff"+observation(lab+subject("alice")), 400),
		put("writer", "POST", "/Observation", observation(lab+subject("alice")+`,"valueQuantity":{"value":`+strings.Repeat("9", 5000)+`}`), 400),
		put("writer", "PUT", "/Observation/alice-lab", observation(`,"id":"alice-lab"`+lab+subject("alice")+`,"valueQuantity":{"value":1e-99999}`), 400),
	}},
	{number: "78", apart: true, asks: []ask{
		put("writer", "POST", "/Observation", thing("Condition", "x", subject("alice")), 400), put("writer", "PUT", "/Observation/alice-lab", observation(`,"id":"alice-vital"`+lab+subject("alice")), 400),
		put("writer", "PUT", "/Observation/alice-lab", observation(lab+subject("alice")), 400),
	}, more: unharmed("Observation/alice-lab", "Observation/alice-vital")},
	{number: "79", apart: true, more: func(t *testing.T, s *side) {
		seen := map[string]bool{}
		for range 3 {
			got := s.send("writer", "POST", "/Observation", observation(`,"id":"mine"`+lab+subject("alice")), "Content-Type", fhirJSON)
			id, version, _ := strings.Cut(strings.TrimPrefix(got.header.Get("Location"), base+"/Observation/"), "/_history/")
			if len(id) < 20 || version != "1" || seen[id] {
				t.Errorf("%d %s", got.status, got.header.Get("Location"))
			}
			seen[id] = true
		}
	}},
}

// sameAs is an answer like that of another path.
func (a ask) sameAs(path string) ask { a.like = path; return a }

func document(url string) string {
	return `{"resourceType":"DocumentReference","status":"current"` + subject("alice") + `,"content":[{"attachment":{"url":"` + url + `"}}]}`
}

// labelsStay updates what is labelled without its label.
func labelsStay(t *testing.T, s *side) {
	const label = `{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}`
	load(t, s.store, thing("Observation", "labelled", `,"meta":{"security":[`+label+`]}`+lab+subject("alice")))
	got := s.send("writer", "PUT", "/Observation/labelled", observation(`,"id":"labelled"`+lab+subject("alice")+`,"note":[{"text":"x"}]`), "Content-Type", fhirJSON)
	r, err := s.store.Read(context.Background(), access.System("test", base), fhir.Reference{Type: "Observation", ID: "labelled"})
	if text := fmt.Sprintf("%s", r.Resource.JSON()); err != nil || got.status != 200 || !strings.Contains(text, `"code":"R"`) || !strings.Contains(text, `"text":"x"`) {
		t.Errorf("%d, stored: %s, %v", got.status, text, err)
	}
}
