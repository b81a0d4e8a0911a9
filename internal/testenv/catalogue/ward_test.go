package catalogue_test

import (
	"fmt"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/smart"
)

// secret stands in everything that Alice's tokens do not reach.
const secret = "SECRET-OF-BOB"

const (
	categories = "http://terminology.hl7.org/CodeSystem/observation-category"
	laboratory = "?category=" + categories + "|laboratory"
)

// bearers are the callers.
func bearers(base string) tokens {
	m := tokens{}
	patient := func(token, id string, scopes ...string) {
		m[token] = access.Facts{ClientID: "app", UserID: "u-" + id, HasUser: true, Reach: search.NewIDSet(id), Patient: id,
			FHIRUser: fhir.Reference{Type: "Patient", ID: id}, Scopes: smart.NewScopeSet(scopes), Base: base}
	}
	patient("alice", "alice", "patient/*.rs")
	patient("bob", "bob", "patient/*.rs")
	patient("writer", "alice", "patient/*.cruds")
	patient("patient-only", "alice", "patient/Patient.r")
	patient("reads", "alice", "patient/Observation.r")
	patient("creates", "alice", "patient/Observation.c")
	patient("lab", "alice", "patient/Observation.rs"+laboratory)
	patient("any-lab", "alice", "patient/Observation.rs?category=laboratory")
	patient("lab-writer", "alice", "patient/Observation.cruds"+laboratory)
	patient("reports", "alice", "patient/DiagnosticReport.rs")
	for n, scope := range []string{"patient/Observation.rs?", "patient/Observation.sr", "patient/Observation.rs?category:in=x", "patient/Nothing.rs", "patient/observation.rs", "patient/*.rs?category=x", "patient/Observation.rs?category=x&subject:Patient.name=y", "patient/Observation.rs#"} {
		patient(fmt.Sprint("malformed-", n), "alice", scope)
	}
	patient("no-patient", "", "patient/*.cruds")
	user := func(token, scope string, reach ...string) {
		m[token] = access.Facts{ClientID: "app", UserID: "doctor", HasUser: true, Reach: search.NewIDSet(reach...),
			FHIRUser: fhir.Reference{Type: "Practitioner", ID: "p1"}, Scopes: smart.NewScopeSet([]string{scope}), Base: base}
	}
	user("doctor", "user/*.cruds", "alice", "bob")
	user("doctor-of-alice", "user/*.cruds", "alice")
	m["no-user"] = access.Facts{ClientID: "app", Scopes: smart.NewScopeSet([]string{"user/*.cruds"}), Base: base}
	m["no-records"] = access.Facts{ClientID: "service", Scopes: smart.NewScopeSet([]string{"system/*.cruds"}), Base: base}
	m["service-of-alice"] = access.Facts{ClientID: "service", Scopes: smart.NewScopeSet([]string{"system/*.rs"}), Own: access.Own{Patients: search.NewIDSet("alice")}, Base: base}
	return m
}

// thing is a resource of a type; what Alice does not reach is marked by hidden.
func thing(kind, id, more string) string {
	return `{"resourceType":"` + kind + `","id":"` + id + `"` + more + `}`
}

func hidden(kind, id, more string) string {
	return thing(kind, id, `,"meta":{"tag":[{"system":"urn:tag","code":"`+secret+`"}]}`+more)
}

func ref(name, to string) string { return `,"` + name + `":{"reference":"` + to + `"}` }

func subject(id string) string { return ref("subject", "Patient/"+id) }

const coded = `,"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2339-0"}]}`

func category(system, code string) string {
	return coded + `,"category":[{"coding":[{"system":"` + system + `","code":"` + code + `"}]}]`
}

// lab is the content of a laboratory result.
var lab = category(categories, "laboratory")

// ward is Alice's record and Bob's, with what leads from one to the other.
func ward() []string {
	const agent = `,"recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"reference":"Practitioner/p1"}}]`
	const document = `,"status":"current"`
	attach := func(urls ...string) string {
		return `,"content":[{"attachment":{"contentType":"text/plain","url":"` + strings.Join(urls, `"}},{"attachment":{"contentType":"text/plain","url":"`) + `"}}]`
	}
	text := `,"contentType":"text/plain"`
	return []string{
		thing("Practitioner", "p1", `,"name":[{"family":"Garcia"}]`), thing("Organization", "o1", `,"name":"Clinic"`), thing("Medication", "m1", `,"code":{"text":"pill"}`),
		thing("Patient", "alice", `,"identifier":[{"system":"urn:mrn","value":"A"}],"name":[{"family":"Trap","given":["Alice"]}],"gender":"female","birthDate":"1980-01-02"`+ref("managingOrganization", "Organization/o1")+`,"link":[{"other":{"reference":"Patient/alice2"},"type":"seealso"}]`),
		hidden("Patient", "bob", `,"identifier":[{"system":"urn:mrn","value":"B"}],"name":[{"family":"Trap","given":["Bob"]}],"gender":"male","birthDate":"1970-01-02"`+ref("managingOrganization", "Organization/o1")+`,"link":[{"other":{"reference":"Patient/alice"},"type":"seealso"}]`),
		hidden("Patient", "carol", `,"name":[{"family":"Trap","given":["Carol"]}]`), hidden("Patient", "alice2", `,"name":[{"family":"Trap"}]`),
		thing("Encounter", "enc-alice", `,"status":"finished","class":{"code":"AMB"}`+subject("alice")), hidden("Encounter", "enc-bob", `,"status":"finished","class":{"code":"AMB"}`+subject("bob")),
		thing("Observation", "alice-lab", lab+subject("alice")+`,"effectiveDateTime":"2026-01-05","valueQuantity":{"value":99}`),
		thing("Observation", "alice-vital", category(categories, "vital-signs")+subject("alice")+`,"effectiveDateTime":"2026-01-07"`),
		thing("Observation", "alice-other-system", category("http://example.org/cs", "laboratory")+subject("alice")),
		thing("Observation", "alice-no-category", coded+subject("alice")),
		thing("Observation", "alice-versioned", lab+ref("subject", "Patient/alice/_history/1")),
		thing("Observation", "alice-member-bob", lab+subject("alice")+`,"hasMember":[{"reference":"Observation/bob-lab"}],"performer":[{"reference":"Patient/bob"}]`),
		hidden("Observation", "bob-lab", lab+subject("bob")+`,"effectiveDateTime":"2026-01-06","performer":[{"reference":"Patient/alice"}],"focus":[{"reference":"Patient/alice"}],"hasMember":[{"reference":"Observation/alice-lab"}]`),
		hidden("Observation", "contained-patient", lab+`,"contained":[{"resourceType":"Patient","id":"alice"}]`+ref("subject", "#alice")),
		hidden("Observation", "absolute-foreign", lab+ref("subject", "https://other.example.org/fhir/Patient/alice")),
		hidden("Observation", "identifier-only", lab+`,"subject":{"identifier":{"system":"urn:mrn","value":"A"}}`),
		hidden("Observation", "display-only", lab+`,"subject":{"display":"Alice Trap"}`),
		hidden("Observation", "prefix-id", lab+subject("alice2")), hidden("Observation", "of-group", lab+ref("subject", "Group/group")+`,"performer":[{"reference":"Patient/alice"}]`),
		hidden("Observation", "moved", lab+subject("bob")), thing("Observation", "moved", lab+subject("alice")),
		thing("DiagnosticReport", "report", coded+subject("alice")+`,"result":[{"reference":"Observation/bob-lab"},{"reference":"Observation/alice-lab"}]`),
		hidden("DiagnosticReport", "bob-report", coded+subject("bob")+`,"result":[{"reference":"Observation/alice-lab"}]`),
		thing("Condition", "alice-condition", subject("alice")), hidden("Condition", "bob-condition", subject("bob")+ref("asserter", "Patient/alice")),
		thing("Coverage", "alice-coverage", `,"status":"active","payor":[{"reference":"Organization/o1"}]`+ref("beneficiary", "Patient/alice")+ref("subscriber", "Patient/alice")),
		hidden("Coverage", "bob-coverage", `,"status":"active","payor":[{"reference":"Organization/o1"}]`+ref("beneficiary", "Patient/bob")+ref("subscriber", "Patient/alice")),
		thing("MedicationRequest", "alice-request", `,"status":"active","intent":"order"`+ref("medicationReference", "Medication/m1")+subject("alice")),
		hidden("MedicationRequest", "bob-request", `,"status":"active","intent":"order"`+ref("medicationReference", "Medication/m1")+subject("bob")),
		hidden("Appointment", "both", `,"status":"booked","participant":[{"actor":{"reference":"Patient/alice"},"status":"accepted"},{"actor":{"reference":"Patient/bob"},"status":"accepted"}]`),
		thing("Provenance", "of-alice", `,"target":[{"reference":"Observation/alice-lab"}]`+agent),
		hidden("Provenance", "of-both", `,"target":[{"reference":"Observation/alice-lab"},{"reference":"Observation/bob-lab"}]`+agent),
		thing("DocumentReference", "alice-document", document+subject("alice")+attach("Binary/alice-binary", "Binary/alice-attached")),
		hidden("DocumentReference", "bob-document", document+subject("bob")+attach("Binary/bob-binary", "Binary/bob-attached")),
		thing("DocumentReference", "conflict", document+subject("alice")+attach("Binary/conflict")),
		thing("DocumentReference", "elsewhere", document+subject("alice")+attach("http://internal.example.invalid/latest")),
		thing("Binary", "alice-binary", text+`,"data":"YWxpY2U="`+ref("securityContext", "DocumentReference/alice-document")),
		thing("Binary", "alice-attached", text+`,"data":"YWxpY2U="`),
		hidden("Binary", "bob-binary", text+`,"data":"Ym9i"`+ref("securityContext", "DocumentReference/bob-document")), hidden("Binary", "bob-attached", text+`,"data":"Ym9i"`),
		hidden("Binary", "orphan", text+`,"data":"b3JwaGFu"`), hidden("Binary", "conflict", text+`,"data":"Ym9i"`+ref("securityContext", "DocumentReference/bob-document")),
		hidden("Group", "group", `,"type":"person","actual":true,"member":[{"entity":{"reference":"Patient/alice"}},{"entity":{"reference":"Patient/bob"}}]`),
		hidden("List", "no-subject", `,"status":"current","mode":"working","entry":[{"item":{"reference":"Patient/alice"}},{"item":{"reference":"Patient/bob"}}]`),
		thing("List", "alice-list", `,"status":"current","mode":"working","entry":[{"item":{"reference":"Observation/bob-lab"}},{"item":{"reference":"Observation/alice-lab"}}]`+subject("alice")),
		hidden("Bundle", "bundle", `,"type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"bob"}}]`),
		hidden("Person", "person", `,"link":[{"target":{"reference":"Patient/alice"}}]`),
		hidden("AuditEvent", "event", `,"type":{"code":"rest"},"recorded":"2026-01-05T09:00:00Z","agent":[{"who":{"reference":"Patient/alice"},"requestor":true}],"source":{"observer":{"reference":"Organization/o1"}},"entity":[{"what":{"reference":"Patient/bob"}}]`),
	}
}

// observations are those of Alice's record.
var observations = []string{"Observation/alice-lab", "Observation/alice-member-bob", "Observation/alice-no-category", "Observation/alice-other-system",
	"Observation/alice-versioned", "Observation/alice-vital", "Observation/moved"}
