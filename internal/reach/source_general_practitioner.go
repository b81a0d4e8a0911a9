package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// generalPractitioner: the patients who name the practitioner, or a role of
// theirs, as their general practitioner.
func generalPractitioner(ctx context.Context, r *Resolver, u store.User) ([]string, error) {
	var ids []string
	err := r.ofPractitioner(ctx, u, "Patient", "general-practitioner", func(patient fhir.Resource) {
		ids = append(ids, patient.ID())
	})
	return ids, err
}
