package audit

import (
	"encoding/json"
	"testing"
	"time"

	policy "github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// Events as FHIR AuditEvents: who, through what, about whom, when with an offset, and
// with which outcome.
//
// spec: AUD-02, AUD-13
func TestEventsAreAuditEvents(t *testing.T) {
	at := time.Date(2026, 11, 26, 15, 3, 4, 5e6, time.FixedZone("", 3600))
	for _, row := range []struct {
		name string
		store.Event
		want string
	}{
		{"a failed login", store.Event{At: at, Kind: "login.failed", Actor: "u1", ClientID: "app", Outcome: "refused"},
			`{"resourceType":"AuditEvent","id":"event-7","type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110114","display":"User Authentication"},"subtype":[{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110122","display":"Login"},{"system":"urn:emberlatch:event","code":"login.failed"}],"action":"E","recorded":"2026-11-26T14:03:04.005Z","outcome":"4","agent":[{"who":{"identifier":{"value":"u1"}},"requestor":true},{"type":{"coding":[{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110150","display":"Application"}]},"who":{"identifier":{"value":"app"}},"requestor":false}],"source":{"observer":{"display":"Emberlatch"},"type":[{"system":"http://terminology.hl7.org/CodeSystem/security-source-type","code":"3","display":"Web Server"}]}}`},
		{"an access ends", store.Event{At: at, Kind: "grant.ended", Actor: "operator", Patient: "maria", GrantID: "g1", Outcome: "ok", Detail: "lost \"device\""},
			`{"resourceType":"AuditEvent","id":"event-7","type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110136","display":"Security Roles Changed"},"subtype":[{"system":"urn:emberlatch:event","code":"grant.ended"}],"action":"D","recorded":"2026-11-26T14:03:04.005Z","outcome":"0","outcomeDesc":"lost \"device\"","agent":[{"who":{"identifier":{"value":"operator"}},"requestor":true}],"source":{"observer":{"display":"Emberlatch"},"type":[{"system":"http://terminology.hl7.org/CodeSystem/security-source-type","code":"3","display":"Web Server"}]},"entity":[{"what":{"reference":"Patient/maria"},"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"1","display":"Person"},"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"1","display":"Patient"}},{"what":{"identifier":{"value":"g1"}},"type":{"system":"http://terminology.hl7.org/CodeSystem/audit-entity-type","code":"2","display":"System Object"},"role":{"system":"http://terminology.hl7.org/CodeSystem/object-role","code":"13","display":"Security Resource"}}]}`},
	} {
		got, err := json.Marshal(Teller{}.event(store.KeptEvent{Seq: 7, Event: row.Event}))
		if err != nil || string(got) != row.want {
			t.Errorf("%s: %v\n%s\n%s", row.name, err, got, row.want)
		}
	}
}

// What was done in an emergency says so of the event and of whoever did it; a patient is told
// the reason that was chosen, without the words and the name of who stated it.
//
// spec: AUD-05, AUD-16
// attack: GW-38
func TestEmergenciesAreMarked(t *testing.T) {
	opened := store.KeptEvent{Seq: 7, Event: store.Event{Kind: "emergency.opened", Actor: "u1", ClientID: "app", Patient: "maria", Outcome: "ok", Detail: "other: of her son"}}
	told := Teller{}.event(opened)
	if told.OutcomeDesc != "other: of her son" || len(told.PurposeOfEvent) != 1 || told.PurposeOfEvent[0].Coding[0] != breakGlass || told.Subtype[0] != overrideBegan {
		t.Errorf("%+v", told)
	}
	for _, a := range told.Agent {
		if (len(a.PurposeOfUse) > 0) != a.Requestor {
			t.Errorf("%+v", a)
		}
	}
	all, err := Teller{}.For("maria").All(opened)
	if err != nil || len(all) != 1 || all[0].OutcomeDesc != "other" || all[0].Agent[0].Who.Display != "not told" || len(all[0].PurposeOfEvent) != 1 {
		t.Errorf("to the patient: %+v, %v", all, err)
	}

	entry := trail.Entry{Code: "read", Patients: []string{"leo", "maria"}, Who: trail.Who{Client: "app", User: "u1"}}
	for _, row := range []struct {
		name   string
		ways   []policy.Ways
		marked bool
	}{
		{"by an emergency alone", []policy.Ways{policy.ByPanel, policy.ByEmergency}, true}, {"by another way too", []policy.Ways{0, policy.ByEmergency | policy.ByPanel}, false},
		{"of somebody else", []policy.Ways{policy.ByEmergency, policy.ByPanel}, false}, {"by no way", nil, false}, {"not told", []policy.Ways{policy.ByEmergency}, false},
	} {
		entry.Ways = row.ways
		if got := (Teller{}).access("x", entry, "maria"); (len(got.PurposeOfEvent) > 0) != row.marked {
			t.Errorf("%s: %+v", row.name, got.PurposeOfEvent)
		}
	}
}

func FuzzParseHead(f *testing.F) {
	f.Add("")
	f.Add("7:0000000000000000000000000000000000000000000000000000000000000001")
	f.Add("07:00")
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := ParseHead(text); err == nil && h.String() != text {
			t.Errorf("%q is read as %q", text, h)
		}
	})
}

func FuzzParsePosition(f *testing.F) {
	f.Add("")
	f.Add("1764158584005.17.0")
	f.Add("+1.2.3")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ParsePosition(text); err == nil && p.String() != text {
			t.Errorf("%q is read as %q", text, p)
		}
	})
}
