package storetest_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/store/storesql"
)

// refreshForEver gives eight callers a grant each and prints what was
// acknowledged, until it is killed.
func refreshForEver(url string, out io.Writer) error {
	d, err := db.Open(ctx, db.Config{URL: url, MovableClock: true})
	if err != nil {
		return err
	}
	s := storesql.New(d)
	errs := together(8, func(int) error {
		for {
			i := newGrant(offline)
			if err := s.IssueCode(ctx, i); err != nil {
				return err
			}
			if _, err := s.RedeemCode(ctx, redemption(i)); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "%s %x 1\n", i.Grant.ID, i.Code.Hash)
			for generation := uint32(1); generation < 20; generation++ {
				got, err := s.RefreshGrant(ctx, use(i.Grant.ID, generation))
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(out, "%s %x %d\n", i.Grant.ID, i.Code.Hash, got.Grant.Generation)
			}
		}
	})
	return errors.Join(errs...)
}

// acknowledged is what a grant had reached when the process was killed.
type acknowledged struct {
	generation uint32
	code       []byte
}

// What was answered is there after kill -9: a used code is used, a used refresh
// token has its successor, and no family has two.
//
// spec: F-01, E-02
// attack: RT-06, TK-29
func TestAcknowledgedSurvivesKill(t *testing.T) {
	t.Parallel()
	url := sqliteURL(t)
	s, d := open(t, db.Config{URL: url, MovableClock: true})
	people(t, s)
	must(t, d.Close())
	grants := map[store.GrantID]acknowledged{}
	kills := 5
	if long() {
		kills = 25
	}
	for n := range kills {
		killed(t, url, time.Duration(200+60*n%600)*time.Millisecond, grants)
	}
	if len(grants) < kills {
		t.Fatalf("%d grants in %d lives", len(grants), kills)
	}
	t.Logf("%d grants, %d kills", len(grants), kills)

	w := world{url: url}
	w.Store, w.db = open(t, db.Config{URL: url, MovableClock: true})
	w.move(t, time.Minute) // the grace is over
	for id, reached := range grants {
		g, err := w.Grant(ctx, id)
		if err != nil || g.Generation < reached.generation || g.Generation > reached.generation+1 {
			t.Fatalf("acknowledged up to %d, found %d, %v", reached.generation, g.Generation, err)
		}
		if g.Generation > 1 {
			refused(t, w, use(id, g.Generation-1), store.ErrConsumed)
		} else {
			refreshed(t, w, use(id, g.Generation), g.Generation+1, false)
		}
		if _, err := w.RedeemCode(ctx, store.Redemption{CodeHash: reached.code, ClientID: "app", RedirectURI: "http://r", CodeChallenge: "c"}); !errors.Is(err, store.ErrConsumed) {
			t.Fatalf("a used code: %v", err)
		}
	}
}

// killed lets a process work for a while, kills it, and notes what it had said.
func killed(t *testing.T, url string, after time.Duration, grants map[store.GrantID]acknowledged) {
	t.Helper()
	child := exec.Command(os.Args[0]) // #nosec G204 -- this very test binary
	child.Env = append(os.Environ(), crasherEnv+"="+url)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	lines := bufio.NewScanner(out)
	var death *time.Timer
	for lines.Scan() {
		if death == nil {
			death = time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		var (
			id store.GrantID
			a  acknowledged
		)
		if _, err := fmt.Sscanf(lines.Text(), "%s %x %d", &id, &a.code, &a.generation); err != nil {
			continue // the last line was cut
		}
		if a.generation > grants[id].generation {
			grants[id] = a
		}
	}
	if death == nil {
		t.Fatal("the process said nothing")
	}
	death.Stop()
	_ = child.Wait()
}
