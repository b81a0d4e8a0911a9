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
	err := r.ofPractitioner(ctx, u, "Group", "managing-entity", func(resource fhir.Resource) {
		group := resource.Tree()
		if group["active"] == false || group["type"] != "person" {
			return
		}
		for _, m := range objects(group["member"]) {
			if m["inactive"] != true && r.current(m["period"]) {
				ids = append(ids, patientOf(m["entity"], r.deps.Base)...)
			}
		}
	})
	return ids, err
}
