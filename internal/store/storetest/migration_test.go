package storetest_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// migrate runs one half of a migration file.
func (w world) migrate(t *testing.T, name, half string) {
	t.Helper()
	raw, err := os.ReadFile("../../db/migrations/" + w.db.Dialect().String() + "/" + name)
	must(t, err)
	up, down, _ := strings.Cut(string(raw), "-- +goose Down")
	for statement := range strings.SplitSeq(map[string]string{"up": up, "down": down}[half], ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := w.db.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Apps that registered themselves before there was a review go on, and those that an
// operator has touched stay.
//
// spec: REG-06
func TestAppsFromBeforeTheReview(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		at := w.now(t)
		for _, id := range []string{"touched", "untouched"} {
			must(t, w.RegisterClient(ctx, registration(w, t, id, nil)))
		}
		must(t, w.Record(ctx, store.Event{At: at, Kind: "client.changed", Actor: "operator", ClientID: "touched"}))
		must(t, w.Record(ctx, store.Event{At: at, Kind: "client.changed", Actor: "untouched", ClientID: "untouched"}))
		const file = "0014_review_of_apps.sql"
		w.migrate(t, file, "down")
		w.migrate(t, file, "up")
		for id, set := range map[store.ClientID]bool{"touched": true, "untouched": false} {
			c, err := w.Client(ctx, id)
			must(t, err)
			if !c.MayAsk() || c.OperatorSet != set || !c.Review.RegisteredAt.Equal(c.CreatedAt) || c.Review.State() != store.ReviewEnabled {
				t.Errorf("%s: %+v", id, c)
			}
		}
		app, err := w.Client(ctx, "app")
		must(t, err)
		if !app.MayAsk() || app.Review != (store.Review{}) || app.OperatorSet {
			t.Errorf("an operator's own: %+v", app)
		}
		w.move(t, 91*24*time.Hour)
		must(t, w.Sweep(ctx))
		all, err := w.ListClients(ctx)
		must(t, err)
		if len(all) != 3 { // app, evil, touched
			t.Errorf("%v", all)
		}
	})
}
