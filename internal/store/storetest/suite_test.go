package storetest_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/testpg"
)

// world is a store with a second handle on the same data: another process's pool on
// PostgreSQL, the same one on SQLite, which has one process.
type world struct {
	*storesql.Store
	other *storesql.Store
	move  func(time.Duration)
}

func open(t *testing.T, url string) (*storesql.Store, *db.DB) {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{URL: url, MovableClock: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return storesql.New(d), d
}

// both runs a test on each database with a client and a user in it.
func both(t *testing.T, test func(t *testing.T, w world)) {
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			var w world
			var d *db.DB
			if engine == "sqlite" {
				w.Store, d = open(t, db.SQLiteURL(filepath.Join(t.TempDir(), "s.db")))
				w.other = w.Store
			} else {
				url := testpg.URL(t)
				w.Store, d = open(t, url)
				w.other, _ = open(t, url)
			}
			w.move = func(by time.Duration) { must(t, d.MoveClock(context.Background(), by)) }
			must(t, w.CreateClient(context.Background(), store.Client{ID: "app", GrantTypes: []string{"authorization_code"}}))
			must(t, w.CreateClient(context.Background(), store.Client{ID: "evil"}))
			must(t, w.CreateUser(context.Background(), store.User{ID: "u", Username: "u", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/p"}))
			test(t, w)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

var ctx = context.Background()

// issue makes a grant with a fresh code and returns both.
func issue(t *testing.T, w world, p store.RefreshPolicy) (store.GrantID, store.Redemption) {
	t.Helper()
	id := store.GrantID(base64.RawURLEncoding.EncodeToString(random(16)))
	code := random(32)
	must(t, w.IssueCode(ctx, store.Issue{
		Grant: store.Grant{ID: id, ClientID: "app", UserID: "u", Patient: "p", Scopes: []string{"patient/*.rs?_tag=a|b,c"}, Audience: "http://f", Refresh: p},
		Code:  store.AuthorizationCode{Hash: code, RedirectURI: "http://r", CodeChallenge: "c", Life: time.Minute},
	}))
	return id, store.Redemption{CodeHash: code, ClientID: "app", RedirectURI: "http://r", CodeChallenge: "c"}
}

var offline = store.RefreshPolicy{Kind: store.RefreshOffline, Idle: 90 * 24 * time.Hour, Rotate: true}

// rounds: 20 in a usual run, 200 with EMBERLATCH_LONG.
func rounds() int {
	if os.Getenv("EMBERLATCH_LONG") != "" {
		return 200
	}
	return 20
}

// Fifty callers, two handles, one code: exactly one success, and the reuse ends the
// grant.
//
// spec: AUTHZ-24, AUTHZ-25
// attack: TK-02, TK-03
func TestOneRedemptionOfFifty(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			id, r := issue(t, w, offline)
			errs := together(50, func(i int) error {
				s := w.Store
				if i%2 == 1 {
					s = w.other
				}
				_, err := s.RedeemCode(ctx, r)
				return err
			})
			good := 0
			for _, err := range errs {
				switch {
				case err == nil:
					good++
				case !errors.Is(err, store.ErrConsumed):
					t.Fatalf("a replay: %v", err)
				}
			}
			if good != 1 {
				t.Fatalf("%d successes", good)
			}
			if g, err := w.Grant(ctx, id); err != nil || g.RevokedAt.IsZero() {
				t.Fatalf("the grant lives after a replay: %v", err)
			}
		}
	})
}

func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Add(1)
		go func() {
			defer done.Done()
			start.Wait()
			errs[i] = do(i)
		}()
	}
	start.Done()
	done.Wait()
	return errs
}

// Fifty refreshes of one token: one successor for all; reuse after the grace ends
// the family.
//
// spec: RT-22, RT-23, RT-24
// attack: RT-01, RT-02, RT-03, RT-04
func TestOneSuccessorForFifty(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			id, r := issue(t, w, offline)
			_, err := w.RedeemCode(ctx, r)
			must(t, err)
			use := store.Refresh{GrantID: id, ClientID: "app", Generation: 1, Grace: 10 * time.Second}
			var mu sync.Mutex
			generations := map[uint32]int{}
			for _, err := range together(50, func(i int) error {
				s := w.Store
				if i%2 == 1 {
					s = w.other
				}
				got, err := s.RefreshGrant(ctx, use)
				mu.Lock()
				defer mu.Unlock()
				generations[got.Grant.Generation]++
				return err
			}) {
				must(t, err)
			}
			if len(generations) != 1 || generations[2] != 50 {
				t.Fatalf("successors: %v", generations)
			}
		}
		id, r := issue(t, w, offline)
		_, err := w.RedeemCode(ctx, r)
		must(t, err)
		use := store.Refresh{GrantID: id, ClientID: "app", Generation: 1, Grace: 10 * time.Second}
		_, err = w.RefreshGrant(ctx, use)
		must(t, err)
		w.move(11 * time.Second)
		if _, err := w.RefreshGrant(ctx, use); !errors.Is(err, store.ErrConsumed) {
			t.Fatalf("reuse after the grace: %v", err)
		}
		use.Generation = 2
		if _, err := w.RefreshGrant(ctx, use); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("the family after reuse: %v", err)
		}
	})
}

// Each way in which a code or a refresh token is refused.
//
// spec: TOK-19, TOK-21, AUTHZ-23, AUTHZ-26, RT-03, RT-14, RT-15, RT-17, RT-18, RT-19, RT-25, RT-26, RT-27, REVOKE-14
// attack: TK-08, TK-09, TK-27, RT-08, RT-11, RT-14, RT-18
func TestRefusals(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		redeem := func(change func(*store.Redemption)) error {
			_, r := issue(t, w, offline)
			change(&r)
			_, err := w.RedeemCode(ctx, r)
			return err
		}
		for name, row := range map[string]struct {
			change func(*store.Redemption)
			want   error
		}{
			"unknown":          {func(r *store.Redemption) { r.CodeHash = random(32) }, store.ErrNotFound},
			"another client":   {func(r *store.Redemption) { r.ClientID = "evil" }, store.ErrMismatch},
			"another redirect": {func(r *store.Redemption) { r.RedirectURI = "http://r/" }, store.ErrMismatch},
			"another verifier": {func(r *store.Redemption) { r.CodeChallenge = "" }, store.ErrMismatch},
			"too late":         {func(*store.Redemption) { w.move(61 * time.Second) }, store.ErrExpired},
		} {
			if err := redeem(row.change); !errors.Is(err, row.want) {
				t.Errorf("%s: %v, want %v", name, err, row.want)
			}
		}
		id, r := issue(t, w, offline)
		_, err := w.RedeemCode(ctx, r)
		must(t, err)
		use := store.Refresh{GrantID: id, ClientID: "evil", Generation: 1}
		if _, err := w.RefreshGrant(ctx, use); !errors.Is(err, store.ErrMismatch) {
			t.Errorf("another client: %v", err)
		}
		use.ClientID = "app"
		w.move(80 * 24 * time.Hour) // RT-17: used on day 80, good on day 160
		_, err = w.RefreshGrant(ctx, use)
		must(t, err)
		w.move(80 * 24 * time.Hour)
		use.Generation = 2
		_, err = w.RefreshGrant(ctx, use)
		must(t, err)
		w.move(91 * 24 * time.Hour)
		use.Generation = 3
		if _, err := w.RefreshGrant(ctx, use); !errors.Is(err, store.ErrExpired) {
			t.Errorf("after the idle time: %v", err)
		}
		short := store.RefreshPolicy{Kind: store.RefreshOffline, Idle: time.Hour, Absolute: 90 * time.Minute}
		id, r = issue(t, w, short)
		_, err = w.RedeemCode(ctx, r)
		must(t, err)
		w.move(50 * time.Minute)
		use = store.Refresh{GrantID: id, ClientID: "app", Generation: 1}
		got, err := w.RefreshGrant(ctx, use)
		must(t, err)
		if got.Grant.Generation != 1 {
			t.Errorf("a token that does not rotate became %d", got.Grant.Generation)
		}
		w.move(41 * time.Minute)
		if _, err := w.RefreshGrant(ctx, use); !errors.Is(err, store.ErrExpired) {
			t.Errorf("after the absolute end: %v", err)
		}
		id, r = issue(t, w, offline)
		_, err = w.RedeemCode(ctx, r)
		must(t, err)
		must(t, w.PutClient(ctx, store.Client{ID: "app", Disabled: true}))
		use = store.Refresh{GrantID: id, ClientID: "app", Generation: 1}
		if _, err := w.RefreshGrant(ctx, use); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("disabled client: %v", err)
		}
		changes, err := w.Changes(ctx, time.Hour)
		must(t, err)
		told := false
		for _, c := range changes {
			told = told || c.Kind == store.ChangeGrantRevoked && c.ID == string(id)
		}
		if !told {
			t.Error("the feed does not know that the grant ended")
		}
	})
}

// Facts are compare-and-set, an answer is given once, and another browser finds
// nothing.
//
// spec: AUTHZ-30
func TestRequests(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		handle, browser := random(32), random(32)
		q := store.AuthorizationRequest{HandleHash: handle, BrowserHash: browser, ClientID: "app", Scopes: []string{"a"}, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
		must(t, w.CreateRequest(ctx, q))
		if _, err := w.Request(ctx, handle, random(32)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another browser: %v", err)
		}
		got, err := w.Request(ctx, handle, browser)
		must(t, err)
		got.UserID, got.Approved, got.Refused = "u", []string{"x|y", "ü"}, "access_denied"
		got.Scopes = []string{"wider"}
		must(t, w.SaveFacts(ctx, got))
		if err := w.SaveFacts(ctx, got); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an old version was saved: %v", err)
		}
		again, err := w.Request(ctx, handle, browser)
		must(t, err)
		if fmt.Sprintf("%v %v %v %v", again.Approved, again.UserID, again.Refused, again.Scopes) != "[x|y ü] u access_denied [a]" {
			t.Errorf("came back as %+v", again)
		}
		errs := together(20, func(int) error { return w.AnswerRequest(ctx, handle, nil) })
		good := 0
		for _, err := range errs {
			if err == nil {
				good++
			} else if !errors.Is(err, store.ErrConsumed) {
				t.Error(err)
			}
		}
		if good != 1 {
			t.Errorf("answered %d times", good)
		}
	})
}

// One account for a patient, names unique, an invitation used once.
//
// spec: LOGIN-06, LOGIN-07
func TestEnrolment(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		code := random(32)
		must(t, w.CreateInvitation(ctx, store.Invitation{CodeHash: code, Patient: "n", CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}))
		user := func(key, fhirUser string) store.User {
			return store.User{ID: store.UserID(key), Username: key, UsernameKey: key, Role: store.RolePatient, FHIRUser: fhirUser}
		}
		if err := w.Enrol(ctx, code, user("u", "Patient/n")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("a taken name: %v", err)
		}
		if err := w.Enrol(ctx, code, user("n1", "Patient/p")); !errors.Is(err, store.ErrConflict) {
			t.Errorf("a patient with an account: %v", err)
		}
		good := 0
		for _, err := range together(10, func(i int) error { return w.Enrol(ctx, code, user(fmt.Sprint("n", i), "Patient/n")) }) {
			if err == nil {
				good++
			}
		}
		if good != 1 {
			t.Errorf("enrolled %d times", good)
		}
		if _, err := w.TryInvitation(ctx, code, 5); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a used invitation: %v", err)
		}
	})
}
