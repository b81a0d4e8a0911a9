package app

import (
	"context"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// What is remembered of a person is never older than two seconds, however old the
// answer about their reach was when it was taken over.
//
// attack: B.112
func TestMemoriesDoNotAddUp(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	resolved, ids := now, reach.Of("a") // somebody's request found out at noon
	p := &people{
		user: func(_ context.Context, id store.UserID) (store.User, error) { return store.User{ID: id}, nil },
		reach: func(context.Context, store.User) (reach.Whom, time.Time, error) {
			return ids, resolved.Add(2 * time.Second), nil
		},
		now: func() time.Time { return now }, known: map[store.UserID]person{},
	}
	now = now.Add(1900 * time.Millisecond)
	if who, err := p.get(t.Context(), "doctor"); err != nil || !who.reach.Contains("a") {
		t.Fatal(who, err)
	}
	now = now.Add(100 * time.Millisecond)
	resolved, ids = now, reach.Whom{} // the patient left meanwhile
	if who, err := p.get(t.Context(), "doctor"); err != nil || who.reach.Contains("a") {
		t.Errorf("after two seconds still %v, %v", who.reach.Patients().List(), err)
	}
}

// An answer about reach that is good for longer than the facts of the user does
// not keep those.
func TestFactsOfAUserAreReadAgain(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	disabled := false
	p := &people{
		user: func(_ context.Context, id store.UserID) (store.User, error) {
			return store.User{ID: id, Disabled: disabled}, nil
		},
		reach: func(context.Context, store.User) (reach.Whom, time.Time, error) {
			return reach.Of("a"), now.Add(time.Hour), nil
		},
		now: func() time.Time { return now }, known: map[store.UserID]person{},
	}
	if _, err := p.get(t.Context(), "doctor"); err != nil {
		t.Fatal(err)
	}
	disabled, now = true, now.Add(2*time.Second)
	if _, err := p.get(t.Context(), "doctor"); err == nil {
		t.Error("a disabled user is still let through after two seconds")
	}
}
