package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
)

// careTeam: the subjects of active care teams in which the practitioner, or a
// role of theirs, takes part now.
func careTeam(ctx context.Context, r *Resolver, u asker) ([]string, error) {
	var ids []string
	err := r.ofPractitioner(ctx, u.selves, "CareTeam", "participant", func(team fhir.Resource) {
		ids = append(ids, r.tiedTo(u, team)...)
	})
	return ids, err
}
