package reach_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

func encounter(id, patient, start, more string) string {
	return `{"resourceType":"Encounter","id":"` + id + `","status":"finished","class":{"code":"AMB","display":"ambulatory"},` +
		`"subject":{"reference":"Patient/` + patient + `"},"period":{"start":"` + start + `","end":"` + start + `"}` + more + `}`
}

// A picker lists the encounters of one patient within reach, the newest first.
//
// spec: CTX-12
func TestEncounters(t *testing.T) {
	c := open(t, patient("ann", `,"name":[{"family":"Ann"}]`), patient("eve", `,"name":[{"family":"Eve"}]`),
		encounter("old", "ann", "2024-01-05T08:00:00Z", ""),
		encounter("new", "ann", "2026-11-20", `,"type":[{"coding":[{"display":"Check up"}]}],"location":[{"location":{"display":"Main building"}}],"participant":[{"individual":{"display":"Dr. Chen"}}]`),
		`{"resourceType":"Encounter","id":"z-now","status":"in-progress","class":{"display":"inpatient"},"subject":{"reference":"Patient/ann"},"period":{"start":"2026-10-01"}}`,
		encounter("other", "eve", "2026-11-21", ""),
	)
	ann := store.User{ID: "ann", Role: store.RolePatient, FHIRUser: "Patient/ann"}
	ctx := context.Background()
	got, more, err := c.Encounters(ctx, ann, "ann")
	if err != nil || more {
		t.Fatal(err, more)
	}
	want := []reach.Encounter{
		{ID: "new", Kind: "Check up", Date: "2026-11-20", Place: "Main building", With: "Dr. Chen"},
		{ID: "z-now", Kind: "inpatient", Date: "2026-10-01"},
		{ID: "old", Kind: "ambulatory", Date: "2024-01-05"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got, _, err := c.Encounters(ctx, ann, "eve"); err != nil || len(got) != 0 {
		t.Errorf("encounters of somebody out of reach: %v, %v", got, err)
	}
	for _, row := range []struct {
		patient, id string
		want        error
	}{{"ann", "new", nil}, {"ann", "other", reach.ErrNotFound}, {"eve", "new", reach.ErrNotFound}, {"ann", "none", reach.ErrNotFound}, {"ann", "a/b", reach.ErrNotFound}, {"ann", "", reach.ErrNotFound}} {
		if _, err := c.Encounter(ctx, row.patient, row.id); !errors.Is(err, row.want) {
			t.Errorf("%s of %s: %v, want %v", row.id, row.patient, err, row.want)
		}
	}
	for i := range 30 {
		c.load(t, encounter("e"+strconv.Itoa(i), "ann", "2025-05-05", ""))
	}
	if got, more, err = c.Encounters(ctx, ann, "ann"); err != nil || !more || len(got) != 30 || got[0].ID != "new" {
		t.Errorf("%d encounters, more %t, %v: %v", len(got), more, err, got)
	}
	c.backend.err = errors.New("down")
	if _, err := c.Encounter(ctx, "ann", "new"); err == nil || errors.Is(err, reach.ErrNotFound) {
		t.Errorf("a store that is down: %v", err)
	}
	if _, _, err := c.Encounters(ctx, ann, "ann"); err == nil {
		t.Error("a store that is down has no encounters")
	}
}
