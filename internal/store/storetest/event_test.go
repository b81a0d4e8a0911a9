package storetest_test

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/store"
)

func keeper(t testing.TB, s store.EventChain) *audit.Keeper {
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
		for _, s := range []store.EventChain{w, w.other, w, w.other} {
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
