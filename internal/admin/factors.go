package admin

import (
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/store"
)

// removeFactor takes a second factor away that its person has lost. Every session of the
// account ends in the same transaction, so that whoever has the device now has nothing
// open; a role of which one is required sets another up at the next sign-in.
func (d *Door) removeFactor(r *http.Request) (int, any, error) {
	user, err := d.named(r.Context(), r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	f, err := d.deps.Store.Factor(r.Context(), user.ID)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil, absent{"the account " + user.Username + " has no second factor"}
	}
	if err != nil {
		return 0, nil, err
	}
	err = d.deps.Store.ChangeFactor(r.Context(), store.FactorChange{
		UserID: user.ID, Was: f.Sealed,
		Event: store.Event{At: d.deps.Now(), Kind: "factor.removed", Actor: "operator", Outcome: "ok", Detail: string(user.Role) + " " + string(user.ID)},
	})
	if errors.Is(err, store.ErrConflict) {
		return 0, nil, conflict("the second factor of %q was changed at the same moment: try again", user.Username)
	}
	if err != nil {
		return 0, nil, err
	}
	out := map[string]any{"sub": user.ID, "username": user.Username, "second_factor": "removed"}
	return http.StatusOK, out, d.deps.Refresh(r.Context())
}
