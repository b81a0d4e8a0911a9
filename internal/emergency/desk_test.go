package emergency_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tries"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// room is a desk with what it stands on.
type room struct {
	*emergency.Desk
	counts  map[string]int
	events  []store.Event
	opened  []store.OpenedFor
	looked  int
	found   []reach.Patient
	fault   error // of the store
	settled int
	counted int
	log     bytes.Buffer
}

func (r *room) Count(_ context.Context, key string, window time.Duration) (int, time.Time, error) {
	r.counts[key]++
	return r.counts[key], noon.Add(window / 2), r.fault
}

func (r *room) ResetCount(_ context.Context, key string) error { delete(r.counts, key); return r.fault }

func (r *room) Record(_ context.Context, e store.Event) error {
	r.events = append(r.events, e)
	return r.fault
}

func (r *room) OpenEmergency(_ context.Context, o store.OpenedFor) (store.Emergency, error) {
	r.opened = append(r.opened, o)
	o.EndsAt = noon.Add(o.Life)
	return o.Emergency, r.fault
}

func (r *room) kinds() (list []string) {
	for _, e := range r.events {
		list = append(list, e.Kind+" "+e.Patient+" "+e.Outcome)
	}
	return list
}

func openRoom(t *testing.T, change func(*emergency.Deps)) *room {
	t.Helper()
	r := &room{counts: map[string]int{}, found: []reach.Patient{{ID: "rosa"}}}
	counted, err := tries.New(tries.Deps{
		Store: r, UsernameKey: func(name string) (string, error) { return name, nil }, Address: func(*http.Request) string { return "a" }, Now: func() time.Time { return noon },
	})
	if err != nil {
		t.Fatal(err)
	}
	deps := emergency.Deps{
		Store: r, Tries: counted, Longest: 2 * time.Hour, Opened: func() { r.counted++ }, NewID: func() string { return "e1" },
		Directory: func(context.Context, store.User, reach.Search) ([]reach.Patient, error) {
			r.looked++
			return r.found, nil
		},
		Verify: func(_ context.Context, password, _ string) (bool, error) { return password == "right", nil },
		Settle: func(context.Context) error { r.settled++; return nil }, Now: func() time.Time { return noon }, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
	}
	change(&deps)
	if r.Desk, err = emergency.New(deps); err != nil {
		t.Fatal(err)
	}
	return r
}

func unchanged(*emergency.Deps) {}

func doctor() store.User {
	return store.User{ID: "doc", Username: "doc", UsernameKey: "doc", Role: store.RolePractitioner}
}

func wish(change func(*emergency.Wish)) emergency.Wish {
	w := emergency.Wish{App: "app", Patient: "rosa", Stated: emergency.Stated{Reason: "urgent-care", Minutes: "30"}, Password: "right"}
	change(&w)
	return w
}

func request() *http.Request { return httptest.NewRequest(http.MethodPost, "/", nil) }

// What is opened, recorded, counted and told in the log; the log names no patient.
//
// attack: GW-38
func TestOpen(t *testing.T) {
	r := openRoom(t, unchanged)
	a, err := r.Open(request(), doctor(), wish(func(w *emergency.Wish) { w.Words = " found\r\non the\x1b[31m \u202eroad\u200b " }))
	if err != nil || !a.Done() || a.Wait > 0 || len(a.Problems) > 0 {
		t.Fatalf("%+v, %v", a, err)
	}
	const reason = "urgent-care: found on the[31m road"
	want := store.OpenedFor{
		Emergency: store.Emergency{ID: "e1", UserID: "doc", Patient: "rosa", Reason: reason, ClientID: "app"}, Life: 30 * time.Minute,
		Event: store.Event{At: noon, Kind: "emergency.opened", Actor: "doc", ClientID: "app", Patient: "rosa", Outcome: "ok", Detail: reason},
	}
	if diff := cmp.Diff([]store.OpenedFor{want}, r.opened); diff != "" || r.settled != 1 || r.counted != 1 {
		t.Errorf("%s settled %d, counted %d", diff, r.settled, r.counted)
	}
	if said := r.log.String(); !strings.Contains(said, "level=WARN") || !strings.Contains(said, "emergency=e1") || strings.Contains(said, "rosa") || strings.Contains(said, "road") {
		t.Errorf("the log: %s", said)
	}
	if emergency.Word(reason) != "urgent-care" || emergency.Word("covering") != "covering" {
		t.Error("the word of a reason")
	}
}

// Nothing is opened without a reason, a length that may be, the password, and the right to.
//
// attack: GW-38
func TestWhatOpensNothing(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*emergency.Wish)
		field  string
	}{
		"no reason":             {func(w *emergency.Wish) { w.Reason = "" }, "reason"},
		"no such reason":        {func(w *emergency.Wish) { w.Reason = "urgent-care " }, "reason"},
		"another without words": {func(w *emergency.Wish) { w.Reason, w.Words = "other", " \u200b\n" }, "words"},
		"too many words":        {func(w *emergency.Wish) { w.Words = strings.Repeat("é", 201) }, "words"},
		"no length":             {func(w *emergency.Wish) { w.Minutes = "" }, "minutes"},
		"too long":              {func(w *emergency.Wish) { w.Minutes = "240" }, "minutes"},
		"a length of their own": {func(w *emergency.Wish) { w.Minutes = "31" }, "minutes"},
		"before now":            {func(w *emergency.Wish) { w.Minutes = "-15" }, "minutes"},
		"no password":           {func(w *emergency.Wish) { w.Password = "" }, "password"},
		"a wrong password":      {func(w *emergency.Wish) { w.Password = "wrong" }, "password"},
		"a huge password":       {func(w *emergency.Wish) { w.Password = strings.Repeat("right", 10_000) }, "password"},
	} {
		r := openRoom(t, unchanged)
		a, err := r.Open(request(), doctor(), wish(row.change))
		if err != nil || a.Done() || len(a.Problems) != 1 || a.Problems[0].Field != row.field || len(r.opened) > 0 {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if want := row.field == "password"; (len(r.counts) > 0) != want || (len(r.events) == 1 && r.events[0].Kind == "emergency.refused") != want {
			t.Errorf("%s: counted %v, recorded %v", name, r.counts, r.kinds())
		}
	}
	patient, disabled := doctor(), doctor()
	patient.Role, disabled.Disabled = store.RolePatient, true
	nurses := func(d *emergency.Deps) {
		d.HoldsRole = func(_ context.Context, u store.User) (bool, error) { return u.ID == "nurse", nil }
	}
	for name, row := range map[string]struct {
		desk *emergency.Desk
		user store.User
	}{
		"off": {nil, doctor()}, "a patient": {openRoom(t, unchanged).Desk, patient}, "disabled": {openRoom(t, unchanged).Desk, disabled}, "not of a role": {openRoom(t, nurses).Desk, doctor()},
	} {
		if a, err := row.desk.Open(request(), row.user, wish(func(*emergency.Wish) {})); !errors.Is(err, emergency.ErrMayNot) || a.Done() {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
		if found, _, err := row.desk.Look(t.Context(), row.user, "app", reach.Search{RecordNumber: "1"}); err != nil || len(found) > 0 {
			t.Errorf("%s looks: %v, %v", name, found, err)
		}
	}
	r := openRoom(t, unchanged)
	r.fault = errors.New("disk gone")
	if a, err := r.Open(request(), doctor(), wish(func(*emergency.Wish) {})); err == nil || a.Done() {
		t.Errorf("the store is away: %+v, %v", a, err)
	}
}

// Passwords are counted in the budget of sign-in, openings and looks by person.
//
// attack: LG-03, GW-38
func TestTheyAreCounted(t *testing.T) {
	r := openRoom(t, unchanged)
	for n := range 12 {
		a, err := r.Open(request(), doctor(), wish(func(w *emergency.Wish) { w.Password = "wrong" }))
		if err != nil || (a.Wait > 0) != (n >= 8) {
			t.Fatalf("try %d: %+v, %v", n, a, err)
		}
	}
	if a, err := r.Open(request(), doctor(), wish(func(*emergency.Wish) {})); err != nil || a.Done() || a.Wait == 0 {
		t.Errorf("the right one, while they wait: %+v, %v", a, err)
	}
	r = openRoom(t, unchanged)
	for n := range 22 {
		a, err := r.Open(request(), doctor(), wish(func(*emergency.Wish) {}))
		if err != nil || a.Done() != (n < 20) || (a.Wait > 0) == a.Done() {
			t.Fatalf("opening %d: %+v, %v", n, a, err)
		}
	}
	r = openRoom(t, unchanged)
	for n := range 22 {
		found, wait, err := r.Look(t.Context(), doctor(), "app", reach.Search{RecordNumber: fmt.Sprint(n)})
		if err != nil || (len(found) == 1) != (n < 20) || (wait > 0) != (n >= 20) {
			t.Fatalf("look %d: %v, %v, %v", n, found, wait, err)
		}
	}
	if r.looked != 20 || len(r.events) != 20 {
		t.Errorf("looked %d times, recorded %d", r.looked, len(r.events))
	}
}

// Each person who is told is recorded before that; nobody is asked for by a search that is
// not exact.
//
// spec: AUD-05
// attack: GW-38
func TestLook(t *testing.T) {
	r := openRoom(t, unchanged)
	for _, s := range []reach.Search{{}, {Name: "Rosa"}, {Name: "Rosa Vega"}, {BirthDate: "1971-03-09"}, {Name: "Rosa Vega", BirthDate: "1971"}} {
		if found, _, err := r.Look(t.Context(), doctor(), "app", s); err != nil || len(found) > 0 || r.looked > 0 || len(r.counts) > 0 {
			t.Errorf("%+v: %v, %v", s, found, err)
		}
	}
	r.found = append(r.found, reach.Patient{ID: "tom"})
	exact := reach.Search{Name: "Rosa Vega", BirthDate: "1971-03-09"}
	if found, _, err := r.Look(t.Context(), doctor(), "app", exact); err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
	r.found = nil
	if found, _, err := r.Look(t.Context(), doctor(), "app", exact); err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if diff := cmp.Diff([]string{"emergency.looked rosa ok", "emergency.looked tom ok", "emergency.looked  refused"}, r.kinds()); diff != "" {
		t.Error(diff)
	}
	r.found, r.fault = []reach.Patient{{ID: "rosa"}}, errors.New("disk gone")
	if found, _, err := r.Look(t.Context(), doctor(), "app", exact); err == nil || len(found) > 0 {
		t.Errorf("what cannot be recorded is told: %v, %v", found, err)
	}
}

// Lengths end at the longest; an hour is offered, or the longest below.
func TestLengths(t *testing.T) {
	for longest, want := range map[time.Duration]string{
		15 * time.Minute: "[15] 15", 59 * time.Minute: "[15 30] 30", time.Hour: "[15 30 60] 60", 8 * time.Hour: "[15 30 60 120 240 480] 60",
	} {
		r := openRoom(t, func(d *emergency.Deps) { d.Longest = longest })
		if got := fmt.Sprint(r.Lengths(), " ", r.Usual()); got != want {
			t.Errorf("%s: %s, want %s", longest, got, want)
		}
	}
	if _, err := emergency.New(emergency.Deps{}); err == nil {
		t.Error("a desk without parts")
	}
}
