package reach

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// visits: the patients of visits in which the practitioner, or a role of theirs, takes
// part now, or took part until not long ago.
func visits(ctx context.Context, r *Resolver, u asker, f *found) error {
	if r.deps.Ties.Visits <= 0 {
		return nil
	}
	// A little more than is needed is read; the ties say exactly.
	since := r.deps.Now().Add(-r.deps.Ties.Visits - time.Minute).UTC().Format(time.RFC3339)
	return r.ofPractitioner(ctx, u.selves, "Encounter", "participant", func(visit fhir.Resource) {
		r.tiedTo(u, visit, access.ByVisit, f)
	}, "date", "ge"+since)
}
