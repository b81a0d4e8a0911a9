package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// panel: the active members of the Groups of persons that the practitioner, or a
// role of theirs, manages (Group.managingEntity).
func panel(ctx context.Context, r *Resolver, u store.User) ([]string, error) {
	var ids []string
	err := r.ofPractitioner(ctx, u, "Group", "managing-entity", func(group fhir.Resource) {
		ids = append(ids, r.members(group.Tree())...)
	})
	return ids, err
}
