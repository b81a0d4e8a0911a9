package introspect

import (
	"context"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/internal/trust"
)

// found is what is known of a token, for the caller: at most one of the two. The zero
// value is a token that is not good, or of which the caller may know nothing.
type found struct {
	own   *active
	other *otherActive
}

// answer is the one place where a body comes from (RFC 7662 §2.2).
func (f found) answer() any {
	switch {
	case f.own != nil:
		return *f.own
	case f.other != nil:
		return *f.other
	}
	return inactive{}
}

// judge finds out whether the token is good, and may be spoken of. Order: whose token it
// says it is decides who is asked; ours are never judged by others, nor theirs by us.
func (d *Door) judge(ctx context.Context, caller store.Client, text string) (found, *oauth.Error) {
	question, others := d.deps.Trusted.About(text)
	if others {
		return d.ofOthers(ctx, caller, question)
	}
	token, err := d.deps.Tokens.Verify(ctx, text)
	switch {
	case errors.Is(err, tokens.ErrUnavailable):
		return found{}, tokens.BearerError(err)
	case err != nil, token.ClientID() != caller.ID && !caller.MayIntrospect:
		return found{}, d.inVain(caller)
	}
	reaches, err := d.reaches(ctx, token)
	switch {
	case err != nil:
		return found{}, tokens.BearerError(errors.Join(tokens.ErrUnavailable, err))
	case !reaches:
		return found{}, nil
	}
	a, refused := d.active(ctx, token)
	return found{own: a}, refused
}

// reaches reports whether who stands behind a token still reaches its patient: to a
// server that believes the answer it is what the records say here (RT-11).
func (d *Door) reaches(ctx context.Context, t tokens.Verified) (bool, error) {
	if t.System() || t.Patient() == "" {
		return true, nil
	}
	return d.deps.Reaches(ctx, t.UserID(), t.Patient())
}

// inVain counts an answer of no, and tells who has had too many of them to wait: that
// is how somebody looks who tries texts (RFC 7662 §4). Who asks about good tokens is
// answered all the while.
func (d *Door) inVain(caller store.Client) *oauth.Error {
	if wait := d.vain.enter(caller.ID); wait > 0 {
		return throttled(wait)
	}
	return nil
}

// ofOthers asks the server that the token is of, for a caller that may know of all
// tokens (INTRO-14). Order: the question is counted before it is asked, since it costs
// that server something; a good token is taken back.
func (d *Door) ofOthers(ctx context.Context, caller store.Client, q trust.Question) (found, *oauth.Error) {
	if refused := d.inVain(caller); refused != nil || !caller.MayIntrospect {
		return found{}, refused
	}
	answer, err := q.Ask(ctx)
	if err != nil {
		return found{}, &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable, RetryAfter: otherRetry,
			Slug: oauth.SlugIntrospectionIssuer, Description: "The server that issued the token cannot be asked now. Nothing is known of the token: try again", Cause: err}
	}
	claims, active := answer.Active()
	if !active {
		return found{}, nil
	}
	d.vain.takeBack(caller.ID)
	return found{other: &otherActive{Active: true, Claims: claims}}, nil
}
