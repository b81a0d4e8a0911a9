package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// careTeam: the subjects of active care teams in which the practitioner, or a
// role of theirs, takes part now.
func careTeam(ctx context.Context, r *Resolver, u asker, f *found) error {
	return r.ofPractitioner(ctx, u.selves, "CareTeam", "participant", func(team fhir.Resource) {
		r.tiedTo(u, team, access.ByCareTeam, f)
	})
}
