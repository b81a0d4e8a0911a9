package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// addClient registers an application from its metadata (RFC 7591 §2) and
// answers the registration response (§3.2.1), the secret in it once. With
// ?untrusted browsers are not sent to it with an error before the person has read
// where they are going (AZ-29).
func (d *Door) addClient(r *http.Request) (int, any, error) {
	metadata, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 1<<20))
	if err != nil {
		return 0, nil, bad("the metadata is larger than 1 MiB")
	}
	client, response, err := d.deps.Registrar.Register(metadata)
	if err != nil {
		var protocol *oauth.Error
		if errors.As(err, &protocol) {
			return http.StatusBadRequest, map[string]string{
				"error": string(protocol.Code), "error_description": protocol.Description,
			}, nil
		}
		return 0, nil, err
	}
	client.Trusted = !r.URL.Query().Has("untrusted")
	if err := d.deps.Store.CreateClient(r.Context(), client); err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), "client.added", store.Event{ClientID: client.ID}); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, json.RawMessage(response), d.deps.Refresh(r.Context())
}

// clientLine is what a list shows of a client.
type clientLine struct {
	ID       store.ClientID   `json:"client_id"`
	Name     string           `json:"client_name"`
	Method   store.AuthMethod `json:"token_endpoint_auth_method"`
	Scope    string           `json:"scope"`
	Disabled bool             `json:"disabled,omitempty"`
}

func (d *Door) listClients(r *http.Request) (int, any, error) {
	clients, err := d.deps.Store.ListClients(r.Context())
	if err != nil {
		return 0, nil, err
	}
	lines := make([]clientLine, 0, len(clients))
	for _, c := range clients {
		lines = append(lines, clientLine{c.ID, c.Name, c.AuthMethod, c.Scope, c.Disabled})
	}
	return http.StatusOK, lines, nil
}

// disableClient stops an application everywhere: its grants end in the same
// transaction (REVOKE-14).
func (d *Door) disableClient(r *http.Request) (int, any, error) {
	client, err := d.deps.Store.Client(r.Context(), store.ClientID(r.PathValue("id")))
	if err != nil {
		return 0, nil, err
	}
	client.Disabled = true
	if err := d.deps.Store.PutClient(r.Context(), client); err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), "client.disabled", store.Event{ClientID: client.ID}); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, clientLine{client.ID, client.Name, client.AuthMethod, client.Scope, true}, d.deps.Refresh(r.Context())
}
