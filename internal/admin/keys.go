package admin

import (
	"context"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/store"
)

func (d *Door) listKeys(*http.Request) (int, any, error) {
	return http.StatusOK, d.deps.Keys.List(), nil
}

// rotateKeys publishes the next keys, which sign later (OpenID Connect Core §10.1.1).
func (d *Door) rotateKeys(r *http.Request) (int, any, error) {
	return d.changeKeys(r, "keys.rotated", d.deps.Keys.Rotate)
}

// replaceKeys is for keys that were stolen: what they signed is refused from now on.
func (d *Door) replaceKeys(r *http.Request) (int, any, error) {
	return d.changeKeys(r, "keys.replaced", d.deps.Keys.Replace)
}

// resealKeys puts another key-encrypting key in the place of the present one.
func (d *Door) resealKeys(r *http.Request) (int, any, error) {
	return d.changeKeys(r, "keys.resealed", d.deps.Keys.Reseal)
}

func (d *Door) changeKeys(r *http.Request, kind string, change func(context.Context) error) (int, any, error) {
	if err := change(r.Context()); err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), kind, store.Event{}); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, d.deps.Keys.List(), d.deps.Refresh(r.Context())
}
