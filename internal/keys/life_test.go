package keys_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/keys"
)

const day = 24 * time.Hour

// A rotation in a running flow: the new keys are published before they sign, the
// old ones verify until the last token has ended, and then they are gone.
//
// spec: OIDC-04, AT-08
func TestTheLifeOfAKey(t *testing.T) {
	r, m := clocked(t)
	life := keys.DefaultSchedule()
	first, old := kids(t, r), signed(t, r)
	must(t, r.Rotate(ctx))
	must(t, r.Rotate(ctx)) // one rotation is under way: nothing changes
	published := kids(t, r)
	if len(published) != 6 || !slices.Equal(published[:3], first) || m.changed != 1 {
		t.Fatalf("published %v after %v", published, first)
	}
	for _, step := range []struct {
		after          time.Duration
		signs, access  bool // the new keys sign; the old access key verifies
		id             bool
		published, set int
	}{
		{life.Ahead - time.Millisecond, false, true, true, 6, 6},
		{time.Millisecond, true, true, true, 6, 6},
		{life.KeepAccess - time.Millisecond, true, true, true, 6, 6},
		{time.Millisecond, true, false, true, 5, 6},
		{2 * time.Minute, true, false, true, 5, 5},
		{life.KeepID, true, false, false, 3, 3},
	} {
		m.wait(step.after)
		if rotated, err := r.Keep(ctx); rotated || err != nil {
			t.Fatal(rotated, err)
		}
		fresh := signed(t, r)
		if errs := accepted(r, fresh); !good(errs) {
			t.Errorf("after %v a fresh token is refused: %v", step.after, errs)
		}
		for _, text := range fresh {
			if kid := kidOf(t, text); slices.Contains(first, kid) == step.signs || !slices.Contains(kids(t, r), kid) {
				t.Errorf("after %v %s signs", step.after, kid)
			}
		}
		errs := accepted(r, old)
		for _, err := range errs {
			if err != nil && !errors.Is(err, keys.ErrJWS) {
				t.Errorf("after %v: %v", step.after, err)
			}
		}
		if (errs[0] == nil) != step.access || (errs[1] == nil) != step.id || (errs[2] == nil) != step.id {
			t.Errorf("after %v the old tokens: %v", step.after, errs)
		}
		if len(kids(t, r)) != step.published || len(m.keys) != step.set {
			t.Errorf("after %v %d keys are published and %d stored", step.after, len(kids(t, r)), len(m.keys))
		}
	}
}

// A year of a server that looks once an hour: no key signs before everybody
// could have read it or for longer than the schedule says, every token is good for
// as long as it may live, and the store does not grow.
//
// spec: OIDC-04
// attack: JW-09
func TestTheScheduleKeepsItsWord(t *testing.T) {
	r, m := clocked(t)
	life := keys.DefaultSchedule()
	seen := map[string]time.Time{} // kid: first published
	signs := map[string]time.Time{}
	type minted struct {
		tokens []string
		at     time.Time
	}
	var alive []minted
	rotations := 0
	for hour := range 365 * 24 {
		rotated, err := r.Keep(ctx)
		must(t, err)
		if rotated {
			rotations++
		}
		now := m.now()
		for _, k := range r.List() {
			if seen[k.ID].IsZero() {
				seen[k.ID] = now
			}
			if k.State != keys.Signing {
				continue
			}
			if signs[k.ID].IsZero() {
				signs[k.ID] = now
			}
			if hour > 0 && signs[k.ID] == now && now.Sub(seen[k.ID]) < life.Ahead {
				t.Fatalf("a key signs %v after it was published", now.Sub(seen[k.ID]))
			}
			if now.Sub(signs[k.ID]) > life.Every+2*time.Hour {
				t.Fatalf("a key has signed for %v", now.Sub(signs[k.ID]))
			}
		}
		if hour%25 == 0 {
			alive = append(alive, minted{signed(t, r), now})
			for len(alive) > 0 && now.Sub(alive[0].at) > 7*day {
				alive = alive[1:]
			}
			for _, a := range []minted{alive[0], alive[len(alive)-1]} {
				errs := accepted(r, a.tokens)
				if now.Sub(a.at) <= time.Hour && errs[0] != nil || errs[1] != nil || errs[2] != nil {
					t.Fatalf("a token that is %v old: %v", now.Sub(a.at), errs)
				}
			}
		}
		if len(m.keys) > 9 {
			t.Fatalf("%d keys are stored", len(m.keys))
		}
		m.wait(time.Hour)
	}
	if rotations != 12 {
		t.Errorf("%d rotations in a year", rotations)
	}
}

// A server that was away for long publishes first, like any other.
func TestAfterALongAbsence(t *testing.T) {
	r, m := clocked(t)
	before := kidOf(t, signed(t, r)[0])
	m.wait(400 * day)
	if rotated, err := r.Keep(ctx); !rotated || err != nil {
		t.Fatal(rotated, err)
	}
	if kidOf(t, signed(t, r)[0]) != before {
		t.Error("a key signs in the moment when it is published")
	}
	m.wait(keys.DefaultSchedule().Ahead)
	if kidOf(t, signed(t, r)[0]) == before {
		t.Error("the next key does not sign")
	}
}

// attack: F-60
func TestAClockThatIsSetBack(t *testing.T) {
	r, m := clocked(t)
	must(t, r.Rotate(ctx))
	m.wait(keys.DefaultSchedule().Ahead)
	after := signed(t, r)
	m.wait(-2 * time.Hour)
	for _, tokens := range [][]string{after, signed(t, r)} {
		if errs := accepted(r, tokens); !good(errs) {
			t.Error(errs)
		}
	}
	m.wait(-400 * day) // before any key was made
	if errs := accepted(r, signed(t, r)); !good(errs) {
		t.Error(errs)
	}
}

// After a theft nothing that was there signs or verifies: not the signing keys, not
// the published ones, not the retired ones, here at once and elsewhere with the feed.
//
// spec: AT-08
func TestStolenKeysAreGoneAtOnce(t *testing.T) {
	r, m := clocked(t)
	other, err := open(t, m, m.kek)
	must(t, err)
	stolen := signed(t, r)
	must(t, r.Rotate(ctx))
	m.wait(keys.DefaultSchedule().Ahead)
	must(t, r.Rotate(ctx)) // retired, signing and published keys
	must(t, other.Reload(ctx))
	stolen = append(stolen, signed(t, r)...)
	before := kids(t, r)
	must(t, r.Replace(ctx))
	fresh := signed(t, r)
	if errs := accepted(r, fresh); !good(errs) {
		t.Errorf("the new keys: %v", errs)
	}
	for _, err := range accepted(other, fresh) {
		if !errors.Is(err, keys.ErrUnknownKey) || !errors.Is(err, keys.ErrJWS) {
			t.Errorf("a process that has not read the new keys: %v", err)
		}
	}
	must(t, other.Reload(ctx))
	if errs := accepted(other, fresh); !good(errs) {
		t.Errorf("the other process: %v", errs)
	}
	for _, ring := range []*keys.Ring{r, other} {
		for _, list := range [][]string{stolen[:3], stolen[3:]} {
			for _, err := range accepted(ring, list) {
				if !errors.Is(err, keys.ErrJWS) {
					t.Errorf("a token of a stolen key: %v", err)
				}
			}
		}
		for _, kid := range kids(t, ring) {
			if slices.Contains(before, kid) {
				t.Errorf("%s is still published", kid)
			}
		}
	}
}

// Rotators of several processes at once: one decides, and all agree.
//
// attack: F-42
func TestRotatorsAgree(t *testing.T) {
	for name, change := range map[string]func(r *keys.Ring) error{
		"rotate":  func(r *keys.Ring) error { return r.Rotate(ctx) },
		"replace": func(r *keys.Ring) error { return r.Replace(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			r, m := clocked(t)
			other, err := open(t, m, m.kek)
			must(t, err)
			var done sync.WaitGroup
			for i := range 6 {
				done.Go(func() {
					if err := change([]*keys.Ring{r, other}[i%2]); err != nil {
						t.Error(err)
					}
				})
			}
			done.Wait()
			must(t, r.Reload(ctx))
			must(t, other.Reload(ctx))
			if !slices.Equal(kids(t, r), kids(t, other)) || name == "rotate" && m.changed != 1 {
				t.Errorf("%d changes, published %v and %v", m.changed, kids(t, r), kids(t, other))
			}
			if errs := accepted(other, signed(t, r)); !good(errs) {
				t.Error(errs)
			}
		})
	}
}

// Only a kid that could be ours is worth another look.
func TestAKidThatCannotBeOurs(t *testing.T) {
	r, _ := ring(t)
	foreign, _ := ring(t)
	if _, _, err := r.Verify(keys.UseAccess, "t", signed(t, foreign)[0]); !errors.Is(err, keys.ErrUnknownKey) {
		t.Errorf("a kid of our form: %v", err)
	}
	for _, kid := range []string{"", "x", "aaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaa!", "aaaaaaaaaaaaaaa="} {
		if _, _, err := r.Verify(keys.UseAccess, "t", withKid(t, signed(t, foreign)[0], kid)); errors.Is(err, keys.ErrUnknownKey) || !errors.Is(err, keys.ErrJWS) {
			t.Errorf("kid %q: %v", kid, err)
		}
	}
}

func TestSchedulesThatAreRefused(t *testing.T) {
	_, m := ring(t)
	for name, spoil := range map[string]func(s *keys.Schedule){
		"no end":             func(s *keys.Schedule) { s.Every = 0 },
		"no warning":         func(s *keys.Schedule) { s.Ahead = 0 },
		"access tokens lost": func(s *keys.Schedule) { s.KeepAccess = 0 },
		"ID tokens lost":     func(s *keys.Schedule) { s.KeepID = 0 },
		"never signs":        func(s *keys.Schedule) { s.Ahead = s.Every },
	} {
		deps := keys.Deps{Store: m, KEKFile: m.kek, Schedule: keys.DefaultSchedule(), Now: m.now, Log: discard}
		spoil(&deps.Schedule)
		if _, err := keys.Open(ctx, deps); err == nil {
			t.Error(name)
		}
	}
}
