package storetest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/store"
)

// emergencyOf is one for an hour, with its event.
func emergencyOf(id string, user store.UserID, patient string) store.OpenedFor {
	return store.OpenedFor{
		Emergency: store.Emergency{ID: id, UserID: user, Patient: patient, Reason: "urgent-care: é <&>", ClientID: "app"}, Life: time.Hour,
		Event: store.Event{Kind: "emergency.opened", Actor: string(user), ClientID: "app", Patient: patient, Outcome: "ok", Detail: "urgent-care: é <&>"},
	}
}

func endOf(id string, user store.UserID, by string) store.EmergencyEnd {
	return store.EmergencyEnd{ID: id, UserID: user, Event: store.Event{Kind: "emergency.ended", Actor: by, Outcome: "ok"}}
}

func practitioner(t testing.TB, w world, id store.UserID) {
	t.Helper()
	must(t, w.CreateUser(ctx, store.User{ID: id, UsernameKey: string(id), Username: string(id), Role: store.RolePractitioner, FHIRUser: "Practitioner/" + string(id)}))
}

// openOf are the ids of what a user has open.
func openOf(t testing.TB, w world, user store.UserID) (ids []string) {
	t.Helper()
	list, err := w.OpenEmergencies(ctx, user)
	must(t, err)
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

// An emergency is opened by an enabled practitioner, for one patient and a time, and is
// recorded and announced; it ends by itself, or by hand before that, once.
//
// attack: GW-38
func TestEmergencies(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		practitioner(t, w, "doc")
		practitioner(t, w, "other")
		e, err := w.OpenEmergency(ctx, emergencyOf("e1", "doc", "rosa"))
		must(t, err)
		now := w.now(t)
		if e.EndsAt.Sub(e.OpenedAt) != time.Hour || now.Sub(e.OpenedAt).Abs() > 10*time.Second || !e.Open(now) || e.Open(e.EndsAt) {
			t.Errorf("%+v", e)
		}
		list, err := w.OpenEmergencies(ctx, "doc")
		must(t, err)
		if diff := cmp.Diff([]store.Emergency{e}, list); diff != "" {
			t.Error(diff)
		}
		recorded(t, w, emergencyOf("e1", "doc", "rosa").Event)
		if !told(t, w, store.ChangeEmergency, "doc") {
			t.Error("the feed was not told of the opening")
		}
		if got := openOf(t, w, "other"); len(got) > 0 {
			t.Errorf("somebody else has open %v", got)
		}

		t.Log("who may not")
		for _, user := range []store.UserID{"u", "nobody", ""} { // u is a patient
			wants(t, string(user), second(w.OpenEmergency(ctx, emergencyOf("x", user, "rosa"))), store.ErrNotFound)
		}
		wants(t, "the id is taken", second(w.OpenEmergency(ctx, emergencyOf("e1", "doc", "tom"))), store.ErrConflict)

		t.Log("ending it")
		for _, end := range []store.EmergencyEnd{endOf("e1", "other", "other"), endOf("unknown", "doc", "doc"), endOf("", "", "operator")} {
			wants(t, fmt.Sprint(end), w.EndEmergency(ctx, end), store.ErrNotFound)
		}
		must(t, second(w.OpenEmergency(ctx, emergencyOf("e2", "doc", "rosa")))) // of two tabs
		must(t, second(w.OpenEmergency(ctx, emergencyOf("e3", "doc", "tom"))))
		must(t, second(w.OpenEmergency(ctx, emergencyOf("e4", "other", "rosa"))))
		must(t, w.EndEmergency(ctx, endOf("e2", "doc", "doc")))
		recorded(t, w, store.Event{Kind: "emergency.ended", Actor: "doc", Patient: "rosa", Outcome: "ok"})
		wants(t, "ended twice", w.EndEmergency(ctx, endOf("e1", "doc", "doc")), store.ErrNotFound)
		if diff := cmp.Diff([]string{"e3"}, openOf(t, w, "doc")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"e4"}, openOf(t, w, "other")); diff != "" {
			t.Error(diff)
		}
		must(t, w.EndEmergency(ctx, endOf("e4", "", "operator")))

		t.Log("ending by itself, and being listed")
		w.move(t, time.Hour)
		if got := openOf(t, w, "doc"); len(got) > 0 {
			t.Errorf("its time is over: %v", got)
		}
		wants(t, "what is over", w.EndEmergency(ctx, endOf("e3", "", "operator")), store.ErrNotFound)
		all, err := w.ListEmergencies(ctx, false, 10)
		must(t, err)
		by := map[string]string{}
		for _, e := range all {
			by[e.ID] = e.EndedBy
			if e.EndedAt.IsZero() != (e.EndedBy == "") {
				t.Errorf("%+v", e)
			}
		}
		if diff := cmp.Diff(map[string]string{"e1": "doc", "e2": "doc", "e3": "", "e4": "operator"}, by); diff != "" {
			t.Error(diff)
		}
		open, err := w.ListEmergencies(ctx, true, 10)
		must(t, err)
		few, err := w.ListEmergencies(ctx, false, 2)
		must(t, err)
		if len(open) > 0 || len(few) != 2 {
			t.Errorf("open: %v, two: %v", open, few)
		}
		must(t, w.Sweep(ctx))
		if all, err = w.ListEmergencies(ctx, false, 10); err != nil || len(all) != 4 {
			t.Errorf("after sweeping: %v, %v", all, err)
		}
		w.move(t, 91*24*time.Hour)
		must(t, w.Sweep(ctx))
		if all, err = w.ListEmergencies(ctx, false, 10); err != nil || len(all) != 0 {
			t.Errorf("after three months: %v, %v", all, err)
		}
	})
}

// Whoever is disabled opens nothing, also at the same moment: or what they open leads to
// nobody, since they are not let in.
//
// attack: GW-38
func TestWhoIsDisabledOpensNothing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		practitioner(t, w, "doc")
		u, err := w.User(ctx, "doc")
		must(t, err)
		u.Disabled = true
		must(t, w.PutUser(ctx, u))
		wants(t, "disabled", second(w.OpenEmergency(ctx, emergencyOf("e", "doc", "rosa"))), store.ErrNotFound)
		if list, err := w.ListEmergencies(ctx, false, 9); err != nil || len(list) > 0 {
			t.Errorf("%v, %v", list, err)
		}
		events, err := w.ListEvents(ctx, 50)
		must(t, err)
		for _, e := range events {
			if e.Kind == "emergency.opened" {
				t.Errorf("an event of what was not: %+v", e)
			}
		}
	})
}

// A refresh stands on an open emergency, of its own user for its own patient, and ends when
// that ends; where nobody opens records in an emergency, on none.
//
// spec: RT-27, RT-28
// attack: GW-38, RT-11
func TestARefreshStandsOnAnEmergency(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		c := clinicOf(t, w)
		for _, id := range []store.UserID{"doc", "other"} {
			practitioner(t, w, id)
		}
		c.load(t, `{"resourceType":"Patient","id":"rosa"}`, `{"resourceType":"Patient","id":"tom"}`)
		must(t, second(c.OpenEmergency(ctx, emergencyOf("e", "doc", "rosa"))))
		kept, byTime := c.family(t, "doc", "rosa"), c.family(t, "doc", "rosa")
		refreshed(t, c.world, use(kept, 1), 2, false)
		refreshed(t, c.world, use(byTime, 1), 2, false)
		refused(t, c.world, use(c.family(t, "doc", "tom"), 1), store.ErrRevoked)
		refused(t, c.world, use(c.family(t, "other", "rosa"), 1), store.ErrRevoked)
		refused(t, c.world, use(c.family(t, "u", "rosa"), 1), store.ErrRevoked)
		off := c.family(t, "doc", "rosa")
		if err := second(clinicWithout(t, w).RefreshGrant(ctx, use(off, 1))); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("where it is off: %v", err)
		}
		must(t, c.EndEmergency(ctx, endOf("e", "doc", "doc")))
		refused(t, c.world, use(kept, 2), store.ErrRevoked)
		must(t, second(c.OpenEmergency(ctx, emergencyOf("again", "doc", "rosa"))))
		refreshed(t, c.world, use(byTime, 2), 3, false)
		w.move(t, time.Hour)
		refused(t, c.world, use(byTime, 3), store.ErrRevoked)
	})
}
