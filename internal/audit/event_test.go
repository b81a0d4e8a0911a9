package audit

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
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
