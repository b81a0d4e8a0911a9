package storetest_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/testdb"
)

var ctx = context.Background()

// world is a store with a second handle on the same data: another pool on
// PostgreSQL, the same one on SQLite, which has one process. It holds the clients
// app and evil and the user u, who is the patient p.
type world struct {
	*storesql.Store
	other *storesql.Store
	db    *db.DB
	url   string
}

// move moves the database's clock.
func (w world) move(t testing.TB, by time.Duration) {
	t.Helper()
	must(t, w.db.MoveClock(ctx, by))
}

// now is the database's time.
func (w world) now(t testing.TB) time.Time {
	t.Helper()
	var ms int64
	must(t, w.db.QueryRow(ctx, `SELECT `+w.db.NowExpr()).Scan(&ms))
	return time.UnixMilli(ms).UTC()
}

func open(t testing.TB, cfg db.Config) (*storesql.Store, *db.DB) {
	t.Helper()
	d, err := db.Open(ctx, cfg)
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	must(t, d.Migrate(ctx)) // makes the clock that moves
	return storesql.New(d), d
}

func sqliteURL(t testing.TB) string { return testdb.SQLite(t) }

func worldOf(t testing.TB, engine string) world {
	t.Helper()
	w := world{url: sqliteURL(t)}
	if engine == "postgres" {
		w.url = testdb.PostgreSQL(t)
	}
	w.Store, w.db = open(t, db.Config{URL: w.url, MovableClock: true})
	w.other = w.Store
	if engine == "postgres" {
		w.other, _ = open(t, db.Config{URL: w.url, MovableClock: true})
	}
	people(t, w.Store)
	return w
}

func people(t testing.TB, s store.Store) {
	t.Helper()
	must(t, s.CreateClient(ctx, store.Client{ID: "app", GrantTypes: []string{"authorization_code"}}))
	must(t, s.CreateClient(ctx, store.Client{ID: "evil"}))
	must(t, s.CreateUser(ctx, store.User{ID: "u", Username: "u", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/p"}))
}

// both runs a test on each database.
func both(t *testing.T, test func(t *testing.T, w world)) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, worldOf(t, engine))
		})
	}
}

func must(t testing.TB, err error) {
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

// The usual families of refresh tokens.
var (
	offline = store.RefreshPolicy{Kind: store.RefreshOffline, Idle: 90 * 24 * time.Hour, Rotate: true}
	online  = store.RefreshPolicy{Kind: store.RefreshOnline, Idle: 90 * 24 * time.Hour, Rotate: true}
)

// newGrant is a grant with its code, not yet issued.
func newGrant(p store.RefreshPolicy) store.Issue {
	return store.Issue{
		Grant: store.Grant{
			ID: store.GrantID(base64.RawURLEncoding.EncodeToString(random(16))), ClientID: "app", UserID: "u", Patient: "p",
			Scopes: []string{"patient/*.rs?_tag=a|b,c"}, Audience: "http://f", Refresh: p,
		},
		Code: store.AuthorizationCode{Hash: random(32), RedirectURI: "http://r", CodeChallenge: "c", Life: time.Minute},
	}
}

// redemption is the right way to redeem the code.
func redemption(i store.Issue) store.Redemption {
	return store.Redemption{
		CodeHash: i.Code.Hash, ClientID: i.Grant.ClientID, RedirectURI: i.Code.RedirectURI, CodeChallenge: i.Code.CodeChallenge,
	}
}

// issue makes a grant with a fresh code and returns both.
func issue(t testing.TB, w world, p store.RefreshPolicy) (store.GrantID, store.Redemption) {
	t.Helper()
	i := newGrant(p)
	must(t, w.IssueCode(ctx, i))
	return i.Grant.ID, redemption(i)
}

// redeemed makes a grant whose code has been redeemed.
func redeemed(t testing.TB, w world, p store.RefreshPolicy) store.GrantID {
	t.Helper()
	id, r := issue(t, w, p)
	_, err := w.RedeemCode(ctx, r)
	must(t, err)
	return id
}

// use is the right way to use a refresh token.
func use(id store.GrantID, generation uint32) store.Refresh {
	return store.Refresh{GrantID: id, ClientID: "app", Generation: generation, Grace: 10 * time.Second}
}

// session makes a session of u that lives an hour, half an hour when idle.
func session(t testing.TB, w world) []byte {
	t.Helper()
	id, now := random(32), w.now(t)
	must(t, w.CreateSession(ctx, store.Session{
		IDHash: id, UserID: "u", AuthTime: now, CreatedAt: now, LastSeenAt: now, IdleUntil: now.Add(30 * time.Minute), ExpiresAt: now.Add(time.Hour),
	}))
	return id
}

// told reports whether the feed has a row.
func told(t testing.TB, w world, kind store.ChangeKind, id string) bool {
	t.Helper()
	changes, err := w.Changes(ctx, time.Hour)
	must(t, err)
	for _, c := range changes {
		if c.Kind == kind && c.ID == id {
			return true
		}
	}
	return false
}

// long reports whether the long forms of the tests were asked for.
func long() bool { return os.Getenv("EMBERLATCH_LONG") != "" }

// rounds: 20 in a usual run, 200 with EMBERLATCH_LONG.
func rounds() int {
	if long() {
		return 200
	}
	return 20
}

// together calls do n times at once.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var start, done sync.WaitGroup
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			errs[i] = do(i)
		})
	}
	start.Done()
	done.Wait()
	return errs
}
