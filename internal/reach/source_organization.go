package reach

import "context"

// organizations: all patients whom an Organization manages at which the practitioner has
// a role now. The operator has to want it.
func organizations(ctx context.Context, r *Resolver, u asker) ([]string, error) {
	if !r.deps.Ties.Organizations || len(u.at) == 0 {
		return nil, nil
	}
	return r.managedBy(ctx, u.at)
}
