package admin

import (
	"net/http"

	"github.com/emberlatch/emberlatch/internal/store"
)

// revocation is the input of `emberlatch grant revoke`.
type revocation struct {
	Grant   string `json:"grant"`
	Client  string `json:"client"`
	User    string `json:"user"` // user name
	Patient string `json:"patient"`
	Reason  string `json:"reason"`
}

// mixed reports whether more is named than the store can end in one go.
func (r revocation) mixed() bool {
	if r.Grant != "" {
		return r.Client != "" || r.User != "" || r.Patient != ""
	}
	return r.User != "" && r.Patient != ""
}

// revoke ends grants by grant, client, user, patient or user and client
// together (REVOKE-13).
func (d *Door) revoke(r *http.Request) (int, any, error) {
	var in revocation
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Grant == "" && in.Client == "" && in.User == "" && in.Patient == "" {
		return 0, nil, bad("say whose access ends: grant, client, user or patient")
	}
	if in.mixed() {
		return 0, nil, bad("name a grant alone, or one of client, user and patient, or client together with user or patient")
	}
	what := store.Revocation{
		GrantID: store.GrantID(in.Grant), ClientID: store.ClientID(in.Client),
		Patient: in.Patient, Reason: in.Reason, Actor: "operator",
	}
	if what.Reason == "" {
		what.Reason = "operator"
	}
	if in.User != "" {
		user, err := d.named(r.Context(), in.User)
		if err != nil {
			return 0, nil, err
		}
		what.UserID = user.ID
	}
	n, err := d.deps.Store.Revoke(r.Context(), what)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]int{"revoked": n}, d.deps.Refresh(r.Context())
}
