package admin

import (
	"net/http"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/store"
)

// keySetView is what an operator is told of a client's keys.
type keySetView struct {
	ID     store.ClientID `json:"client_id"`
	Source string         `json:"source"` // inline, or the jwks_uri
	Life   int64          `json:"kept_seconds,omitempty"`
	Usable int            `json:"usable"`
	// Problem says why there is no key set at all.
	Problem string    `json:"problem,omitempty"`
	Keys    []keyView `json:"keys"`
}

type keyView struct {
	ID         string   `json:"kid"`
	Kind       string   `json:"kty"`
	Algorithms []string `json:"algorithms,omitempty"`
	Problem    string   `json:"problem,omitempty"`
}

// checkKeys fetches and explains the keys that a client proves itself by. A set that
// cannot be had is an answer, not an error: it is what was asked.
func (d *Door) checkKeys(r *http.Request) (int, any, error) {
	c, err := d.client(r)
	if err != nil {
		return 0, nil, err
	}
	if c.AuthMethod != store.AuthPrivateKeyJWT {
		return 0, nil, bad("%s authenticates by %s: it has no keys", c.ID, c.AuthMethod)
	}
	found, err := clientkey.Explain(r.Context(), d.deps.FetchKeys, c)
	v := keySetView{ID: c.ID, Source: found.Source, Life: int64(found.Life.Seconds()), Usable: found.Usable(), Keys: []keyView{}}
	if err != nil {
		v.Problem = err.Error()
	}
	for _, k := range found.Keys {
		v.Keys = append(v.Keys, keyView{k.ID, k.Kind, k.Algorithms, k.Problem})
	}
	return http.StatusOK, v, nil
}
