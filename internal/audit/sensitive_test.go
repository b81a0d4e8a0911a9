package audit

import (
	"testing"
)

// What was sensitive of a patient stands with what was looked at, for that patient alone
// (BALP: entity.securityLabel).
//
// spec: AUD-04
// attack: GW-40
func TestWhatWasSensitiveIsALabel(t *testing.T) {
	read := access("read", "Observation/1", "", 200, "maria", "james")
	read.Holds("maria", []string{"hiv", "abuse"})
	read.Holds("maria", []string{"hiv"})
	search := access("search-type", "Observation", "status=final", 200, "maria", "james")
	search.Holds("maria", []string{"hiv"})
	for name, row := range map[string]struct {
		events []said
		want   []string
	}{
		"a read": {say(t, teller, read), []string{"hiv", "abuse"}}, "a search": {say(t, teller, search), []string{"hiv"}},
		"told to the patient": {say(t, teller.For("maria"), read), []string{"hiv", "abuse"}},
	} {
		for _, e := range row.events {
			var got []string
			for _, entity := range e.Entity {
				for _, label := range entity.SecurityLabel {
					if label.System != "urn:emberlatch:sensitive" || entity.Role.Code != "4" && entity.Role.Code != "24" {
						t.Errorf("%s: %s", name, e.raw)
					}
					got = append(got, label.Code)
				}
			}
			want := row.want
			if e.Entity[0].What["reference"] != "Patient/maria" {
				want = nil
			}
			if len(got) != len(want) || len(want) > 0 && got[0] != want[0] {
				t.Errorf("%s: %v, want %v: %s", name, got, want, e.raw)
			}
		}
	}
}
