package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// emergency: the patients whose records a practitioner has opened in an emergency, until it
// ends. Where nobody may, nobody asks.
func emergency(ctx context.Context, r *Resolver, u asker, f *found) error {
	if r.deps.Emergencies == nil || u.Role != store.RolePractitioner {
		return nil
	}
	list, err := r.deps.Emergencies(ctx, u.ID)
	for _, e := range list {
		if e.UserID == u.ID && e.Open(f.now) {
			f.patient(e.Patient, access.ByEmergency)
			f.ends(e.EndsAt)
		}
	}
	return err
}

// HoldsRole reports whether somebody has a PractitionerRole with one of some codes now.
func (r *Resolver) HoldsRole(ctx context.Context, u store.User, codes []fhirstore.Code) (bool, error) {
	own, ok := fhir.ParseReference(u.FHIRUser, "")
	if u.Role != store.RolePractitioner || !ok || own.Type != "Practitioner" && own.Type != "PractitionerRole" || len(codes) == 0 {
		return false, nil
	}
	holds := false
	err := r.rolesBy(ctx, fhirstore.TieRules{Roles: codes}, own, &found{now: r.deps.Now()}, func(tie fhirstore.Tie) {
		holds = holds || tie.LeadsTo == fhirstore.Everybody
	})
	return holds && err == nil, err
}
