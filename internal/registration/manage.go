package registration

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Manage answers what is below the endpoint: the client configuration endpoint
// (RFC 7592 §2). The path value id names the client.
func (d *Door) Manage(w http.ResponseWriter, r *http.Request) {
	run := map[string]func(*http.Request, registration) (int, []byte, error){
		http.MethodGet: d.read, http.MethodPut: d.replace, http.MethodDelete: d.remove,
	}[r.Method]
	if run == nil {
		door.MethodNotAllowed(w, http.MethodGet, http.MethodPut, http.MethodDelete)
		return
	}
	status, body, err := d.manage(r, run)
	switch {
	case err != nil:
		d.fail(w, r, err)
	case body == nil:
		door.NoStore(w.Header())
		w.WriteHeader(status)
	default:
		write(w, status, body)
	}
}

// rounds is how often a change is tried again when another hand was faster.
const rounds = 3

// manage proves who asks, and does it; when the client has changed meanwhile it is
// all judged anew.
func (d *Door) manage(r *http.Request, run func(*http.Request, registration) (int, []byte, error)) (int, []byte, error) {
	token, present, refused := oauth.Bearer(r)
	if refused != nil {
		return 0, nil, refused
	}
	if !present {
		return 0, nil, &oauth.Error{Status: http.StatusUnauthorized}
	}
	var raw []byte
	for round := range rounds {
		own, err := d.prove(r.Context(), store.ClientID(r.PathValue("id")), token)
		if err != nil {
			return 0, nil, err
		}
		if r.Method == http.MethodPut && round == 0 {
			if raw, refused = document(r); refused != nil {
				return 0, nil, refused
			}
		}
		own.raw = raw
		status, body, err := run(r, own)
		if !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound) {
			return status, body, err
		}
	}
	return 0, nil, &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable, Slug: oauth.SlugServerUnavailable, Description: "The registration is being changed by somebody else. Try again in a moment"}
}

// registration is a client whose registration access token was shown; only prove
// makes one.
type registration struct {
	client store.Client
	token  string
	raw    []byte // what was sent beside it
}

// prove compares the token with the client's. An unknown, removed or disabled client
// and the token of another one are all answered alike (RFC 7592 §2.1).
func (d *Door) prove(ctx context.Context, id store.ClientID, token string) (registration, error) {
	c, err := d.deps.Store.Client(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return registration{}, err
	}
	if err != nil || !register.Manages(c, token) || c.Disabled {
		return registration{}, refusedToken()
	}
	return registration{client: c, token: token}, nil
}

// read answers what is registered (RFC 7592 §2.1). The secret is not known here.
func (d *Door) read(_ *http.Request, own registration) (int, []byte, error) {
	body, err := register.Describe(own.client, register.Once{Token: own.token, URI: d.uri(own.client.ID)})
	return http.StatusOK, body, err
}

// replace puts the new metadata in the place of the old (RFC 7592 §2.2).
func (d *Door) replace(r *http.Request, own registration) (int, []byte, error) {
	now, changed, err := d.deps.Registrar.ReplaceSelf(own.client, own.raw)
	if err != nil {
		return 0, nil, err
	}
	if len(changed) > 0 {
		event := d.event("client.changed", now.ID, strings.Join(changed, " ")) // REG-17
		if err := d.deps.Store.ChangeClient(r.Context(), now, event); err != nil {
			return 0, nil, err
		}
		if err := d.deps.Settle(r.Context()); err != nil {
			return 0, nil, err
		}
	}
	own.client = now
	return d.read(r, own)
}

// remove ends the client and all that was given to it (RFC 7592 §2.3).
func (d *Door) remove(r *http.Request, own registration) (int, []byte, error) {
	if err := d.deps.Store.RemoveClient(r.Context(), own.client, d.event("client.removed", own.client.ID, "")); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, d.deps.Settle(r.Context())
}

// uri is where a client looks after itself.
func (d *Door) uri(id store.ClientID) string {
	return d.deps.Endpoint + "/" + url.PathEscape(string(id))
}
