package storetest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
	"github.com/emberlatch/emberlatch/internal/testdb"
)

// These variables make the test binary behave as another server process on the
// database that they name.
const (
	serverEnv  = "EMBERLATCH_STORE_TEST_SERVER"
	crasherEnv = "EMBERLATCH_STORE_TEST_CRASHER"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(serverEnv); url != "" {
		exitOn(serve(url, os.Stdin, os.Stdout))
	}
	if url := os.Getenv(crasherEnv); url != "" {
		exitOn(refreshForEver(url, os.Stdout))
	}
	os.Exit(m.Run())
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// order is what a server process does, so many times at once.
type order struct {
	Times      int
	Promise    *store.PromisedGrant // with Redemption
	Redemption *store.Redemption
	Refresh    *store.Refresh
	Revocation *store.Revocation
	EndSession []byte
}

// report is one outcome: the sentinel's text, or the generation answered with.
type report struct {
	Failure    string
	Generation uint32
}

func (o order) carryOut(s store.Store) report {
	var (
		g   store.Grant
		f   store.Refreshed
		err error
	)
	switch {
	case o.Promise != nil:
		g, err = s.RedeemPromised(ctx, *o.Promise, *o.Redemption)
	case o.Redemption != nil:
		g, err = s.RedeemCode(ctx, *o.Redemption)
	case o.Refresh != nil:
		f, err = s.RefreshGrant(ctx, *o.Refresh)
		g = f.Grant
	case o.Revocation != nil:
		_, err = s.Revoke(ctx, *o.Revocation)
	default:
		err = s.EndSession(ctx, o.EndSession, "logout")
	}
	if err != nil {
		return report{Failure: err.Error()}
	}
	return report{Generation: g.Generation}
}

func serve(url string, in io.Reader, out io.Writer) error {
	d, err := db.Open(ctx, db.Config{URL: url, MovableClock: true})
	if err != nil {
		return err
	}
	s, orders, reports := storesql.New(d), json.NewDecoder(in), json.NewEncoder(out)
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return d.Close()
		} else if err != nil {
			return err
		}
		all := make([]report, o.Times)
		together(o.Times, func(i int) error { all[i] = o.carryOut(s); return nil })
		if err := reports.Encode(all); err != nil {
			return err
		}
	}
}

// server is a running process.
type server struct {
	orders  *json.Encoder
	reports *json.Decoder
}

func startServer(t testing.TB, url string) *server {
	t.Helper()
	child := exec.Command(os.Args[0]) // #nosec G204 -- this very test binary
	child.Env = append(os.Environ(), serverEnv+"="+url)
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	must(t, err)
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	t.Cleanup(func() {
		_ = in.Close()
		if err := child.Wait(); err != nil {
			t.Errorf("server process: %v", err)
		}
	})
	return &server{json.NewEncoder(in), json.NewDecoder(out)}
}

// race gives each server its orders at the same time and collects all reports.
func race(t testing.TB, servers [2]*server, orders [2]order) []report {
	t.Helper()
	for n, s := range servers {
		must(t, s.orders.Encode(orders[n]))
	}
	var all []report
	for _, s := range servers {
		var reports []report
		must(t, s.reports.Decode(&reports))
		all = append(all, reports...)
	}
	return all
}

// tally counts the reports by outcome.
func tally(reports []report) map[string]int {
	counts := map[string]int{}
	for _, r := range reports {
		if r.Failure != "" {
			counts[r.Failure]++
		} else {
			counts[fmt.Sprint("generation ", r.Generation)]++
		}
	}
	return counts
}

// Two servers on one PostgreSQL.
//
// spec: AUTHZ-24, AUTHZ-25, RT-02, RT-23, RT-24, F-50, F-51
// attack: TK-03, RT-02, RT-03
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	w := world{url: testdb.PostgreSQL(t)}
	w.Store, w.db = open(t, db.Config{URL: w.url, MovableClock: true})
	people(t, w.Store)
	servers := [2]*server{startServer(t, w.url), startServer(t, w.url)}
	for _, row := range []struct {
		name string
		test func(t *testing.T, w world, servers [2]*server)
	}{
		{"one code", oneCode},
		{"one promise", onePromise},
		{"one refresh token", oneRefreshToken},
		{"refresh against revocation", refreshAgainstRevocation},
		{"refresh against logout", refreshAgainstLogout},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range rounds() {
				row.test(t, w, servers)
			}
		})
	}
}

func oneCode(t *testing.T, w world, servers [2]*server) {
	id, r := issue(t, w, offline)
	got := tally(race(t, servers, [2]order{{Times: 25, Redemption: &r}, {Times: 25, Redemption: &r}}))
	same(t, map[string]int{"generation 1": 1, store.ErrConsumed.Error(): 49}, got)
	refused(t, w, use(id, 1), store.ErrRevoked)
}

func onePromise(t *testing.T, w world, servers [2]*server) {
	p, r := promise(t, w, offline)
	o := order{Times: 25, Promise: &p, Redemption: &r}
	got := tally(race(t, servers, [2]order{o, o}))
	same(t, map[string]int{"generation 1": 1, store.ErrConsumed.Error(): 49}, got)
	refused(t, w, use(p.Grant.ID, 1), store.ErrRevoked)
}

func oneRefreshToken(t *testing.T, w world, servers [2]*server) {
	id := redeemed(t, w, offline)
	r := use(id, 1)
	got := tally(race(t, servers, [2]order{{Times: 25, Refresh: &r}, {Times: 25, Refresh: &r}}))
	same(t, map[string]int{"generation 2": 50}, got)
	refreshed(t, w, use(id, 2), 3, false)
}

func refreshAgainstRevocation(t *testing.T, w world, servers [2]*server) {
	id := redeemed(t, w, offline)
	r := use(id, 1)
	got := tally(race(t, servers, [2]order{{Times: 20, Refresh: &r}, {Times: 1, Revocation: &store.Revocation{GrantID: id}}}))
	if got["generation 0"] != 1 || got["generation 2"]+got[store.ErrRevoked.Error()] != 20 {
		t.Fatalf("outcomes: %v", got)
	}
	over(t, w, id)
}

// over wants that no token of a family works, nor was one made that might.
func over(t *testing.T, w world, id store.GrantID) {
	t.Helper()
	refused(t, w, use(id, 1), store.ErrRevoked)
	if _, err := w.RefreshGrant(ctx, use(id, 2)); !errors.Is(err, store.ErrRevoked) && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the successor: %v", err)
	}
}

func refreshAgainstLogout(t *testing.T, w world, servers [2]*server) {
	i := newGrant(online)
	i.Grant.SessionHash = session(t, w)
	must(t, w.IssueCode(ctx, i))
	_, err := w.RedeemCode(ctx, redemption(i))
	must(t, err)
	r := use(i.Grant.ID, 1)
	got := tally(race(t, servers, [2]order{{Times: 20, Refresh: &r}, {Times: 1, EndSession: i.Grant.SessionHash}}))
	if got["generation 0"] != 1 || got["generation 2"]+got[store.ErrRevoked.Error()] != 20 {
		t.Fatalf("outcomes: %v", got)
	}
	over(t, w, i.Grant.ID)
}
