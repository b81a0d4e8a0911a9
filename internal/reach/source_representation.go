package reach

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// representation: whom the user stands for, by the server's own record, until it
// ends (LOGIN-20). Practitioners and administrators stand for nobody here.
func representation(_ context.Context, r *Resolver, u asker) ([]string, error) {
	if u.Role != store.RolePatient && u.Role != store.RoleRepresentative {
		return nil, nil
	}
	var ids []string
	for _, p := range u.Represents {
		if lasts(p, r.deps.Now()) {
			ids = append(ids, p.Patient)
		}
	}
	return ids, nil
}

func lasts(p store.Representation, now time.Time) bool {
	return p.Until.IsZero() || now.Before(p.Until)
}
