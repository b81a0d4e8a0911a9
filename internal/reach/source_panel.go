package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// panel: the active members of the Groups of persons that the practitioner, or a
// role of theirs, manages (Group.managingEntity).
func panel(ctx context.Context, r *Resolver, u asker, f *found) error {
	return r.ofPractitioner(ctx, u.selves, "Group", "managing-entity", func(group fhir.Resource) {
		r.tiedTo(u, group, access.ByPanel, f)
	})
}
