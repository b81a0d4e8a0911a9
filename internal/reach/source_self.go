package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// self: a patient, and a representative who has a record, reach their own record.
// Patient.link opens nothing (SCOPE-50).
func self(_ context.Context, _ *Resolver, u asker, f *found) error {
	own, ok := fhir.ParseReference(u.FHIRUser, "")
	if standsForPatients(u.User) && ok && own.Type == "Patient" {
		f.patient(own.ID, access.BySelf)
	}
	return nil
}

// standsForPatients: practitioners and administrators stand for nobody here.
func standsForPatients(u store.User) bool {
	return u.Role == store.RolePatient || u.Role == store.RoleRepresentative
}
