package admin

import (
	"context"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/explain"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Explainer replays FHIR requests.
type Explainer interface {
	Explain(ctx context.Context, r explain.Request) (explain.Explanation, error)
}

// explain replays a request of an app. That an operator looked into somebody's
// access is recorded before it is answered.
func (d *Door) explain(r *http.Request) (int, any, error) {
	var in explain.Request
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Token == "" || in.Method == "" || in.Path == "" {
		return 0, nil, bad("say the token, the method and the path of the request")
	}
	x, err := d.deps.Explainer.Explain(r.Context(), in)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, x, d.record(r.Context(), "access.explained", explained(x))
}

// explained holds ids only, nothing of the request line.
func explained(x explain.Explanation) store.Event {
	return store.Event{ClientID: store.ClientID(x.Client), GrantID: store.GrantID(x.Grant), Patient: x.Patient, Detail: string(x.Reason)}
}
