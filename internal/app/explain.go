package app

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/explain"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

// explainer replays requests by the parts that answer them; looking is no use of a
// grant, and needs no proof of who holds the token.
func (a *App) explainer() (*explain.Explainer, error) {
	who := a.subjects(nil, func(store.GrantID) {})
	return explain.New(explain.Deps{Backend: a.records, Base: a.cfg.FHIRBase(), Everything: a.fhir != nil,
		Subject: func(ctx context.Context, text string) (access.Subject, error) {
			token, err := a.tokens.Verify(ctx, text)
			if errors.Is(err, tokens.ErrInvalid) {
				return access.Subject{}, explain.ErrInvalidToken
			}
			if err != nil {
				return access.Subject{}, err
			}
			s, err := who.of(ctx, token)
			var refused *oauth.Error
			if errors.As(err, &refused) { // the user, or the client, is not active any more
				return access.Subject{}, explain.ErrInvalidToken
			}
			return s, err
		}})
}
