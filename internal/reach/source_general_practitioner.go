package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// generalPractitioner: the patients who name the practitioner, or a role of
// theirs, as their general practitioner. The search is the rule: it has no time.
func generalPractitioner(ctx context.Context, r *Resolver, u asker, f *found) error {
	return r.ofPractitioner(ctx, u.selves, "Patient", "general-practitioner", func(patient fhir.Resource) {
		f.patient(patient.ID(), access.ByGeneralPractitioner)
	})
}
