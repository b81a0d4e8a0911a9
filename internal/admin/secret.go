package admin

import (
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// newSecret is the input of `emberlatch client secret`.
type newSecret struct {
	OverlapSeconds int64 `json:"overlap_seconds"`
}

// rotateSecret gives a client a new secret, shown once; the old one works for the
// overlap, so that the app can be changed without an interruption (CAUTH-10).
func (d *Door) rotateSecret(r *http.Request) (int, any, error) {
	var in newSecret
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	client, err := d.deps.Store.Client(r.Context(), store.ClientID(r.PathValue("id")))
	if err != nil {
		return 0, nil, err
	}
	if !client.Symmetric() {
		return 0, nil, bad("%s authenticates by %s: it has no secret", client.ID, client.AuthMethod)
	}
	longest := int64(register.LongestOverlap / time.Second)
	if in.OverlapSeconds < 0 || in.OverlapSeconds > longest {
		return 0, nil, bad("overlap_seconds: 0 to %d", longest)
	}
	changed, text, ok := d.deps.Registrar.NewSecret(client, time.Duration(in.OverlapSeconds)*time.Second)
	if !ok {
		return 0, nil, bad("%s cannot have a new secret", client.ID)
	}
	if err := d.deps.Store.PutClient(r.Context(), changed); err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), "client.secret", store.Event{ClientID: client.ID}); err != nil {
		return 0, nil, err
	}
	out := map[string]any{"client_id": client.ID, "client_secret": text, "client_secret_expires_at": 0}
	if len(changed.Secrets) > 1 {
		out["previous_secret_expires_at"] = changed.Secrets[1].ExpiresAt.Unix()
	}
	return http.StatusOK, out, d.deps.Refresh(r.Context())
}
