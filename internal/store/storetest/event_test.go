package storetest_test

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/store"
)

func keeper(t testing.TB, s audit.Store) *audit.Keeper {
	t.Helper()
	k, err := audit.New(audit.Deps{Store: s, Key: []byte("0123456789abcdef0123456789abcdef"), Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	return k
}

// chained is a world with a chain of six events.
func chained(t *testing.T, w world) *audit.Keeper {
	t.Helper()
	for i := range 6 {
		must(t, w.Record(ctx, filled[store.Event](fmt.Sprint("event", i))))
	}
	k := keeper(t, w)
	must(t, k.Chain(ctx))
	return k
}

// seqAt is the number of the event at a place.
func seqAt(t *testing.T, w world, place int64) int64 {
	t.Helper()
	c, err := w.ReadChain(ctx, place-1, 1)
	must(t, err)
	return c[0].Seq
}

// unlocked runs statements as somebody does who owns the database.
func unlocked(t *testing.T, w world, stmts ...string) {
	t.Helper()
	drop := []string{`DROP TRIGGER event_unchanged`, `DROP TRIGGER event_kept`, `DROP TRIGGER event_waits`}
	if w.db.Dialect().String() == "postgres" {
		drop = []string{`DROP TRIGGER event_unchanged ON security_event`, `DROP TRIGGER event_waits ON security_event`}
	}
	for _, stmt := range append(drop, stmts...) {
		_, err := w.db.Exec(ctx, stmt)
		must(t, err)
	}
}

// Whatever is done to the record after it was chained is found, and named.
//
// attack: LO-07
func TestTheChainShowsWhatWasDone(t *testing.T) {
	const columns = `at, kind, actor, client_id, patient, grant_id, outcome, detail`
	both(t, func(t *testing.T, w world) {
		k := chained(t, w)
		r, err := k.Verify(ctx, audit.Head{})
		must(t, err)
		if !r.OK || r.Events != 6 || len(r.Findings) > 0 {
			t.Fatalf("untouched: %+v", r)
		}
	})
	for name, row := range map[string]struct {
		stmts []string // %[n]d is the number of the event at place n
		want  []string
	}{
		"changed":          {[]string{`UPDATE security_event SET outcome = 'ok' WHERE seq = %[3]d`}, []string{"changed 3"}},
		"another time":     {[]string{`UPDATE security_event SET at = at + 1 WHERE seq = %[1]d`}, []string{"changed 1"}},
		"removed":          {[]string{`DELETE FROM security_event WHERE seq = %[4]d`}, []string{"removed 4"}},
		"the last removed": {[]string{`DELETE FROM security_event WHERE seq = %[6]d`}, []string{"removed 6"}},
		"removed with its place": {[]string{
			`DELETE FROM security_event WHERE seq = %[4]d`, `DELETE FROM event_chain WHERE place = 4`}, []string{"missing-place 4"}},
		"removed, and the places closed": {[]string{
			`DELETE FROM security_event WHERE seq = %[5]d`, `DELETE FROM event_chain WHERE place = 5`, `UPDATE event_chain SET place = 5 WHERE place = 6`}, []string{"changed 5"}},
		"inserted": {[]string{`INSERT INTO security_event (` + columns + `) SELECT ` + columns + ` FROM security_event WHERE seq = %[2]d`}, []string{"inserted 0"}},
		"moved": {[]string{
			`UPDATE event_chain SET place = 99 WHERE place = 2`, `UPDATE event_chain SET place = 2 WHERE place = 3`, `UPDATE event_chain SET place = 3 WHERE place = 99`},
			[]string{"changed 2", "changed 3", "changed 4"}},
		"removed while it waits": {[]string{`INSERT INTO event_unchained (seq) VALUES (4711)`}, []string{"removed 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				k := chained(t, w)
				seqs := []any{}
				for place := range int64(6) {
					seqs = append(seqs, seqAt(t, w, place+1))
				}
				var stmts []string
				for _, s := range row.stmts {
					stmts = append(stmts, fmt.Sprintf(s+"%[7]s", append(slices.Clone(seqs), "")...))
				}
				unlocked(t, w, stmts...)
				r, err := k.Verify(ctx, audit.Head{})
				must(t, err)
				var got []string
				for _, f := range r.Findings {
					got = append(got, fmt.Sprint(f.What, " ", f.Place))
				}
				if r.OK || !slices.Equal(got, row.want) {
					t.Errorf("%v, want %v", got, row.want)
				}
			})
		})
	}
}

// What is cut off at the end shows
// against a head that was noted before, and not otherwise.
func TestANotedHeadShowsACut(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		k := chained(t, w)
		r, err := k.Verify(ctx, audit.Head{})
		must(t, err)
		noted, err := audit.ParseHead(r.Head)
		must(t, err)
		must(t, w.Record(ctx, filled[store.Event]("later")))
		if r, err = k.Verify(ctx, noted); err != nil || !r.OK || r.Events != 7 {
			t.Fatalf("grown: %+v %v", r, err)
		}
		unlocked(t, w, fmt.Sprintf(`DELETE FROM security_event WHERE seq >= %d`, seqAt(t, w, 6)), `DELETE FROM event_chain WHERE place >= 6`)
		if r, err = k.Verify(ctx, audit.Head{}); err != nil || !r.OK {
			t.Errorf("without a head a cut does not show: %+v %v", r, err)
		}
		if r, err = k.Verify(ctx, noted); err != nil || r.OK || r.Findings[0] != (audit.Finding{What: "cut", Place: 6}) {
			t.Errorf("%+v %v", r, err)
		}
	})
}

// Events are only added.
//
// spec: AUD-15
func TestEventsAreOnlyAdded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		chained(t, w)
		for _, stmt := range []string{`UPDATE security_event SET outcome = 'ok'`, `DELETE FROM security_event`} {
			if _, err := w.db.Exec(ctx, stmt); err == nil {
				t.Error(stmt)
			}
		}
		events, err := w.ListEvents(ctx, 10)
		must(t, err)
		if len(events) != 6 {
			t.Errorf("%d events", len(events))
		}
	})
}

// Processes that chain while others write: every event has one place, none is left.
func TestProcessesChainAtOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for n := range 25 {
					if err := w.Record(ctx, filled[store.Event](fmt.Sprint(i, ".", n))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for _, s := range []audit.Store{w, w.other, w, w.other} {
			k := keeper(t, s)
			all.Go(func() {
				for range 10 {
					if err := k.Chain(ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		r, err := keeper(t, w).Verify(ctx, audit.Head{})
		must(t, err)
		if !r.OK || r.Events != 100 {
			t.Errorf("%+v", r)
		}
	})
}

// sheet is one with a body, about these patients.
func sheet(at time.Time, body string, patients ...string) store.Sheet {
	return store.Sheet{At: at, Body: []byte(body), Patients: patients}
}

// Sheets are events: found by patient with all others about them, in the order of
// their times, page by page, and chained with their bodies.
//
// spec: AUD-04, AUD-15
func TestPortionsAreFoundByPatient(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		at := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
		must(t, w.AppendSheets(ctx, []store.Sheet{sheet(at, "one", "maria", "leo"), sheet(at.Add(time.Second), "two", "leo")}))
		must(t, w.Record(ctx, store.Event{At: at.Add(2 * time.Second), Kind: "consent.given", Patient: "maria", Outcome: "ok"}))
		must(t, w.AppendSheets(ctx, []store.Sheet{sheet(at.Add(3*time.Second), "three", "maria"), sheet(at, "nobody's")}))
		found := func(q store.EventQuery) (list []string, last store.KeptEvent) {
			t.Helper()
			events, err := w.EventsOf(ctx, q)
			must(t, err)
			for _, e := range events {
				list, last = append(list, e.Kind+" "+string(e.Body)), e
				one, err := w.KeptEvent(ctx, e.Seq)
				must(t, err)
				same(t, e, one)
			}
			return list, last
		}
		list, last := found(store.EventQuery{Patient: "maria", Limit: 2})
		same(t, []string{"trail three", "consent.given "}, list)
		list, _ = found(store.EventQuery{Patient: "maria", Limit: 2, BehindAt: last.At, BehindSeq: last.Seq})
		same(t, []string{"trail one"}, list)
		list, _ = found(store.EventQuery{Patient: "leo", Limit: 9, Since: at.Add(time.Second)})
		same(t, []string{"trail two"}, list)
		list, _ = found(store.EventQuery{Patient: "leo", Limit: 9, Until: at})
		same(t, []string{"trail one"}, list)
		if list, _ = found(store.EventQuery{Patient: "nobody", Limit: 9}); list != nil {
			t.Error(list)
		}
		if _, err := w.KeptEvent(ctx, 4711); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		k := keeper(t, w)
		r, err := k.Verify(ctx, audit.Head{})
		must(t, err)
		if !r.OK || r.Events != 5 {
			t.Fatalf("%+v", r)
		}
		unlocked(t, w, `UPDATE security_event SET body = CAST('onE' AS `+map[string]string{"sqlite": "BLOB", "postgres": "BYTEA"}[w.db.Dialect().String()]+`) WHERE seq = `+fmt.Sprint(seqAt(t, w, 1)))
		if r, err = k.Verify(ctx, audit.Head{}); err != nil || r.OK || r.Findings[0].What != "changed" || r.Findings[0].Place != 1 {
			t.Errorf("a changed body: %+v %v", r, err)
		}
	})
}

// What is old is removed from the beginning, and the rest is verified from there; nobody
// else can move the beginning.
//
// spec: AUD-15
// attack: LO-07
func TestTheChainIsPruned(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		k, at := hourly(t, w)
		whole, err := k.Verify(ctx, audit.Head{})
		must(t, err)
		early, err := audit.ParseHead(whole.Head)
		must(t, err)
		n, err := k.Prune(ctx, at.Add(3*time.Hour))
		must(t, err)
		r, err := k.Verify(ctx, early)
		must(t, err)
		if n != 3 || !r.OK || r.Events != 3 || r.Pruned != 3 || r.Head != whole.Head {
			t.Fatalf("%d removed: %+v", n, r)
		}
		left, err := w.EventsOf(ctx, store.EventQuery{Patient: "maria", Limit: 9})
		must(t, err)
		if len(left) != 3 {
			t.Errorf("%d are found", len(left))
		}
		if _, err := w.db.Exec(ctx, `DELETE FROM security_event`); err == nil {
			t.Error("what is behind the beginning was removed")
		}
		// All of it, and then what comes is chained behind what is gone.
		if _, err := k.Prune(ctx, at.Add(99*time.Hour)); err != nil {
			t.Fatal(err)
		}
		must(t, w.AppendSheets(ctx, []store.Sheet{sheet(at, "later", "maria")}))
		if r, err = k.Verify(ctx, audit.Head{}); err != nil || !r.OK || r.Events != 1 || r.Pruned != 6 {
			t.Errorf("%+v %v", r, err)
		}
	})
	for name, row := range map[string]struct{ stmt, want string }{
		"a beginning of somebody else": {`UPDATE event_anchor SET place = 4, link = (SELECT link FROM event_chain WHERE place = 4)`, "beginning"},
		"the beginning removed":        {`DELETE FROM event_anchor`, "missing-place"},
		"an event before it":           {`UPDATE event_chain SET place = 1 WHERE place = 6`, "inserted"},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				k, at := hourly(t, w)
				if n, err := k.Prune(ctx, at.Add(3*time.Hour)); err != nil || n != 3 {
					t.Fatal(n, err)
				}
				unlocked(t, w, row.stmt)
				r, err := k.Verify(ctx, audit.Head{})
				must(t, err)
				if r.OK || r.Findings[0].What != row.want {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// hourly is a chain of six sheets, one each hour, and the time of the first.
func hourly(t *testing.T, w world) (*audit.Keeper, time.Time) {
	t.Helper()
	at := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)
	for i := range 6 {
		must(t, w.AppendSheets(ctx, []store.Sheet{sheet(at.Add(time.Duration(i)*time.Hour), fmt.Sprint("body", i), "maria")}))
	}
	k := keeper(t, w)
	must(t, k.Chain(ctx))
	return k, at
}

// An event that somebody has removed is found for ever: pruning stops before it.
//
// attack: LO-07
func TestPruningHidesNothing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		k := chained(t, w)
		unlocked(t, w, fmt.Sprintf(`DELETE FROM security_event WHERE seq = %d`, seqAt(t, w, 3)))
		if w.db.Dialect().String() == "postgres" { // put back, as if nothing had been
			_, err := w.db.Exec(ctx, `CREATE TRIGGER event_unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON security_event FOR EACH STATEMENT EXECUTE FUNCTION event_unchanged()`)
			must(t, err)
		}
		if n, err := k.Prune(ctx, time.Now().AddDate(99, 0, 0)); err != nil || n != 2 {
			t.Fatal(n, err)
		}
		if r, err := k.Verify(ctx, audit.Head{}); err != nil || r.OK || r.Findings[0] != (audit.Finding{What: "removed", Place: 3, Seq: r.Findings[0].Seq}) {
			t.Errorf("%+v %v", r, err)
		}
	})
}
