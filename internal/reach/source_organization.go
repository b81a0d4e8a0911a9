package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/access"
)

// organizations: all patients whom an Organization manages at which the practitioner has
// a role now. The operator has to want it.
func organizations(ctx context.Context, r *Resolver, u asker, f *found) error {
	if !r.deps.Ties.Organizations || len(u.at) == 0 {
		return nil
	}
	ids, err := r.managedBy(ctx, u.at)
	for _, id := range ids {
		f.patient(id, access.ByOrganization)
	}
	return err
}
