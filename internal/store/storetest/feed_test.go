package storetest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

func TestChangesComeInOrderWithinTheWindow(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		must(t, w.Announce(ctx, store.ChangePatientPolicy, "old"))
		w.move(t, time.Minute)
		for i := range 3 {
			must(t, w.Announce(ctx, store.ChangePatientPolicy, fmt.Sprint("new", i)))
		}
		changes, err := w.Changes(ctx, 30*time.Second)
		must(t, err)
		last := int64(0)
		for i, c := range changes {
			if c.ID != fmt.Sprint("new", i) || c.Kind != store.ChangePatientPolicy || c.Seq <= last || w.now(t).Sub(c.At).Abs() > 10*time.Second {
				t.Errorf("row %d: %+v", i, c)
			}
			last = c.Seq
		}
		if len(changes) != 3 || !told(t, w, store.ChangePatientPolicy, "old") {
			t.Errorf("%d rows in the window", len(changes))
		}
	})
}

func TestEventsAreKeptInOrder(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		first, last := filled[store.Event]("first"), filled[store.Event]("last")
		must(t, w.Record(ctx, first))
		must(t, w.Record(ctx, last))
		events, err := w.ListEvents(ctx, 2)
		must(t, err)
		same(t, []store.Event{last, first}, events)
		events, err = w.ListEvents(ctx, 1)
		must(t, err)
		same(t, []store.Event{last}, events)
	})
}

func TestThrottleWindows(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		count := func(key string, want int, left time.Duration) {
			t.Helper()
			n, until, err := w.Count(ctx, key, time.Minute)
			must(t, err)
			if off := until.Sub(w.now(t)) - left; n != want || off.Abs() > 5*time.Second {
				t.Errorf("%s: %d until %v, want %d and %v", key, n, until.Sub(w.now(t)), want, left)
			}
		}
		count("a", 1, time.Minute)
		w.move(t, 30*time.Second)
		count("a", 2, 30*time.Second)
		count("A", 1, time.Minute)
		w.move(t, 31*time.Second)
		count("a", 1, time.Minute) // the window was over
		count("a", 2, time.Minute)
		must(t, w.ResetCount(ctx, "a"))
		must(t, w.ResetCount(ctx, "unknown"))
		count("a", 1, time.Minute)
	})
}

// spec: F-85
func TestSweepRemovesWhatHasEnded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		q, s, id := request(t, w), session(t, w), redeemed(t, w, offline)
		revoked := redeemed(t, w, offline)
		_, err := w.Revoke(ctx, store.Revocation{GrantID: revoked, Reason: "x"})
		must(t, err)
		d := filled[store.ConsentDecision]("decision")
		i := newGrant(offline)
		i.Decision = &d
		must(t, w.IssueCode(ctx, i))
		must(t, w.RevokeToken(ctx, store.RevokedToken{TokenID: "jti", ExpiresAt: w.now(t).Add(time.Minute)}))
		errs := together(8, func(caller int) error { // more than one batch
			for n := range 300 {
				if _, _, err := w.Count(ctx, fmt.Sprint(caller, ":", n), time.Minute); err != nil {
					return err
				}
			}
			return nil
		})
		winners(t, errs)

		_, err = w.db.Exec(ctx, `INSERT INTO fhir_export (id, client, at, expires, revision, counted, asked, progress) VALUES ('e', 'c', 0, $1, 0, 0, '{}', '{}')`,
			w.now(t).Add(24*time.Hour).UnixMilli())
		must(t, err)

		must(t, w.Sweep(ctx)) // nothing has ended
		if _, err := w.Request(ctx, q.HandleHash, q.BrowserHash); err != nil {
			t.Errorf("a request: %v", err)
		}
		if _, err := w.Session(ctx, s); err != nil {
			t.Errorf("a session: %v", err)
		}
		rows(t, w, map[string]int{"authorization_request": 1, "browser_session": 1, "throttle": 2400, "revoked_token": 1, "fhir_export": 1})

		w.move(t, 30*24*time.Hour)
		young := request(t, w)
		must(t, w.Sweep(ctx))
		rows(t, w, map[string]int{
			"authorization_request": 1, "browser_session": 0, "throttle": 0, "revoked_token": 0, "change_feed": 0, "fhir_export": 0,
			"authorization_grant": 3, "consent_decision": 1, "client": 2, "account": 1,
		})
		if _, err := w.Request(ctx, young.HandleHash, young.BrowserHash); err != nil {
			t.Errorf("a young request: %v", err)
		}
		refreshed(t, w, use(id, 1), 2, false)
		refused(t, w, use(revoked, 1), store.ErrRevoked)
		if events, err := w.ListEvents(ctx, 10); err != nil || len(events) == 0 {
			t.Errorf("events: %v, %v", events, err)
		}
	})
}

func rows(t *testing.T, w world, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for table := range want {
		var n int
		must(t, w.db.QueryRow(ctx, `SELECT count(*) FROM `+table).Scan(&n))
		got[table] = n
	}
	same(t, want, got)
}

func TestPing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		must(t, w.Ping(ctx))
		must(t, w.db.Close())
		if err := w.Ping(ctx); err == nil {
			t.Error("a closed database answers")
		}
	})
}

// Without a table for writes the database is not ready, though it answers.
func TestPingNeedsAWritableDatabase(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		_, err := w.db.Exec(ctx, `DROP TABLE throttle`)
		must(t, err)
		if err := w.Ping(ctx); err == nil {
			t.Error("ready without being able to write")
		}
	})
}

// What the database cannot do is an error of its own, never "not found".
//
// spec: P-13
// attack: RT-19
func TestFailuresAreNotAnswers(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id, r := issue(t, w, offline)
		must(t, w.db.Close())
		for name, err := range map[string]error{
			"redeeming": second(w.RedeemCode(ctx, r)), "refreshing": second(w.RefreshGrant(ctx, use(id, 1))),
			"revoking": second(w.Revoke(ctx, store.Revocation{GrantID: id})), "a session": second(w.Session(ctx, random(32))),
			"a client": second(w.Client(ctx, "app")), "a try": second(w.TryInvitation(ctx, random(32), 5)),
			"a token": w.RevokeToken(ctx, store.RevokedToken{TokenID: "t"}), "an answer": w.AnswerRequest(ctx, random(32), nil),
		} {
			if err == nil {
				t.Errorf("%s succeeded on a closed database", name)
			}
			for _, answer := range []error{store.ErrNotFound, store.ErrConflict, store.ErrConsumed, store.ErrExpired, store.ErrMismatch, store.ErrRevoked, db.ErrNoRow} {
				if errors.Is(err, answer) {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	})
}
