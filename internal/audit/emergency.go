package audit

import "strings"

// ofEmergency begins the kinds of events of emergencies (package emergency).
const ofEmergency = "emergency."

// inEmergency says of an AuditEvent that it was done in an emergency: the event, and of its
// agents whoever asked for it.
func (a *AuditEvent) inEmergency() {
	btg := []concept{{[]coding{breakGlass}}}
	a.PurposeOfEvent = btg
	for i := range a.Agent {
		if a.Agent[i].Requestor {
			a.Agent[i].PurposeOfUse = btg
		}
	}
}

// stated is the detail of an event. A patient is told of a reason what was chosen from the
// list, and not the words of who stated it: they may be about others.
func (t Teller) stated(kind, detail string) string {
	if t.Patient != "" && strings.HasPrefix(kind, ofEmergency) {
		detail, _, _ = strings.Cut(detail, ":")
	}
	return detail
}
