package backchannel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// lease is how long a claimed notice is nobody else's; longer than an attempt takes.
	lease = 30 * time.Second
	// maxAttempts is how often an app is asked.
	maxAttempts        = 8
	firstWait, maxWait = 10 * time.Second, time.Hour
)

// waitAfter is how long to wait after an attempt that failed: four times as long each
// time.
func waitAfter(attempt int) time.Duration {
	wait := firstWait
	for range attempt - 1 {
		if wait *= 4; wait >= maxWait {
			return maxWait
		}
	}
	return wait
}

// lane tells one app, one notice after the other, until nothing is due or the app does
// not answer.
func (s *Sender) lane(ctx context.Context, id store.ClientID) {
	well := false
	defer func() {
		if fault := recover(); fault != nil { // nothing stands behind this goroutine that would catch it
			s.failed(ctx, fmt.Errorf("telling %s: %v\n%s", id, fault, debug.Stack()))
		}
		s.end(id, well)
	}()
	err := s.expire(ctx, id)
	for answered := true; err == nil && answered && ctx.Err() == nil; {
		answered, err = s.next(ctx, id)
	}
	if well = err == nil; !well {
		s.failed(ctx, err)
	}
}

// expire gives up what is too old.
func (s *Sender) expire(ctx context.Context, id store.ClientID) error {
	old, err := s.deps.Store.ExpireLogoutNotices(ctx, id)
	if err != nil || old == 0 {
		return err
	}
	for range old {
		s.deps.Count(GivenUp)
	}
	s.deps.Log.WarnContext(ctx, "an app was not told of logouts for a day: given up", "client", string(id), "notices", old)
	return s.record(ctx, id)
}

// next tells the app of one logout; false when there is no reason to go on.
func (s *Sender) next(ctx context.Context, id store.ClientID) (answered bool, err error) {
	n, err := s.deps.Store.ClaimLogoutNotice(ctx, id, lease)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	client, err := s.deps.Store.Client(ctx, id)
	switch {
	case err != nil && !errors.Is(err, store.ErrNotFound):
		return false, err
	case err != nil || client.Disabled || client.BackchannelLogoutURI == "":
		s.deps.Count(Dropped)
		return true, s.deps.Store.RemoveLogoutNotice(ctx, n.ID)
	case n.Attempts > maxAttempts: // a process died at the last one
		return true, s.giveUp(ctx, n)
	}
	return s.tell(ctx, client, n)
}

// tell makes one attempt (§2.5) and writes what came of it.
func (s *Sender) tell(ctx context.Context, client store.Client, n store.LogoutNotice) (answered bool, err error) {
	token, err := s.deps.Mint(client, n.UserID, n.SID)
	if err != nil {
		return false, err
	}
	status, err := s.deps.Post(ctx, client.BackchannelLogoutURI, url.Values{"logout_token": {token}})
	outcome := judge(status, err)
	s.deps.Count(outcome)
	if outcome == Delivered {
		return true, s.deps.Store.RemoveLogoutNotice(ctx, n.ID)
	}
	s.deps.Log.WarnContext(ctx, "an app was not told of a logout", "client", string(client.ID), "attempt", n.Attempts, "status", status, "error", err)
	answered = outcome == Refused
	if n.Attempts >= maxAttempts {
		err = s.giveUp(ctx, n)
	} else {
		err = s.deps.Store.PostponeLogoutNotice(ctx, n.ID, waitAfter(n.Attempts))
	}
	if err == nil && !answered {
		err = s.deps.Store.PostponeLogoutNoticesOf(ctx, client.ID, waitAfter(n.Attempts))
	}
	return answered, err
}

// judge: 200 is a logout that has succeeded, and some frameworks turn it into 204; the
// rest of what an app says about a token is about that token (§2.8).
func judge(status int, err error) Outcome {
	switch {
	case err != nil, status >= 500, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return Unheard
	case status == http.StatusOK, status == http.StatusNoContent:
		return Delivered
	}
	return Refused
}

func (s *Sender) giveUp(ctx context.Context, n store.LogoutNotice) error {
	s.deps.Count(GivenUp)
	s.deps.Log.WarnContext(ctx, "an app could not be told of a logout: given up", "client", string(n.ClientID), "attempts", n.Attempts)
	if err := s.deps.Store.RemoveLogoutNotice(ctx, n.ID); err != nil {
		return err
	}
	return s.record(ctx, n.ClientID)
}

func (s *Sender) record(ctx context.Context, id store.ClientID) error {
	return s.deps.Store.Record(ctx, store.Event{At: s.deps.Now(), Kind: "logout.notice", Actor: "server", ClientID: id, Outcome: "refused", Detail: "given up"})
}
