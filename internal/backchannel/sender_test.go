package backchannel_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emberlatch/emberlatch/internal/backchannel"
	"github.com/emberlatch/emberlatch/internal/store"
)

// row is a notice as the fake store keeps it.
type row struct {
	store.LogoutNotice
	due, expires time.Time
}

// world is a store in memory and the apps, on the clock of the test.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	rows    map[int64]*row
	clients map[store.ClientID]store.Client
	events  []store.Event
	counted map[backchannel.Outcome]int
	failure error
	// answer is what an app does with a logout token.
	answer func(ctx context.Context, to string, n int) (int, error)
	posts  []string // "client after"
	start  time.Time
}

func newWorld(t *testing.T) *world {
	return &world{t: t, rows: map[int64]*row{}, clients: map[store.ClientID]store.Client{}, counted: map[backchannel.Outcome]int{},
		answer: func(context.Context, string, int) (int, error) { return 200, nil }, start: time.Now()}
}

// ended: a session ended in which these apps got an ID token.
func (w *world) ended(sid string, ids ...store.ClientID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		n := int64(len(w.rows) + 1)
		w.rows[n] = &row{store.LogoutNotice{ID: n, ClientID: id, UserID: "u", SID: sid}, time.Now(), time.Now().Add(24 * time.Hour)}
		if _, known := w.clients[id]; !known {
			w.clients[id] = store.Client{ID: id, BackchannelLogoutURI: "https://" + string(id) + "/out"}
		}
	}
}

func (w *world) sender() *backchannel.Sender {
	s, err := backchannel.New(backchannel.Deps{
		Store: w, Post: w.post, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Mint: func(c store.Client, user store.UserID, sid string) (string, error) {
			return fmt.Sprint(c.ID, " ", user, " ", sid), nil
		},
		Count: func(o backchannel.Outcome) { w.mu.Lock(); w.counted[o]++; w.mu.Unlock() },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) post(ctx context.Context, to string, form url.Values) (int, error) {
	w.mu.Lock()
	id := strings.TrimSuffix(strings.TrimPrefix(to, "https://"), "/out")
	if !strings.HasPrefix(form.Get("logout_token"), id+" u s") || len(form) != 1 {
		w.t.Errorf("sent %v to %s", form, to)
	}
	w.posts = append(w.posts, fmt.Sprint(id, " ", time.Since(w.start)))
	n := len(w.posts)
	w.mu.Unlock()
	return w.answer(ctx, id, n)
}

func (w *world) ClientsToTell(context.Context) ([]store.ClientID, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []store.ClientID
	for _, r := range w.rows {
		if (!r.due.After(time.Now()) || !r.expires.After(time.Now())) && !slices.Contains(all, r.ClientID) {
			all = append(all, r.ClientID)
		}
	}
	slices.Sort(all)
	return all, w.failure
}

func (w *world) ClaimLogoutNotice(_ context.Context, id store.ClientID, lease time.Duration) (store.LogoutNotice, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var due []*row
	for _, r := range w.rows {
		if r.ClientID == id && !r.due.After(time.Now()) && r.expires.After(time.Now()) {
			due = append(due, r)
		}
	}
	if len(due) == 0 {
		return store.LogoutNotice{}, store.ErrNotFound
	}
	first := slices.MinFunc(due, func(a, b *row) int { return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.ID, b.ID)) })
	first.Attempts++
	first.due = time.Now().Add(lease)
	return first.LogoutNotice, nil
}

func (w *world) PostponeLogoutNotice(_ context.Context, id int64, wait time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows[id].due = time.Now().Add(wait)
	return nil
}

func (w *world) PostponeLogoutNoticesOf(_ context.Context, id store.ClientID, wait time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.rows {
		if r.ClientID == id && r.due.Before(time.Now().Add(wait)) {
			r.due = time.Now().Add(wait)
		}
	}
	return nil
}

func (w *world) RemoveLogoutNotice(_ context.Context, id int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.rows, id)
	return nil
}

func (w *world) ExpireLogoutNotices(_ context.Context, id store.ClientID) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, r := range w.rows {
		if r.ClientID == id && !r.expires.After(time.Now()) {
			delete(w.rows, key)
			n++
		}
	}
	return n, nil
}

func (w *world) Client(_ context.Context, id store.ClientID) (store.Client, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c, known := w.clients[id]
	if !known {
		return c, store.ErrNotFound
	}
	return c, nil
}

func (w *world) Record(_ context.Context, e store.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
	return nil
}

// run lets a sender work for a while.
func (w *world) run(s *backchannel.Sender, while time.Duration) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), while)
	defer stop()
	if err := s.Run(ctx); err != nil {
		w.t.Error(err)
	}
}

// spec: LOGOUT-10
func TestAppsAreTold(t *testing.T) {
	for status, good := range map[int]bool{200: true, 204: true, 201: false, 302: false, 307: false, 400: false, 500: false, 501: false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.answer = func(context.Context, string, int) (int, error) { return status, nil }
			w.ended("s1", "a", "b")
			w.ended("s2", "a")
			w.run(w.sender(), time.Second)
			if (len(w.rows) == 0) != good || good && (w.counted[backchannel.Delivered] != 3 || len(w.posts) != 3) {
				t.Errorf("%d: %d notices left, %v, %q", status, len(w.rows), w.counted, w.posts)
			}
		})
	}
}

// Nobody waits for the next look: an end that is told of is delivered at once.
//
// spec: LOGOUT-10
func TestWakeDeliversNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.sender()
		go func() {
			time.Sleep(time.Second)
			w.ended("s1", "a")
			s.Wake()
			s.Wake()
		}()
		w.run(s, 3*time.Second)
		if want := []string{"a 1s"}; !slices.Equal(w.posts, want) {
			t.Errorf("posts %q, want %q", w.posts, want)
		}
	})
}

// An app that is gone is tried eight times in some hours, however many logouts there
// are, and then that notice is given up, which is told.
//
// spec: LOGOUT-10
func TestADeadAppIsTriedABoundedNumberOfTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.answer = func(context.Context, string, int) (int, error) { return 0, errors.New("connection refused") }
		for i := range 100 {
			w.ended(fmt.Sprint("s", i), "dead")
		}
		w.run(w.sender(), 3*time.Hour)
		if len(w.posts) != 8 || w.counted[backchannel.Unheard] != 8 || w.counted[backchannel.GivenUp] != 1 || len(w.events) != 1 || w.events[0].ClientID != "dead" {
			t.Errorf("posts %q, %v, %v", w.posts, w.counted, w.events)
		}
		w.run(w.sender(), 24*time.Hour)
		if len(w.rows) != 0 || w.counted[backchannel.GivenUp] != 100 || len(w.posts) > 80 {
			t.Errorf("after a day: %d left, %v, %d posts", len(w.rows), w.counted, len(w.posts))
		}
	})
}

// An app that comes back is told of everything.
//
// spec: LOGOUT-10
func TestAnAppThatComesBackIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.answer = func(context.Context, string, int) (int, error) {
			if time.Since(w.start) < 5*time.Minute {
				return 503, nil
			}
			return 200, nil
		}
		for i := range 100 {
			w.ended(fmt.Sprint("s", i), "a")
		}
		w.run(w.sender(), time.Hour)
		if len(w.rows) != 0 || w.counted[backchannel.Delivered] != 100 || w.counted[backchannel.GivenUp] != 0 || len(w.posts) != 104 {
			t.Errorf("%d left, %v, %d posts", len(w.rows), w.counted, len(w.posts))
		}
	})
}

// A slow app holds up nobody, and has one request at a time.
//
// spec: LOGOUT-10
func TestASlowAppHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var mu sync.Mutex
		under := 0
		w.answer = func(ctx context.Context, to string, _ int) (int, error) {
			if to != "slow" {
				return 200, nil
			}
			mu.Lock()
			if under++; under > 1 {
				t.Error("two requests at once")
			}
			mu.Unlock()
			time.Sleep(5 * time.Second)
			mu.Lock()
			under--
			mu.Unlock()
			return 0, context.DeadlineExceeded
		}
		for i := range 50 {
			w.ended(fmt.Sprint("s", i), "slow", "quick")
		}
		w.run(w.sender(), 2*time.Second)
		if w.counted[backchannel.Delivered] != 50 {
			t.Errorf("%v", w.counted)
		}
	})
}

// An answer about one token is about that token: the others go on.
//
// spec: LOGOUT-10
func TestARefusalHoldsUpNoOtherNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.answer = func(_ context.Context, _ string, n int) (int, error) {
			if n == 1 {
				return 400, nil
			}
			return 200, nil
		}
		for i := range 5 {
			w.ended(fmt.Sprint("s", i), "a")
		}
		w.run(w.sender(), time.Second)
		if w.counted[backchannel.Delivered] != 4 || w.counted[backchannel.Refused] != 1 {
			t.Errorf("at once: %v", w.counted)
		}
		w.run(w.sender(), 20*time.Second)
		if w.counted[backchannel.Delivered] != 5 {
			t.Errorf("again: %v", w.counted)
		}
	})
}

// More apps than lanes are all told.
func TestEveryAppGetsALane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.answer = func(context.Context, string, int) (int, error) { time.Sleep(time.Second); return 200, nil }
		for i := range 60 {
			w.ended("s1", store.ClientID(fmt.Sprint("app", i)))
		}
		w.run(w.sender(), 4500*time.Millisecond)
		if w.counted[backchannel.Delivered] != 60 {
			t.Errorf("%v", w.counted)
		}
	})
}

// What an app does not want any more is not sent.
func TestWhoIsGoneIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ended("s1", "gone", "off", "silent")
		delete(w.clients, "gone")
		w.clients["off"] = store.Client{ID: "off", Disabled: true, BackchannelLogoutURI: "https://off/out"}
		w.clients["silent"] = store.Client{ID: "silent"}
		w.run(w.sender(), time.Second)
		if len(w.posts) != 0 || len(w.rows) != 0 || w.counted[backchannel.Dropped] != 3 {
			t.Errorf("%q, %d left, %v", w.posts, len(w.rows), w.counted)
		}
	})
}

// A notice whose process died is sent again after its lease, by whoever is there; one
// that died at its last attempt is not.
//
// spec: LOGOUT-10
func TestWhatADeadProcessLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.ended("s1", "a")
		w.ended("s2", "a")
		if _, err := w.ClaimLogoutNotice(t.Context(), "a", 30*time.Second); err != nil {
			t.Fatal(err)
		}
		w.rows[2].Attempts = 8
		w.run(w.sender(), 40*time.Second)
		if len(w.rows) != 0 || !slices.Equal(w.posts, []string{"a 30s"}) || w.counted[backchannel.GivenUp] != 1 {
			t.Errorf("%d left, %q, %v", len(w.rows), w.posts, w.counted)
		}
	})
}

// A store that cannot be asked, or a fault of ours, ends nothing: it is tried again.
func TestAFailureIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.failure = errors.New("no database")
		w.answer = func(_ context.Context, _ string, n int) (int, error) {
			if n == 1 {
				panic("a fault")
			}
			return 200, nil
		}
		w.ended("s1", "a")
		go func() {
			time.Sleep(7 * time.Second)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.failure = nil
		}()
		w.run(w.sender(), time.Minute)
		if !slices.Equal(w.posts, []string{"a 10s", "a 40s"}) || len(w.rows) != 0 {
			t.Errorf("%q, %d left", w.posts, len(w.rows))
		}
	})
}

func TestMissingPartsAreRefused(t *testing.T) {
	if _, err := backchannel.New(backchannel.Deps{}); err == nil {
		t.Error("a sender without a store")
	}
}
