package token

import (
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// Trail takes entries of the trail.
type Trail interface {
	Ready() error
	PutMade(a trail.Entry)
}

// ready asks whether what is issued could be recorded. Order: before anything is spent.
func (d *Door) ready() error {
	if d.deps.Trail == nil {
		return nil
	}
	return d.deps.Trail.Ready()
}

// begin is the entry of a request.
func (d *Door) begin(r *http.Request) *trail.Entry {
	a := &trail.Entry{Kind: trail.TokenRefused, Request: door.RequestID(r.Context())}
	if d.deps.Address != nil {
		a.Address = d.deps.Address(r)
	}
	return a
}

// issued notes whose token it is (AUD-08); the token itself by its id.
func (r *request) issued(g store.Grant, tokenID string) {
	r.access.Grant, r.access.User, r.access.TokenID = string(g.ID), string(g.UserID), tokenID
	r.access.FHIRUser, _ = fhir.ParseReference(g.FHIRUser, "")
}

// record takes the request with its outcome into the record (AUD-08, AUD-13).
func (d *Door) record(a *trail.Entry, err error) {
	if d.deps.Trail == nil {
		return
	}
	var refused *oauth.Error
	switch {
	case err == nil:
		a.Kind, a.Status = trail.TokenIssued, http.StatusOK
	case errors.As(err, &refused):
		a.Status, a.Reason = refused.HTTPStatus(), string(refused.Code)
	default:
		a.Status = http.StatusInternalServerError
	}
	d.deps.Trail.PutMade(*a)
}
