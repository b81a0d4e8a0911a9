package reach

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/store"
)

// representation: whom the user stands for, by the server's own record, until it
// ends (LOGIN-20).
func representation(_ context.Context, _ *Resolver, u asker, f *found) error {
	if !standsForPatients(u.User) {
		return nil
	}
	for _, p := range u.Represents {
		if lasts(p, f.now) {
			f.patient(p.Patient, access.ByRepresentation)
			if !p.Until.IsZero() {
				f.ends(p.Until)
			}
		}
	}
	return nil
}

func lasts(p store.Representation, now time.Time) bool {
	return p.Until.IsZero() || now.Before(p.Until)
}
