package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

const (
	constrained = "launch/patient openid offline_access patient/Patient.r patient/Observation.rs?category=laboratory"
	inside      = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
)

// care is all that the records say about whether the doctor cares for the patient.
type care struct{ patient, role, team, group string }

// What the records may say; each is one way to the patient, or was one.
var (
	named      = care{patient: "Practitioner/doc"}
	asRole     = care{patient: "PractitionerRole/docs", role: `,"active":true,"period":{"start":"2001"}`}
	inTeam     = care{team: `,"participant":[{"member":{"reference":"Practitioner/doc"},"period":{"start":"2001-01-01"}}]`}
	inGroup    = care{group: `,"member":[{"entity":{"reference":"Patient/zoe"},"inactive":false}]`}
	nobody     = care{}
	formerRole = care{patient: "PractitionerRole/docs", role: `,"active":false`}
	formerTeam = care{team: `,"participant":[{"member":{"reference":"Practitioner/doc"},"period":{"end":"2001-01-01"}}]`}
	formerGone = care{group: `,"member":[{"entity":{"reference":"Patient/zoe"},"inactive":true}]`}
)

// load makes the records say so; whom the doctor reaches is not remembered any more.
func (c *counted) load(r care) {
	c.t.Helper()
	practitioner := ""
	if r.patient != "" {
		practitioner = fmt.Sprintf(`,"generalPractitioner":[{"reference":%q}]`, r.patient)
	}
	lines := strings.Join([]string{
		`{"resourceType":"Patient","id":"zoe","name":[{"family":"Winter","given":["Zoe"]}],"birthDate":"1990-01-01"` + practitioner + `}`,
		`{"resourceType":"PractitionerRole","id":"docs","practitioner":{"reference":"Practitioner/doc"}` + r.role + `}`,
		`{"resourceType":"CareTeam","id":"team","status":"active","subject":{"reference":"Patient/zoe"}` + r.team + `}`,
		`{"resourceType":"Group","id":"panel","type":"person","actual":true,"managingEntity":{"reference":"Practitioner/doc"}` + r.group + `}`,
	}, "\n")
	if a := c.Admin(http.MethodPost, "/data?name=all.ndjson", lines); a.Status != http.StatusOK {
		c.t.Fatalf("loading: %d %s", a.Status, a.Raw)
	}
}

// clinicianCode is a code of the doctor for the patient.
func (c *counted) clinicianCode() code {
	c.t.Helper()
	c.load(named)
	return c.codeOf("doc", "launch/patient user/*.rs openid offline_access")
}

// clinician is a family of the doctor's.
func (c *counted) clinician() testenv.Answer {
	c.t.Helper()
	got := c.clinicianCode()
	return c.basic.Exchange(got.Request, got.text)
}

// codeOf is a code of somebody else than the patient.
func (c *counted) codeOf(username, scope string) code {
	c.t.Helper()
	c.browser = c.Browser()
	got := c.code(c.basic, scope, username)
	c.browser = c.Browser()
	return got
}

// stand makes the representative stand for the patient until then.
func (c *counted) stand(until time.Time) {
	c.t.Helper()
	s := storesql.New(c.db)
	u, err := s.UserByName(c.t.Context(), "rep")
	must(c.t, err)
	u.Represents = []store.Representation{{Patient: "ben"}, {Patient: "zoe", Until: until}}
	must(c.t, s.PutUser(c.t.Context(), u))
}
