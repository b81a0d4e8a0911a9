package reach_test

import (
	"context"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/internal/store"
)

// A picker shows what the person reads in some app: a mother does not learn of a visit of her
// child that is for patients themselves, nor does a clinician find whom they do not read.
//
// attack: GW-40
func TestPickersAreWithoutWhatIsWithheld(t *testing.T) {
	clinic := sensitive.New([]sensitive.Definition{{Name: "visits", Codes: []sensitive.Code{{System: "urn:visit", Code: "s"}}, Labels: []sensitive.Code{{System: "urn:l", Code: "vip"}},
		Readers: []access.Reader{{Audience: access.AudiencePatient, Apps: []string{"portal"}}}}}, nil)
	held := `,"type":[{"coding":[{"system":"urn:visit","code":"s"}]}]`
	c := openClassified(t, clinic, patient("ann", gp), patient("leo", gp), patient("vip", gp+`,"meta":{"security":[{"system":"urn:l","code":"vip"}]}`),
		encounter("ann-1", "ann", "2026-01-01", ""), encounter("ann-2", "ann", "2026-01-02", held), encounter("leo-1", "leo", "2026-01-01", ""), encounter("leo-2", "leo", "2026-01-02", held))
	ctx := context.Background()
	mother := store.User{ID: "ann", Role: store.RolePatient, FHIRUser: "Patient/ann", Represents: []store.Representation{{Patient: "leo", Relationship: "PRN"}}}
	for who, want := range map[string]int{"ann": 2, "leo": 1} {
		if got, _, err := c.Encounters(ctx, mother, who); err != nil || len(got) != want {
			t.Errorf("of %s: %v %v", who, got, err)
		}
	}
	doctor := store.User{ID: "doc", Role: store.RolePractitioner, FHIRUser: "Practitioner/p1"}
	if got, _, err := c.Encounters(ctx, doctor, "leo"); err != nil || len(got) != 1 {
		t.Errorf("by a clinician: %v %v", got, err)
	}
	if got, err := c.Recent(ctx, doctor); err != nil || len(got) != 2 {
		t.Errorf("patients: %v %v", got, err)
	}
}
