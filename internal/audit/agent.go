package audit

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// agents are the app, this server, and the person behind the token, with the token by
// its id alone (BALP: minimal; AUD-06).
func (t Teller) agents(a trail.Entry, p pattern) []agent {
	client := agent{Type: typed(p.client), Who: reference{Display: "not known"}, Network: t.address(a)}
	if a.Client != "" {
		client.Who = t.client(a.Client)
	}
	client.Requestor = a.User == ""
	if a.Kind == trail.TokenIssued && a.TokenID != "" && t.Patient == "" {
		client.Policy = []string{jti + a.TokenID}
	}
	server := agent{Type: typed(p.server), Who: reference{Display: t.Base}, Network: &network{t.Base, "5"}}
	if discloses(a) { // the source is who records (BALP: val-audit-source)
		server.Who = observed().Observer
	}
	all := []agent{client, server}
	if a.User != "" {
		all = append(all, agent{Type: typed(p.user), Who: t.user(a), Requestor: true})
	}
	switch {
	case a.Kind == trail.CodeIssued:
		all = append(all, agent{Type: typed(provider), Who: reference{Display: t.organisation()}})
	case a.Kind == trail.FHIR && a.TokenID != "" && t.Patient == "":
		all = append(all, agent{Type: typed(byToken), Who: t.holder(a), Requestor: true, Policy: []string{jti + a.TokenID}})
	}
	return all
}

func (t Teller) organisation() string {
	if t.Organisation == "" {
		return "not named"
	}
	return t.Organisation
}

// address is where the request came from. Patients are not told where those who treat
// them are.
func (t Teller) address(a trail.Entry) *network {
	if a.Address == "" || t.Patient != "" {
		return nil
	}
	return &network{a.Address, "2"}
}

// user is the person behind the token. A patient is told of patients and of those who
// stand for them; of people at work, that they are.
func (t Teller) user(a trail.Entry) reference {
	if t.Patient != "" && !Stands(a) {
		return reference{Type: string(a.FHIRUser.Type), Display: "somebody who treats the patient"}
	}
	if a.FHIRUser.ID != "" {
		return reference{Reference: a.FHIRUser.String()}
	}
	return identified(a.User)
}

// Stands reports whether the person behind an access is a patient, or somebody who
// stands for one.
func Stands(a trail.Entry) bool {
	return a.FHIRUser.Type == "Patient" || a.FHIRUser.Type == "RelatedPerson"
}

// holder is whose token it is: of a person, or of the app itself.
func (t Teller) holder(a trail.Entry) reference {
	if a.User != "" {
		return t.user(a)
	}
	return identified(a.Client)
}

// touched are whose record it was, what was asked for, and the request.
func (t Teller) touched(a trail.Entry, patient string) []element {
	var all []element
	if patient != "" && (a.Kind == trail.FHIR || a.Kind == trail.CodeIssued) {
		all = append(all, reached(about(patient), a, patient))
	}
	switch {
	case a.Kind == trail.CodeIssued:
		consent := identified(a.Grant)
		return append(all, element{What: &consent, Type: consentType})
	case a.Kind == trail.LoginBlocked:
	case a.Kind != trail.FHIR: // the request without what is secret in it
		return append(all, element{Type: systemObject, Role: &queryRole, Query: []byte(t.tokenRequest(a))})
	case a.Target.ID == "" && a.Code != "create" || isQuery(a.Code):
		all = append(all, element{Type: systemObject, Role: &queryRole, Query: []byte(t.query(a)), SecurityLabel: labels(a, patient)})
	default:
		what := t.target(a)
		all = append(all, element{What: &what, Type: systemObject, Role: &dataRole, SecurityLabel: labels(a, patient)})
	}
	if a.Request != "" { // AUD-12
		what := identified(a.Request)
		all = append(all, element{What: &what, Type: requestID})
	}
	return all
}

// reached says why the user reaches the patient.
func reached(e element, a trail.Entry, patient string) element {
	for _, way := range a.Why(patient) {
		e.Detail = append(e.Detail, detail{reachedBy, way})
	}
	return e
}

// labels say which categories of sensitive content were seen of a patient (BALP:
// entity.securityLabel).
func labels(a trail.Entry, patient string) []coding {
	var list []coding
	for _, name := range a.Sensitive[patient] {
		list = append(list, coding{System: sensitive.System, Code: name})
	}
	return list
}

// target is what was asked for. Of what was refused a patient is told the type: it may
// be somebody else's.
func (t Teller) target(a trail.Entry) reference {
	own := a.Target.Type == "Patient" && a.Target.ID == t.Patient
	switch {
	case a.Target.ID == "":
		return reference{Type: string(a.Target.Type), Display: "none was made"}
	case t.Patient != "" && !own && a.Status >= 400:
		return reference{Type: string(a.Target.Type), Display: "not told"}
	}
	return reference{Reference: a.Target.String()}
}

func isQuery(code string) bool { return patternOf(code).action == "E" }

// query is what was asked for, as it was sent (AUD-05). A patient is told of which
// type: what somebody looked for may be about others.
func (t Teller) query(a trail.Entry) string {
	path := string(a.Target.Type)
	if t.Patient != "" {
		return path + "?"
	}
	if a.Target.ID != "" {
		path = a.Target.String()
	}
	if a.Within.ID != "" {
		path = a.Within.String() + "/" + path
	}
	if strings.HasPrefix(a.Code, "$") {
		path += "/" + a.Code
	}
	if a.Query == "" {
		return path + "?"
	}
	return path + "?" + a.Query
}

// tokenRequest is a token request without everything that is secret or once only.
func (t Teller) tokenRequest(a trail.Entry) string {
	q := url.Values{"grant_type": {a.Code}}
	if t.Patient == "" && a.Client != "" {
		q.Set("client_id", a.Client)
	}
	return q.Encode()
}

// profileOf names the BALP profile that a successful access fulfils.
func profileOf(p pattern, a trail.Entry, patient string) string {
	switch {
	case p.profile == "" || a.Status >= 300 && a.Status != 304 || a.Address == "":
		return ""
	case a.Kind == trail.CodeIssued && (patient == "" || a.User == ""):
		return ""
	}
	with := ""
	if patient != "" {
		with = "Patient"
	}
	return strings.Replace(p.profile, "*", with, 1)
}

// describe says why, and of strangers who were counted only, how many.
func describe(a trail.Entry) string {
	if a.More > 0 {
		return a.Reason + " " + strconv.Itoa(a.More)
	}
	return a.Reason
}
