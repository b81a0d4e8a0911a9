package revoke

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/clientauth"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

const maxBody = 64 << 10

// Grants is what the endpoint needs of the store.
type Grants interface {
	Revoke(ctx context.Context, r store.Revocation) (int, error)
	RevokeToken(ctx context.Context, t store.RevokedToken) error
}

// Clients authenticates the caller.
type Clients interface {
	Authenticate(r *http.Request, p oauth.Parameters) (clientauth.Authenticated, *oauth.Error)
}

// Tokens reads tokens.
type Tokens interface {
	Verify(ctx context.Context, text string) (tokens.Verified, error)
	ParseRefreshToken(text string) (tokens.RefreshName, bool)
}

// Deps are the parts that the door needs; all are required.
type Deps struct {
	Grants  Grants
	Clients Clients
	Tokens  Tokens
	// Settle makes this process see what the store has just ended.
	Settle func(ctx context.Context) error
	Log    *slog.Logger
}

// Door answers the revocation endpoint.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Grants == nil || deps.Clients == nil || deps.Tokens == nil || deps.Settle == nil || deps.Log == nil {
		return nil, errors.New("revoke: a part is missing")
	}
	return &Door{deps}, nil
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, refused := oauth.ParseBody(r, maxBody)
	if refused != nil {
		door.WriteOAuthError(w, refused)
		return
	}
	caller, refused := d.deps.Clients.Authenticate(r, form)
	if refused != nil {
		if refused.Code == oauth.InvalidClient {
			refused.Status, refused.Challenge = http.StatusUnauthorized, true
		}
		door.WriteOAuthError(w, refused)
		return
	}
	text := form.Get("token")
	if text == "" {
		door.WriteOAuthError(w, oauth.New(oauth.InvalidRequest, "The parameter token is missing").About("token").Slugged(oauth.SlugRequestParameterMissing))
		return
	}
	if err := d.end(r.Context(), caller.Client().ID, text); err != nil {
		// RT-19: a failure is never told as success while the token still works.
		d.deps.Log.ErrorContext(r.Context(), "revocation failed", "error", err, "id", door.RequestID(r.Context()))
		door.WriteOAuthError(w, &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable,
			Slug: oauth.SlugServerUnavailable, Description: "The token could not be revoked now. Try again in a moment"})
		return
	}
	door.NoStore(w.Header())
	w.WriteHeader(http.StatusOK)
}

// end ends what the text names, if it is the client's. token_type_hint is not
// needed: the two kinds cannot be taken for one another (REVOKE-06).
func (d *Door) end(ctx context.Context, client store.ClientID, text string) error {
	if named, ours := d.deps.Tokens.ParseRefreshToken(text); ours {
		return d.endGrant(ctx, client, named)
	}
	token, err := d.deps.Tokens.Verify(ctx, text)
	switch {
	case errors.Is(err, tokens.ErrUnavailable):
		return err
	case err != nil, token.ClientID() != client:
		return nil
	}
	if err := d.deps.Grants.RevokeToken(ctx, store.RevokedToken{TokenID: token.TokenID(), ExpiresAt: token.ExpiresAt()}); err != nil {
		return fmt.Errorf("revoking an access token: %w", err)
	}
	return d.deps.Settle(ctx)
}

func (d *Door) endGrant(ctx context.Context, client store.ClientID, named tokens.RefreshName) error {
	if named.ClientID != client { // RFC 7009 §2.1: a token of another client is not ended
		return nil
	}
	_, err := d.deps.Grants.Revoke(ctx, store.Revocation{GrantID: named.GrantID, Reason: "revoked by the client", Actor: string(client)})
	if err != nil {
		return fmt.Errorf("revoking a grant: %w", err)
	}
	return d.deps.Settle(ctx)
}
