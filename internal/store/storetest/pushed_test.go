package storetest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// pushed stores a pushed request of a client that lives 90 seconds.
func pushed(t testing.TB, w world, client store.ClientID) store.PushedRequest {
	t.Helper()
	p := store.PushedRequest{
		ReferenceHash: random(32), Life: 90 * time.Second,
		Request: store.AuthorizationRequest{ClientID: client, Scopes: []string{"patient/*.rs?_tag=a|b,c"}, RedirectURI: "http://r"},
	}
	must(t, w.CreatePushedRequest(ctx, p))
	return p
}

func TestPushedRequestsComeBackWhole(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		q := filled[store.AuthorizationRequest]("pushed")
		p := store.PushedRequest{ReferenceHash: random(32), Request: q, Life: 90 * time.Second}
		must(t, w.CreatePushedRequest(ctx, p))
		got, err := w.PushedRequest(ctx, p.ReferenceHash, q.ClientID)
		must(t, err)
		want := store.PushedRequest{ReferenceHash: p.ReferenceHash, Request: store.AuthorizationRequest{
			ClientID: q.ClientID, RedirectURI: q.RedirectURI, State: q.State, HasState: q.HasState, Scopes: q.Scopes, Audience: q.Audience,
			CodeChallenge: q.CodeChallenge, DPoPKey: q.DPoPKey, Nonce: q.Nonce, ResponseMode: q.ResponseMode, Prompt: q.Prompt, MaxAge: q.MaxAge, LoginHint: q.LoginHint, HintedUser: q.HintedUser,
			UILocales: q.UILocales, LaunchHash: q.LaunchHash, LaunchContext: q.LaunchContext, LaunchUser: q.LaunchUser,
		}}
		same(t, want, got)
		if err := w.CreatePushedRequest(ctx, p); !errors.Is(err, store.ErrConflict) {
			t.Errorf("the same reference twice: %v", err)
		}
	})
}

// spec: AUTHZ-54
// attack: AZ-22
func TestAPushedRequestIsGoodOnceAndForItsClient(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		p := pushed(t, w, "app")
		near := append([]byte(nil), p.ReferenceHash...)
		near[31] ^= 1
		gone := func(name string, hash []byte, client store.ClientID) {
			t.Helper()
			if got, err := w.PushedRequest(ctx, hash, client); !errors.Is(err, store.ErrNotFound) || got.Request.ClientID != "" {
				t.Errorf("%s, looked at: %+v, %v", name, got, err)
			}
			if err := w.UsePushedRequest(ctx, hash, client); !errors.Is(err, store.ErrConsumed) {
				t.Errorf("%s, used: %v", name, err)
			}
		}
		gone("unknown", random(32), "app")
		gone("none", nil, "app")
		gone("one bit", near, "app")
		gone("another client", p.ReferenceHash, "evil")
		gone("no client", p.ReferenceHash, "")
		for range 2 { // looking does not use it up
			got, err := w.other.PushedRequest(ctx, p.ReferenceHash, "app")
			if err != nil || got.Used {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		must(t, w.other.UsePushedRequest(ctx, p.ReferenceHash, "app"))
		if err := w.UsePushedRequest(ctx, p.ReferenceHash, "app"); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("used twice: %v", err)
		}
		if got, err := w.PushedRequest(ctx, p.ReferenceHash, "app"); err != nil || !got.Used {
			t.Errorf("used, looked at: %+v, %v", got, err)
		}

		late, old := pushed(t, w, "app"), pushed(t, w, "app")
		w.move(t, 85*time.Second)
		must(t, w.UsePushedRequest(ctx, late.ReferenceHash, "app"))
		w.move(t, 6*time.Second)
		gone("expired", old.ReferenceHash, "app")
		gone("used and expired", late.ReferenceHash, "app")
	})
}

// attack: F-50
func TestAPushedRequestHasOneWinner(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			p := pushed(t, w, "app")
			errs := together(8, func(i int) error { return w.handle(i).UsePushedRequest(ctx, p.ReferenceHash, "app") })
			if n := winners(t, errs, store.ErrConsumed); n != 1 {
				t.Fatalf("%d callers began the request", n)
			}
		}
	})
}

// The pushed requests of one client are bounded, used or not, and those of others
// stay.
//
// attack: AZ-36
func TestPushedRequestsAreBounded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		const limit, extra, callers = 1000, 40, 20
		oldest, others := pushed(t, w, "app"), pushed(t, w, "evil")
		must(t, w.UsePushedRequest(ctx, oldest.ReferenceHash, "app"))
		w.move(t, time.Second) // whatever comes is younger
		errs := together(callers, func(caller int) error {
			for range (limit + extra) / callers {
				p := store.PushedRequest{ReferenceHash: random(32), Request: store.AuthorizationRequest{ClientID: "app"}, Life: 90 * time.Second}
				if err := w.handle(caller).CreatePushedRequest(ctx, p); err != nil {
					return err
				}
			}
			return nil
		})
		winners(t, errs)
		newest := pushed(t, w, "app")
		rows(t, w, map[string]int{"pushed_request": limit + 1})
		if _, err := w.PushedRequest(ctx, oldest.ReferenceHash, "app"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the oldest: %v", err)
		}
		for name, p := range map[string]store.PushedRequest{"the newest": newest, "of another client": others} {
			if _, err := w.PushedRequest(ctx, p.ReferenceHash, p.Request.ClientID); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Those of all clients together are bounded as well.
//
// attack: AZ-36
func TestPushedRequestsOfAllAreBounded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		const limit, extra = 10_000, 300
		_, err := w.db.Exec(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO pushed_request (reference_hash, client_id, asked, expires) SELECT `+bytesOf(w, "i")+`, 'c' || (i % 20), '{}', `+w.db.NowExpr()+` + i FROM n`, int64(limit+extra))
		must(t, err)
		for range 64 {
			pushed(t, w, "app")
		}
		rows(t, w, map[string]int{"pushed_request": limit})
	})
}

// Whoever can push for a client without proof does not push out what others have
// pushed: one network has so many references of a client, and so many of all.
//
// spec: AUTHZ-55
// attack: AZ-36
func TestPushedRequestsOfANetworkAreBounded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		push := func(client store.ClientID, network string) error {
			return w.CreatePushedRequest(ctx, store.PushedRequest{
				ReferenceHash: random(32), Request: store.AuthorizationRequest{ClientID: client}, Life: 90 * time.Second, Network: network,
			})
		}
		most := func(client store.ClientID, want int) {
			t.Helper()
			for n := range want {
				if err := push(client, "192.0.2.1"); err != nil {
					t.Fatalf("%s, the %dth: %v", client, n+1, err)
				}
			}
			wants(t, "one more of "+string(client), push(client, "192.0.2.1"), store.ErrFull)
		}
		others := pushed(t, w, "app")
		for n := range 5 {
			most([]store.ClientID{"app", "a", "b", "c", "d"}[n], 200)
		}
		wants(t, "of any client", push("e", "192.0.2.1"), store.ErrFull)
		wants(t, "of another network", push("app", "192.0.2.2"), nil)
		wants(t, "of nobody who is counted", push("app", ""), nil)
		if _, err := w.PushedRequest(ctx, others.ReferenceHash, "app"); err != nil {
			t.Errorf("of somebody else: %v", err)
		}
		rows(t, w, map[string]int{"pushed_request": 1003})
		w.move(t, 91*time.Second)
		wants(t, "when those are over", push("app", "192.0.2.1"), nil)
	})
}

// bytesOf is a number as a key.
func bytesOf(w world, column string) string {
	if w.url[:8] == "postgres" {
		return `decode(lpad(to_hex(` + column + `), 8, '0'), 'hex')`
	}
	return `CAST(` + column + ` AS BLOB)`
}

func TestPushedRequestsAreSwept(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		old := pushed(t, w, "app")
		must(t, w.UsePushedRequest(ctx, old.ReferenceHash, "app"))
		must(t, w.Sweep(ctx))
		rows(t, w, map[string]int{"pushed_request": 1})
		w.move(t, 91*time.Second)
		young := pushed(t, w, "app")
		must(t, w.Sweep(ctx))
		rows(t, w, map[string]int{"pushed_request": 1})
		must(t, w.UsePushedRequest(ctx, young.ReferenceHash, "app"))
	})
}
