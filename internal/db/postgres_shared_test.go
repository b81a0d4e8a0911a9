package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
)

// held has every lane wait for a row, so that what comes next waits too. The function
// that it returns lets them go, and waits for them.
func held(t *testing.T, d *db.DB) (release func()) {
	t.Helper()
	must(t, run(d, `INSERT INTO item (id, n) VALUES ('held', 0)`))
	locked, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		must(t, d.Write(context.Background(), func(ctx context.Context, tx *db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE item SET n = n + 1 WHERE id = 'held'`)
			close(locked)
			<-free
			return err
		}))
	})
	<-locked
	for range db.Lanes {
		wg.Go(func() { must(t, run(d, `UPDATE item SET n = n + 1 WHERE id = 'held'`)) })
	}
	for db.Busy(d) < db.Lanes {
		time.Sleep(time.Millisecond)
	}
	return func() { close(free); wg.Wait() }
}

// wait returns when so many wait.
func wait(t *testing.T, d *db.DB, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); d.Stats().Waiting < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d wait, not %d", d.Stats().Waiting, n)
		}
	}
}

// Statements that wait are one transaction, and each has its own answer.
func TestStatementsThatWaitShareACommit(t *testing.T) {
	d := openPostgres(t)
	release := held(t, d)
	before := d.Stats()
	const callers = 20
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			var got int
			id := fmt.Sprintf("shared-%d", i)
			must(t, d.One(context.Background(), `INSERT INTO item (id, n) VALUES ($1, $2) RETURNING n`, []any{id, int64(i)}, &got))
			if got != i {
				t.Errorf("caller %d has the answer of %d", i, got)
			}
		})
	}
	wg.Go(func() {
		var got int
		if err := d.One(context.Background(), `UPDATE item SET n = 1 WHERE id = 'nothing' RETURNING n`, nil, &got); !errors.Is(err, db.ErrNoRow) {
			t.Errorf("a statement without a row: %v", err)
		}
	})
	wg.Go(func() {
		if n, err := d.Exec(context.Background(), `UPDATE item SET n = n WHERE id = 'held'`); err != nil || n != 1 {
			t.Errorf("a changed row: %d %v", n, err)
		}
	})
	wait(t, d, callers+2)
	release()
	wg.Wait()
	after := d.Stats()
	if n := after.Writes - before.Writes - db.Lanes - 1; n != callers+2 {
		t.Errorf("%d acknowledged", n)
	}
	if n := after.Transactions - before.Transactions - db.Lanes - 1; n != 1 {
		t.Errorf("%d transactions for what waited", n)
	}
	if n := count(t, d, `id LIKE 'shared-%'`); n != callers {
		t.Errorf("%d were kept", n)
	}
}

// One that fails has its own error, and the others are not harmed.
//
// attack: F-33
func TestAStatementThatFailsHarmsNobodyWhoShares(t *testing.T) {
	d := openPostgres(t)
	release := held(t, d)
	const callers = 12
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			n, err := d.Exec(context.Background(), `INSERT INTO item (id, n) VALUES ($1, 0)`, fmt.Sprintf("shared-%d", i))
			if n != 1 || err != nil {
				t.Errorf("caller %d: %d %v", i, n, err)
			}
		})
	}
	wg.Go(func() {
		if err := run(d, `INSERT INTO item (id, n) VALUES ('held', 0)`); !errors.Is(err, db.ErrUnique) {
			t.Errorf("a second row of one key: %v", err)
		}
	})
	wait(t, d, callers+1)
	release()
	wg.Wait()
	if n := count(t, d, `id LIKE 'shared-%'`); n != callers {
		t.Errorf("%d were kept", n)
	}
}

// What may be used once is used once by those who share as well.
func TestSharingUsesOnce(t *testing.T) {
	d := openPostgres(t)
	must(t, run(d, `INSERT INTO item (id, n) VALUES ('once', 0)`))
	release := held(t, d)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 20 {
		wg.Go(func() {
			var n int
			err := d.One(context.Background(), `UPDATE item SET n = 1, used_by = $1 WHERE id = 'once' AND n = 0 RETURNING n`, []any{fmt.Sprint(i)}, &n)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, db.ErrNoRow):
				t.Error(err)
			}
		})
	}
	wait(t, d, 20)
	release()
	wg.Wait()
	if won != 1 {
		t.Errorf("%d have used it", won)
	}
}

// A caller who goes away before the turn leaves nothing behind; one who goes away
// afterwards has the real outcome.
//
// attack: E-40
func TestACallerWhoGoesAwayDoesNotShare(t *testing.T) {
	d := openPostgres(t)
	release := held(t, d)
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error)
	go func() {
		_, err := d.Exec(ctx, `INSERT INTO item (id, n) VALUES ('gone', 0)`)
		gone <- err
	}()
	wait(t, d, 1)
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	stays := make(chan error)
	go func() { stays <- run(d, `INSERT INTO item (id, n) VALUES ('stays', 0)`) }()
	wait(t, d, 1)
	release()
	must(t, <-stays)
	if count(t, d, `id = 'gone'`) != 0 || count(t, d, `id = 'stays'`) != 1 {
		t.Error("what was withdrawn was done, or what was not was not")
	}
}
