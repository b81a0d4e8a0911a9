package audit

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

var teller = Teller{Base: "https://ehr.example.org/fhir", Organisation: "Riverside Clinic", ClientName: func(id string) string { return "Name of " + id }}

var maria = trail.Who{Client: "app", Grant: "g1", User: "u1", FHIRUser: fhir.Reference{Type: "Patient", ID: "maria"}, TokenID: "jti-1", Address: "192.0.2.7"}

func access(code, target, query string, status int, patients ...string) trail.Entry {
	ref, ok := fhir.ParseReference(target, "")
	if !ok {
		ref = fhir.Reference{Type: fhir.ResourceType(target)}
	}
	return trail.Entry{At: time.Date(2026, 11, 26, 14, 3, 4, 5e6, time.UTC), Who: maria, Code: code, Target: ref, Query: query, Status: status, Reason: "scope.patient", Request: "req-1", Patients: patients}
}

// said is an AuditEvent as a reader has it.
type said struct {
	Meta struct{ Profile []string }
	Type struct{ System, Code string }

	Subtype                                []struct{ System, Code string }
	Action, Outcome, OutcomeDesc, Recorded string
	Agent                                  []saidAgent
	Entity                                 []saidEntity
	raw                                    string
}

type saidAgent struct {
	Type struct {
		Coding []struct{ System, Code string }
	}
	Who       map[string]any
	Requestor bool
	Policy    []string
	Network   *struct{ Address, Type string }
	Media     any
}

type saidEntity struct {
	What       map[string]any
	Type, Role struct{ System, Code string }
	Query      string

	SecurityLabel []struct{ System, Code string }
}

// say expands a sheet of one entry and checks each event against R4's definition.
func say(t *testing.T, told Teller, list ...trail.Entry) (all []said) {
	t.Helper()
	sheets := written(t, list...)
	events, err := told.All(store.KeptEvent{Seq: 9, Event: store.Event{Kind: store.KindSheet, Outcome: "ok"}, Body: sheets[0].Body})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		all = append(all, checked(t, e))
	}
	return all
}

func checked(t *testing.T, e AuditEvent) (s said) {
	t.Helper()
	raw, err := e.JSON()
	if err != nil {
		t.Fatal(err)
	}
	resource, err := fhir.ParseResource(raw)
	if err != nil {
		t.Fatal(err, string(raw))
	}
	if findings := structure.Check(resource); len(findings) > 0 {
		t.Errorf("%v\n%s", findings, raw)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	s.raw = string(raw)
	return s
}

// decoded is the query.
func (s said) decoded() (text string) {
	for _, e := range s.Entity {
		raw, _ := base64.StdEncoding.DecodeString(e.Query)
		text += string(raw)
	}
	return text
}

// with are the agents of a type.
func (s said) with(system, code string) (list []saidAgent) {
	for _, a := range s.Agent {
		for _, c := range a.Type.Coding {
			if c.Code == code && strings.HasSuffix(c.System, system) {
				list = append(list, a)
			}
		}
	}
	return list
}

// in are the entities of a type and role.
func (s said) in(kind, role string) (list []saidEntity) {
	for _, e := range s.Entity {
		if e.Type.Code == kind && (role == "" || e.Role.Code == role) {
			list = append(list, e)
		}
	}
	return list
}

// The patterns of BALP: type, subtype, action, and each slice of agents and entities with
// its cardinality, as the profiles fix them. anyone stands for what both variants have.
//
// spec: AUD-03, AUD-04, AUD-05, AUD-06, AUD-12
func TestAccessesFollowBALP(t *testing.T) {
	const participation, dicom = "v3-ParticipationType", "DCM"
	for _, row := range []struct {
		access                       trail.Entry
		profile, subtype, action     string
		client, server, serverSystem string
		user                         string // its participation
		query                        string // decoded; empty: the profile has data
	}{
		{access("read", "Observation/1", "", 200, "maria"), "PatientRead", "read", "R", "110152", "110153", dicom, "IRCP", ""},
		{access("read", "Practitioner/1", "", 200), "Read", "read", "R", "110152", "110153", dicom, "IRCP", ""},
		{access("read", "Observation/1", "", 304, "maria"), "PatientRead", "read", "R", "110152", "110153", dicom, "IRCP", ""},
		{access("vread", "Observation/1/_history/2", "", 200, "maria"), "PatientRead", "vread", "R", "110152", "110153", dicom, "IRCP", ""},
		{access("search-type", "Observation", "code=x%7Cy&patient=maria", 200, "maria"), "PatientQuery", "search-type", "E", "110153", "110152", dicom, "IRCP", "Observation?code=x%7Cy&patient=maria"},
		{access("search-type", "Practitioner", "", 200), "Query", "search-type", "E", "110153", "110152", dicom, "IRCP", "Practitioner?"},
		{access("create", "Observation/7/_history/1", "", 201, "maria"), "PatientCreate", "create", "C", "110153", "110152", dicom, "AUT", ""},
		{access("update", "Observation/7/_history/2", "", 200, "maria"), "PatientUpdate", "update", "U", "110153", "110152", dicom, "AUT", ""},
		{access("patch", "Observation/7/_history/3", "", 200, "maria"), "PatientUpdate", "patch", "U", "110153", "110152", dicom, "AUT", ""},
		{access("delete", "Observation/7/_history/4", "", 204, "maria"), "PatientDelete", "delete", "D", "110150", "custodian", "provenance-participant-type", "AUT", ""},
	} {
		t.Run(row.profile+" "+row.subtype, func(t *testing.T) {
			s := say(t, teller, row.access)[0]
			if !slices.Equal(s.Meta.Profile, []string{"https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit." + row.profile}) {
				t.Errorf("profile %v", s.Meta.Profile)
			}
			if s.Type.System+"|"+s.Type.Code != "http://terminology.hl7.org/CodeSystem/audit-event-type|rest" || len(s.Subtype) != 1 || s.Subtype[0].System+"|"+s.Subtype[0].Code != "http://hl7.org/fhir/restful-interaction|"+row.subtype || s.Action != row.action || s.Outcome != "0" {
				t.Errorf("%+v", s)
			}
			client, server, user, token := s.with(dicom, row.client), s.with(row.serverSystem, row.server), s.with(participation, row.user), s.with("UserAgentTypes", "UserOauthAgent")
			if len(client) != 1 || client[0].Network == nil || client[0].Network.Address != "192.0.2.7" || client[0].Network.Type != "2" || client[0].Who["display"] != "Name of app" {
				t.Errorf("client: %+v", client)
			}
			if len(server) != 1 || server[0].Network == nil || server[0].Network.Type != "5" || server[0].Who["display"] != teller.Base {
				t.Errorf("server: %+v", server)
			}
			if len(user) != 1 || !user[0].Requestor || user[0].Network != nil || user[0].Who["reference"] != "Patient/maria" {
				t.Errorf("user: %+v", user)
			}
			if len(token) != 1 || !token[0].Requestor || !slices.Equal(token[0].Policy, []string{"urn:ietf:params:oauth:jti:jti-1"}) {
				t.Errorf("token: %+v", token)
			}
			request, data, asked, about := s.in("XrequestId", ""), s.in("2", "4"), s.in("2", "24"), s.in("1", "1")
			if len(request) != 1 || fmt.Sprint(request[0].What["identifier"]) != "map[value:req-1]" {
				t.Errorf("request: %+v", request)
			}
			if patient := strings.HasPrefix(row.profile, "Patient"); patient != (len(about) == 1) || patient && about[0].What["reference"] != "Patient/maria" {
				t.Errorf("patient: %+v", about)
			}
			if row.query == "" {
				if len(data) != 1 || len(asked) != 0 || data[0].What["reference"] != row.access.Target.String() {
					t.Errorf("data: %+v, query %+v", data, asked)
				}
				return
			}
			if len(asked) != 1 || len(data) != 0 || asked[0].What != nil {
				t.Fatalf("query: %+v, data %+v", asked, data)
			}
			if raw, err := base64.StdEncoding.DecodeString(asked[0].Query); err != nil || string(raw) != row.query {
				t.Errorf("query %s %v", raw, err)
			}
		})
	}
}

// One event for each patient seen, each about one, with an id of its own; what was asked
// for stays the same.
//
// spec: AUD-04
func TestOneEventForEachPatient(t *testing.T) {
	all := say(t, teller, access("search-type", "Observation", "status=final", 200, "leo", "maria"), access("search-type", "Observation", "", 200))
	if len(all) != 3 {
		t.Fatalf("%d events", len(all))
	}
	for i, patient := range []string{"leo", "maria"} {
		if got := all[i].in("1", "1"); len(got) != 1 || got[0].What["reference"] != "Patient/"+patient || len(all[i].in("2", "24")) != 1 {
			t.Errorf("%+v", got)
		}
	}
	if all[0].raw == all[1].raw || strings.Contains(all[0].raw, `{"what":{"reference":"Patient/maria"`) {
		t.Error(all[0].raw)
	}
}

// What was refused has the outcome 4, what failed 8, and neither claims the profile of a
// success.
//
// spec: AUD-13
func TestRefusalsAndFailures(t *testing.T) {
	for _, row := range []struct {
		access  trail.Entry
		outcome string
	}{
		{access("read", "Observation/1", "", 404, "maria"), "4"}, {access("search-type", "Observation", "code=x", 403, "maria"), "4"},
		{access("create", "Observation", "", 422, "maria"), "4"}, {access("read", "Observation/1", "", 503), "8"}, {access("", "", "", 404), "4"},
		{trail.Entry{Status: 401, Reason: "token.refused", Who: trail.Who{Address: "192.0.2.9"}}, "4"},
		{trail.Entry{Status: 401, Reason: "strangers", More: 4711}, "4"},
	} {
		s := say(t, teller, row.access)[0]
		if s.Outcome != row.outcome || len(s.Meta.Profile) > 0 || !strings.HasPrefix(s.OutcomeDesc, row.access.Reason) || len(s.Agent) < 2 {
			t.Errorf("%s", s.raw)
		}
	}
}

// Token issue is ITI-71: client, authorization server, user, and the request without
// anything secret.
//
// spec: AUD-08, AUD-13
func TestTokenIssueIsITI71(t *testing.T) {
	issued := access("authorization_code", "", "", 200)
	issued.Kind = trail.TokenIssued
	refused := access("refresh_token", "", "", 400)
	refused.Kind, refused.Reason = trail.TokenRefused, "invalid_grant"
	all := say(t, teller, issued, refused)
	s := all[0]
	if s.Type.Code != "110114" || len(s.Subtype) != 1 || s.Subtype[0].System+"|"+s.Subtype[0].Code != "urn:ihe:event-type-code|ITI-71" || s.Action != "E" || s.Outcome != "0" || len(s.Meta.Profile) != 1 || !strings.HasSuffix(s.Meta.Profile[0], "/IHE.IUA.71") {
		t.Error(s.raw)
	}
	client, server, user := s.with("DCM", "110150"), s.with("UserAgentTypes", "AuthzOauthService"), s.with("v3-ParticipationType", "IRCP")
	if len(s.Agent) != 3 || len(client) != 1 || client[0].Network == nil || !slices.Equal(client[0].Policy, []string{"urn:ietf:params:oauth:jti:jti-1"}) || len(server) != 1 || server[0].Network == nil || len(user) != 1 || !user[0].Requestor {
		t.Error(s.raw)
	}
	if len(s.Entity) != 1 || s.Entity[0].Type.Code != "2" || s.Entity[0].Role.Code != "24" || s.Entity[0].What != nil {
		t.Error(s.raw)
	}
	if raw, _ := base64.StdEncoding.DecodeString(s.Entity[0].Query); string(raw) != "client_id=app&grant_type=authorization_code" {
		t.Errorf("%s", raw)
	}
	if all[1].Outcome != "4" || all[1].OutcomeDesc != "invalid_grant" || len(all[1].Meta.Profile) > 0 {
		t.Error(all[1].raw)
	}
}

// What leaves by a bulk export is a disclosure, for each patient.
//
// spec: AUD-11
func TestExportsAreDisclosures(t *testing.T) {
	part := access("$export", "Observation", "", 200, "leo", "maria")
	part.User, part.FHIRUser = "", fhir.Reference{}
	all := say(t, teller, part, access("$export", "Practitioner", "", 200))
	if len(all) != 3 || all[2].Type.Code != "rest" || len(all[2].Meta.Profile) > 0 {
		t.Fatalf("%d events", len(all))
	}
	s := all[1]
	if s.Type.Code != "110106" || len(s.Subtype) != 1 || s.Subtype[0].System+"|"+s.Subtype[0].Code != "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle|disclose" || s.Action != "R" || len(s.Meta.Profile) != 1 || !strings.HasSuffix(s.Meta.Profile[0], "/IHE.BasicAudit.PrivacyDisclosure.Source") {
		t.Error(s.raw)
	}
	source, recipient := s.with("DCM", "110153"), s.with("DCM", "110152")
	if len(source) != 1 || source[0].Network == nil || source[0].Who["display"] != "Emberlatch" || len(recipient) != 1 || recipient[0].Network == nil || !recipient[0].Requestor {
		t.Error(s.raw)
	}
	if about := s.in("1", "1"); len(s.Entity) < 2 || len(about) != 1 || about[0].What["reference"] != "Patient/maria" {
		t.Error(s.raw)
	}
}

// Consent: a decision is an event of its own, and what is given by it is BALP's
// AuthZconsent.
//
// spec: AUD-10
func TestConsentIsAuthZconsent(t *testing.T) {
	given := access("", "", "", 200, "maria")
	given.Kind, given.Reason = trail.CodeIssued, "decided"
	s := say(t, teller, given)[0]
	if s.Type.Code != "110113" || len(s.Subtype) != 1 || s.Subtype[0].Code != "AuthZ-Consent" || s.Action != "E" || len(s.Meta.Profile) != 1 || !strings.HasSuffix(s.Meta.Profile[0], "IHE.BasicAudit.AuthZconsent") {
		t.Error(s.raw)
	}
	for _, slice := range [][2]string{{"DCM", "110150"}, {"v3-ParticipationType", "IRCP"}, {"v3-RoleClass", "PROV"}, {"extra-security-role-type", "authserver"}} {
		if len(s.with(slice[0], slice[1])) != 1 {
			t.Errorf("%v: %s", slice, s.raw)
		}
	}
	if len(s.Entity) != 2 || len(s.in("1", "1")) != 1 || len(s.in("Consent", "")) != 1 {
		t.Error(s.raw)
	}
	for kind, outcome := range map[string]string{"consent.given": "ok", "consent.refused": "refused"} {
		s := checked(t, teller.event(store.KeptEvent{Seq: 3, Event: store.Event{At: given.At, Kind: kind, Actor: "u1", ClientID: "app", Patient: "maria", Outcome: outcome, Detail: "d1"}}))
		if s.Type.Code != "110113" || s.Subtype[0].Code != "AuthZ-Consent" || s.Outcome != map[string]string{"ok": "0", "refused": "4"}[outcome] {
			t.Error(s.raw)
		}
	}
}

// Login, logout, failure and lockout are DICOM's User Authentication.
//
// spec: AUD-09
func TestSignInsAreAuthentication(t *testing.T) {
	for kind, want := range map[string]string{"login": "110122 0", "login.failed": "110122 4", "logout": "110123 0", "sessions.ended": "110123 0"} {
		outcome := "ok"
		if kind == "login.failed" {
			outcome = "refused"
		}
		s := checked(t, teller.event(store.KeptEvent{Seq: 3, Event: store.Event{At: time.Now(), Kind: kind, Actor: "u1", Outcome: outcome}}))
		if got := s.Subtype[0].Code + " " + s.Outcome; s.Type.Code != "110114" || got != want {
			t.Errorf("%s: %s", kind, s.raw)
		}
	}
	blocked := trail.Entry{Kind: trail.LoginBlocked, Status: 429, Who: trail.Who{Address: "192.0.2.9"}}
	if s := say(t, teller, blocked)[0]; s.Type.Code != "110114" || s.Subtype[0].Code != "110122" || s.Outcome != "4" || s.Subtype[1].Code != "login.blocked" {
		t.Error(s.raw)
	}
}

// A patient is told by which app, and of people at work only that they are; nothing of
// others, of tokens, addresses, or what was looked for.
//
// spec: AUD-15, AUD-16
func TestWhatAPatientIsTold(t *testing.T) {
	doctor := access("search-type", "Observation", "patient=maria,leo&code=secret", 200, "leo", "maria")
	doctor.Who = trail.Who{Client: "chart", Grant: "g7", User: "u-kim", FHIRUser: fhir.Reference{Type: "Practitioner", ID: "kim"}, TokenID: "jti-7", Address: "198.51.100.7"}
	own := access("read", "Observation/1", "", 200, "maria")
	all := say(t, teller.For("maria"), doctor, own, access("read", "Practitioner/1", "", 200))
	if len(all) != 2 {
		t.Fatalf("%d events", len(all))
	}
	for _, hidden := range []string{"kim", "leo", "jti", "198.51", "192.0", "secret", base64.StdEncoding.EncodeToString([]byte("Observation?patient"))[:20], "u1"} {
		for _, s := range all {
			if strings.Contains(s.raw, hidden) {
				t.Errorf("%s is in %s", hidden, s.raw)
			}
		}
	}
	if !strings.Contains(all[0].raw, "Name of chart") || !strings.Contains(all[0].raw, "somebody who treats the patient") || !strings.Contains(all[1].raw, `"reference":"Patient/maria"`) {
		t.Error(all[0].raw, all[1].raw)
	}
	refused := access("read", "Patient/leo", "", 404, "maria")
	within := access("search-type", "Observation", "", 403, "maria")
	within.Within = fhir.Reference{Type: "Patient", ID: "leo"}
	for _, s := range say(t, teller.For("maria"), refused, within) {
		if strings.Contains(s.raw+s.decoded(), "leo") {
			t.Errorf("what was refused tells of others: %s", s.raw)
		}
	}
	event := store.KeptEvent{Seq: 4, Event: store.Event{Kind: "grant.ended", Actor: "u-kim", ClientID: "chart", Patient: "maria", Outcome: "ok"}}
	told, err := teller.For("maria").All(event)
	if err != nil || len(told) != 1 || strings.Contains(checked(t, told[0]).raw, "u-kim") {
		t.Error(told, err)
	}
	if told, err = teller.For("leo").All(event); err != nil || told != nil {
		t.Error("somebody else is told", told, err)
	}
}

// written is what the recorder writes of entries.
func written(t *testing.T, list ...trail.Entry) (all []store.Sheet) {
	t.Helper()
	sheets, err := trail.Sheets(list)
	if err != nil {
		t.Fatal(err)
	}
	return sheets
}
