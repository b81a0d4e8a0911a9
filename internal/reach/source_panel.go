package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
)

// panel: the active members of the Groups of persons that the practitioner, or a
// role of theirs, manages (Group.managingEntity).
func panel(ctx context.Context, r *Resolver, u asker) ([]string, error) {
	var ids []string
	err := r.ofPractitioner(ctx, u.selves, "Group", "managing-entity", func(group fhir.Resource) {
		ids = append(ids, r.tiedTo(u, group)...)
	})
	return ids, err
}
