package tokens

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Sentinels, compared with errors.Is.
var (
	// ErrInvalid: malformed, forged, expired, ended, or meant for somebody else.
	ErrInvalid = errors.New("tokens: invalid")
	// ErrUnavailable: nobody can say at present.
	ErrUnavailable = errors.New("tokens: cannot be verified at present")
)

// Live tells what has ended, and can be made to look again.
type Live interface {
	Ended(grant store.GrantID, tokenID string) bool
	Fresh() bool
	Refresh(ctx context.Context) error
}

// Grants resolves what a token leaves out.
type Grants interface {
	Grant(ctx context.Context, id store.GrantID) (store.Grant, error)
}

// Deps are the parts that Tokens needs; all are required.
type Deps struct {
	Ring             *keys.Ring
	Live             Live
	Grants           Grants
	Issuer, FHIRBase string
	AccessLife       time.Duration
	Now              func() time.Time
}

// Tokens makes and reads tokens. It is safe for concurrent use.
type Tokens struct {
	deps    Deps
	refresh keys.Secret // the MAC of refresh tokens
	code    keys.Secret // seals codes that carry their grant
	cache   cache
	again   secondLook
}

// New makes it; the keys of refresh tokens and codes are made at the first start.
func New(ctx context.Context, deps Deps) (*Tokens, error) {
	if deps.Ring == nil || deps.Live == nil || deps.Grants == nil || deps.Issuer == "" || deps.FHIRBase == "" ||
		deps.AccessLife <= 0 || deps.Now == nil {
		return nil, errors.New("tokens: a part is missing")
	}
	secret, err := deps.Ring.Live(ctx, keys.RefreshToken)
	if err != nil {
		return nil, err
	}
	code, err := deps.Ring.Live(ctx, keys.Code)
	if err != nil {
		return nil, err
	}
	return &Tokens{deps: deps, refresh: secret, code: code, cache: newCache(), again: secondLook{look: deps.Live.Refresh}}, nil
}

// BearerError is how a failed verification is told to the caller (RFC 6750 §3.1).
func BearerError(err error) *oauth.Error {
	if errors.Is(err, ErrUnavailable) {
		return &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable,
			Slug: oauth.SlugServerUnavailable, Description: "The token cannot be verified at present. Try again in a moment", Cause: err}
	}
	return &oauth.Error{Code: oauth.InvalidToken, Status: http.StatusUnauthorized,
		Slug: oauth.SlugTokenInvalid, Description: "The access token is not valid: it may have expired or been revoked", Cause: err}
}
