package tokens_test

import (
	"context"
	"encoding/base64"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

var ctx = context.Background()

// A token of a stolen key is refused even when it was verified a moment ago, and as
// a hint; one of a retired key is good until it ends.
//
// spec: OIDC-04, AT-08
func TestTokensAcrossRotations(t *testing.T) {
	w := newWorld(t)
	life := keys.DefaultSchedule()
	must(t, w.ring.Rotate(ctx))
	w.now = w.now.Add(life.Ahead - time.Second)
	old := w.mint(t, grant()).Text
	w.now = w.now.Add(2 * time.Second)
	fresh := w.mint(t, grant()).Text
	id, err := w.MintID(grant(), store.Client{ID: "app"}, fresh)
	must(t, err)
	w.now = w.now.Add(19 * time.Minute)
	for name, text := range map[string]string{"old": old, "fresh": fresh} {
		if _, err := w.Verify(ctx, text); err != nil {
			t.Errorf("the %s key: %v", name, err)
		}
	}
	if h, ours := w.Hint(id); !ours || h != (tokens.Hint{UserID: "u1", ClientID: "app"}) {
		t.Errorf("a good hint: %v %t", h, ours)
	}
	must(t, w.ring.Replace(ctx))
	for name, text := range map[string]string{"old": old, "fresh": fresh} {
		if _, err := w.Verify(ctx, text); !errors.Is(err, tokens.ErrInvalid) {
			t.Errorf("the %s key, stolen: %v", name, err)
		}
	}
	if _, ours := w.Hint(id); ours {
		t.Error("a stolen key gives hints")
	}
	if _, err := w.Verify(ctx, w.mint(t, grant()).Text); err != nil {
		t.Errorf("the new key: %v", err)
	}
}

// After a theft a refresh token of before is told apart, so that it is worth something
// only with the proof of a client; what follows it is as good as ever.
//
// attack: JW-11, RT-18
func TestRefreshTokensAcrossATheft(t *testing.T) {
	w := newWorld(t)
	name := refreshName(grant(), 3)
	before := w.RefreshToken(name)
	must(t, w.ring.Replace(ctx))
	after := w.RefreshToken(name)
	if after == before {
		t.Fatal("the secret is the old one")
	}
	former := name
	former.Former = true
	for text, want := range map[string]tokens.RefreshName{before: former, after: name} {
		if got, ours := w.ParseRefreshToken(text); !ours || got != want {
			t.Errorf("%+v, %v; want %+v", got, ours, want)
		}
	}
	must(t, w.ring.Replace(ctx))
	if _, ours := w.ParseRefreshToken(before); ours {
		t.Error("two thefts later it is still read")
	}
	if got, ours := w.ParseRefreshToken(after); !ours || !got.Former {
		t.Errorf("%+v, %v", got, ours)
	}
}

// Hints outlive the token: as long as a session that could be meant.
//
// spec: LOGOUT-02
func TestAnExpiredIDTokenIsAHint(t *testing.T) {
	w := newWorld(t)
	id, err := w.MintID(grant(), store.Client{ID: "app"}, "")
	must(t, err)
	must(t, w.ring.Rotate(ctx))
	w.now = w.now.Add(keys.DefaultSchedule().Ahead + 7*24*time.Hour)
	if _, ours := w.Hint(id); !ours {
		t.Error("an ID token of a retired key, a week old, is no hint")
	}
	for name, text := range map[string]string{"an access token": w.mint(t, grant()).Text, "nothing": "", "half of it": id[:len(id)/2]} {
		if _, ours := w.Hint(text); ours {
			t.Errorf("%s is a hint", name)
		}
	}
}

// A process meets a token of a key that it has not read yet: it looks again. When
// it cannot look, it does not say that the token is bad.
//
// attack: JW-09, JW-12
func TestAKeyThatIsYoungerThanTheFeed(t *testing.T) {
	w := newWorld(t)
	other := newWorld(t)
	theirs := other.mint(t, grant()).Text
	if _, err := w.Verify(ctx, theirs); !errors.Is(err, tokens.ErrInvalid) || w.looks != 1 {
		t.Errorf("a key of nobody: %v after %d looks", err, w.looks)
	}
	w.lookErr = errors.New("away")
	if _, err := w.Verify(ctx, theirs); !errors.Is(err, tokens.ErrUnavailable) {
		t.Errorf("the feed is away: %v", err)
	}
	w.lookErr = nil
	before := w.looks
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"at+jwt","kid":"../../etc/passwd"}`))
	if _, err := w.Verify(ctx, header+theirs[len(header):]); !errors.Is(err, tokens.ErrInvalid) || w.looks != before {
		t.Errorf("a kid that cannot be ours: %v after %d looks", err, w.looks-before)
	}
	younger, err := keys.Open(ctx, keys.Deps{Store: w.keys, KEKFile: w.kek, Schedule: keys.DefaultSchedule(), Now: func() time.Time { return w.now }, Log: discard})
	must(t, err)
	must(t, younger.Replace(ctx))
	elsewhere, err := tokens.New(ctx, tokens.Deps{Ring: younger, Live: w, Grants: w, Issuer: issuer, FHIRBase: fhirBase, AccessLife: time.Minute, Now: func() time.Time { return w.now }})
	must(t, err)
	a, err := elsewhere.MintAccess(grant(), grant().Scopes, dpop.Proof{})
	must(t, err)
	if _, err := w.Verify(ctx, a.Text); err != nil {
		t.Errorf("a token that was signed elsewhere a moment ago: %v", err)
	}
}

// However fast they come one after the other, made-up keys cause ten looks a second.
func TestUnknownKeysHaveAPace(t *testing.T) {
	w := newWorld(t)
	theirs := newWorld(t).mint(t, grant()).Text
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		for range 5 {
			if _, err := w.Verify(ctx, theirs); !errors.Is(err, tokens.ErrInvalid) {
				t.Error(err)
			}
		}
		if took := time.Since(began); w.looks != 5 || took != 400*time.Millisecond {
			t.Errorf("%d looks in %v", w.looks, took)
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := w.Verify(gone, theirs); !errors.Is(err, tokens.ErrUnavailable) {
			t.Errorf("a caller who has gone: %v", err)
		}
	})
}

// busy counts looks, each of which takes a while.
type busy struct {
	*world
	looks atomic.Int64
}

func (b *busy) Refresh(context.Context) error {
	b.looks.Add(1)
	time.Sleep(5 * time.Millisecond)
	return nil
}

// A flood of tokens with made-up keys shares its looks.
func TestAFloodOfUnknownKeys(t *testing.T) {
	w := newWorld(t)
	b := &busy{world: w}
	flooded, err := tokens.New(ctx, tokens.Deps{Ring: w.ring, Live: b, Grants: w, Issuer: issuer, FHIRBase: fhirBase, AccessLife: time.Minute, Now: func() time.Time { return w.now }})
	must(t, err)
	theirs := newWorld(t).mint(t, grant()).Text
	var done sync.WaitGroup
	for range 200 {
		done.Go(func() {
			if _, err := flooded.Verify(ctx, theirs); !errors.Is(err, tokens.ErrInvalid) {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if n := b.looks.Load(); n < 1 || n > 20 {
		t.Errorf("%d looks for 200 tokens", n)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
