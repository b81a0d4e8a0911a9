package storetest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/store"
)

// For whom a user stands is changed one patient at a time, recorded and announced; of
// changes at the same moment none is lost, and nothing else of the account changes.
//
// spec: LOGIN-20
func TestRepresent(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		until := w.now(t).Add(time.Hour).Truncate(time.Millisecond).UTC()
		must(t, w.CreateUser(ctx, store.User{ID: "r", UsernameKey: "r", Username: "R", Role: store.RoleRepresentative, PasswordHash: "hash"}))
		event := store.Event{At: w.now(t), Kind: "user.represents", Actor: "operator", Outcome: "ok", Patient: "leo", Detail: "child"}
		put := func(r store.Representation) {
			t.Helper()
			event.Patient = r.Patient
			must(t, w.Represent(ctx, store.RepresentationChange{UserID: "r", Representation: r, Event: event}))
		}
		stands := func(want ...store.Representation) {
			t.Helper()
			u, err := w.User(ctx, "r")
			must(t, err)
			if diff := cmp.Diff(want, u.Represents); diff != "" || u.PasswordHash != "hash" || u.Username != "R" {
				t.Errorf("%s %+v", diff, u)
			}
		}
		leo, tom := store.Representation{Patient: "leo", Relationship: "child", Until: until}, store.Representation{Patient: "tom"}
		put(leo)
		put(tom)
		stands(leo, tom)
		recorded(t, w, store.Event{Kind: "user.represents", Actor: "operator", Outcome: "ok", Patient: "tom", Detail: "child"})
		if !told(t, w, store.ChangeUser, "r") {
			t.Error("the feed was not told")
		}
		leo.Until = time.Time{}
		put(leo)
		stands(tom, leo)
		end := store.RepresentationChange{UserID: "r", Representation: store.Representation{Patient: "tom"}, End: true, Event: event}
		must(t, w.Represent(ctx, end))
		stands(leo)
		wants(t, "ended twice", w.Represent(ctx, end), store.ErrNotFound)
		end.UserID, end.End = "nobody", false
		wants(t, "nobody", w.Represent(ctx, end), store.ErrNotFound)
		for _, err := range together(8, func(i int) error {
			return w.Represent(ctx, store.RepresentationChange{UserID: "r", Representation: store.Representation{Patient: fmt.Sprint("p", i)}, Event: event})
		}) {
			must(t, err)
		}
		u, err := w.User(ctx, "r")
		must(t, err)
		if len(u.Represents) != 9 {
			t.Errorf("a change was lost: %v", u.Represents)
		}
	})
}
