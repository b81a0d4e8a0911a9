package main

import (
	"strings"
	"testing"
	"time"
)

// What an operator sees of emergencies, in each of their states.
func TestEmergenciesAreListed(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	err := printEmergencies(&out, []emergencyLine{
		{ID: "e3", Username: "night", Patient: "Patient/rosa", Reason: "other: x y", Opened: at, Ends: at.Add(time.Hour), Open: true},
		{ID: "e2", User: "u-7", Patient: "Patient/tom", Reason: "covering", Opened: at, Ends: at.Add(time.Hour), Ended: at.Add(time.Minute), EndedBy: "operator"},
		{ID: "e1", Username: "night", Patient: "Patient/tom", Reason: "covering", Opened: at, Ends: at.Add(time.Hour)},
	})
	const want = `ID  WHO    PATIENT       OPENED                STATE                                       REASON
e3  night  Patient/rosa  2026-11-25T12:00:00Z  open until 2026-11-25T13:00:00Z             other: x y
e2  u-7    Patient/tom   2026-11-25T12:00:00Z  ended 2026-11-25T12:01:00Z by an operator   covering
e1  night  Patient/tom   2026-11-25T12:00:00Z  ended by itself 2026-11-25T13:00:00Z        covering
`
	squeeze := func(s string) string {
		lines := strings.Split(s, "\n")
		for i := range lines {
			lines[i] = strings.Join(strings.Fields(lines[i]), " ")
		}
		return strings.Join(lines, "\n")
	}
	if err != nil || squeeze(out.String()) != squeeze(want) {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// The commands reach the server; an id that nothing has is said.
func TestEmergencyCommands(t *testing.T) {
	dir := t.TempDir()
	dev(t, dir)
	if out := ran(t, "emergency", "list", "--data", dir, "--json"); strings.TrimSpace(out) != "[]" {
		t.Error(out)
	}
	if out := ran(t, "emergency", "list", "--data", dir, "--open"); !strings.HasPrefix(out, "ID") {
		t.Error(out)
	}
	refuses(t, "no emergency with this id is open", "emergency", "end", "--data", dir, "nothing")
	if out := ran(t, "audit", "export", "--data", dir, "--emergency"); out != "" {
		t.Error(out)
	}
}
