package storetest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// launched stores a launch of app that lives five minutes.
func launched(t testing.TB, w world) store.Launch {
	t.Helper()
	l := store.Launch{HandleHash: random(32), ClientID: "app", UserID: "u", Context: `{"patient":"p","intent":"` + "日本" + `"}`, Life: 5 * time.Minute}
	must(t, w.CreateLaunch(ctx, l, store.Event{At: w.now(t), Kind: "launch", Actor: "ehr", ClientID: "app", Patient: "p", Outcome: "ok"}))
	return l
}

// spec: CTX-04, CTX-36
// attack: SL-01, SL-03
func TestALaunchIsGoodOnceAndForItsClient(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		l := launched(t, w)
		gone := func(name string, hash []byte, client store.ClientID) {
			t.Helper()
			if got, err := w.ConsumeLaunch(ctx, hash, client); !errors.Is(err, store.ErrNotFound) || got.Context != "" {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		gone("unknown", random(32), "app")
		gone("none", nil, "app")
		gone("another client", l.HandleHash, "evil")
		got, err := w.other.ConsumeLaunch(ctx, l.HandleHash, "app")
		must(t, err)
		l.Life = 0 // is counted down by the database
		same(t, l, got)
		gone("used", l.HandleHash, "app")

		late, old := launched(t, w), launched(t, w)
		w.move(t, 4*time.Minute+50*time.Second)
		_, err = w.ConsumeLaunch(ctx, late.HandleHash, "app")
		must(t, err)
		w.move(t, 5*time.Minute)
		gone("expired", old.HandleHash, "app")
	})
}

// attack: F-50
func TestALaunchHasOneWinner(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			l := launched(t, w)
			errs := together(8, func(i int) error {
				_, err := w.handle(i).ConsumeLaunch(ctx, l.HandleHash, "app")
				return err
			})
			if n := winners(t, errs, store.ErrNotFound); n != 1 {
				t.Fatalf("%d callers had the launch", n)
			}
		}
	})
}

// Launch and event are written both or not at all.
//
// spec: CTX-35
func TestALaunchIsRecorded(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		l := launched(t, w)
		events, err := w.ListEvents(ctx, 1)
		must(t, err)
		if len(events) != 1 || events[0].Kind != "launch" || events[0].Actor != "ehr" || events[0].Patient != "p" || events[0].ClientID != "app" {
			t.Errorf("events %+v", events)
		}
		if err := w.CreateLaunch(ctx, l, store.Event{At: w.now(t), Kind: "again"}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("the same value twice: %v", err)
		}
		rows(t, w, map[string]int{"launch": 1, "security_event": 1})
	})
}

func TestLaunchesAreSwept(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		old := launched(t, w)
		_, err := w.ConsumeLaunch(ctx, old.HandleHash, "app")
		must(t, err)
		must(t, w.Sweep(ctx))
		rows(t, w, map[string]int{"launch": 1})
		w.move(t, 6*time.Minute)
		young := launched(t, w)
		must(t, w.Sweep(ctx))
		rows(t, w, map[string]int{"launch": 1})
		_, err = w.ConsumeLaunch(ctx, young.HandleHash, "app")
		must(t, err)
	})
}
