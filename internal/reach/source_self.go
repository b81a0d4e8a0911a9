package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// self: a patient, and a representative who has a record, reach their own record.
// Patient.link opens nothing (SCOPE-50).
func self(_ context.Context, _ *Resolver, u asker) ([]string, error) {
	if u.Role != store.RolePatient && u.Role != store.RoleRepresentative {
		return nil, nil
	}
	own, ok := fhir.ParseReference(u.FHIRUser, "")
	if !ok || own.Type != "Patient" {
		return nil, nil
	}
	return []string{own.ID}, nil
}
