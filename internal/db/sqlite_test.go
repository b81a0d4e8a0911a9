package db_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
)

// childEnv makes the test binary behave as a child process.
const childEnv = "EMBERLATCH_DB_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		writeForEver(path)
	}
	os.Exit(m.Run())
}

// writeForEver prints the id of each acknowledged row until it is killed.
func writeForEver(path string) {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: db.SQLiteURL(path)})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	if _, err := d.Exec(ctx, `CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY, n BIGINT NOT NULL)`); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), w, i)
				err := d.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
					_, err := tx.Exec(ctx, insert, id, i)
					return err
				})
				if err == nil {
					_, _ = os.Stdout.WriteString("ok " + id + "\n")
				}
			}
		}()
	}
	select {}
}

// spec: F-01, E-03
func TestAcknowledgedSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crash.db")
	acked := 0
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	var ids []string
	for round := range rounds {
		child := exec.Command(os.Args[0]) // #nosec G204 -- this very test binary
		child.Env = append(os.Environ(), childEnv+"="+path)
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		kill := time.AfterFunc(time.Duration(150+70*round)*time.Millisecond, func() { _ = child.Process.Kill() })
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			id, ok := strings.CutPrefix(lines.Text(), "ok ")
			if !ok {
				t.Fatalf("child: %s", lines.Text())
			}
			ids = append(ids, id)
		}
		kill.Stop()
		_ = child.Wait()
		acked = len(ids)
	}
	d := open(t, db.Config{URL: db.SQLiteURL(path)})
	rows, err := d.Query(context.Background(), `SELECT id FROM item`)
	must(t, err)
	defer rows.Close()
	found := map[string]bool{}
	for rows.Next() {
		var id string
		must(t, rows.Scan(&id))
		found[id] = true
	}
	must(t, rows.Err())
	for _, id := range ids {
		if !found[id] {
			t.Errorf("acknowledged row %s is missing", id)
		}
	}
	if acked == 0 || len(found) > acked+rounds*8 {
		t.Errorf("%d acknowledged, %d found", acked, len(found))
	}
	var ok string
	must(t, d.QueryRow(context.Background(), `PRAGMA integrity_check`).Scan(&ok))
	if ok != "ok" {
		t.Errorf("integrity_check: %s", ok)
	}
}

// spec: E-03
func TestSecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.db")
	child := exec.Command(os.Args[0]) // #nosec G204 -- this very test binary
	child.Env = append(os.Environ(), childEnv+"="+path)
	out, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("child did not start")
	}
	_, err = db.Open(context.Background(), db.Config{URL: db.SQLiteURL(path)})
	if !errors.Is(err, db.ErrInUse) {
		t.Fatalf("second process: %v, want ErrInUse", err)
	}
	if !strings.Contains(err.Error(), fmt.Sprint(child.Process.Pid)) || !strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Errorf("message does not name process and folder: %v", err)
	}
}

func TestSQLiteFilesArePrivate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "sub", "x.db")
	open(t, db.Config{URL: db.SQLiteURL(path)})
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".lock"} {
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(name), info.Mode().Perm())
		}
	}
	info, err := os.Stat(filepath.Dir(path))
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("folder has mode %v", info.Mode().Perm())
	}
}

func TestReadsCannotWrite(t *testing.T) {
	d := openSQLite(t)
	rows, err := d.Query(context.Background(), insert, "sneaked", 1)
	if err == nil {
		for rows.Next() {
		}
		err = rows.Err()
		rows.Close()
	}
	if err == nil {
		t.Error("a read wrote")
	}
	if got := count(t, d, "1=1"); got != 0 {
		t.Errorf("%d rows", got)
	}
}

// Sixteen callers share commits; each of them alone would need one.
func TestGroupCommitShares(t *testing.T) {
	d := openSQLite(t)
	before := d.Stats()
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := range 50 {
				must(t, exec2(d, insert, fmt.Sprint(w, "-", i), i))
			}
		})
	}
	wg.Wait()
	after := d.Stats()
	writes, commits := after.Writes-before.Writes, after.Transactions-before.Transactions
	if writes != 800 || commits > writes/3 {
		t.Errorf("%d writes took %d commits, want at most a third", writes, commits)
	}
	t.Logf("%d writes, %d commits", writes, commits)
}

func exec2(d *db.DB, stmt string, args ...any) error {
	return d.One(context.Background(), stmt+` RETURNING n`, args, new(int))
}

// spec: F-11
func TestForeignLockEndsInUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "busy.db")
	d := open(t, db.Config{URL: db.SQLiteURL(path), BusyTimeout: 100 * time.Millisecond})
	other, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	must(t, err)
	defer other.Close()
	tx, err := other.Begin()
	must(t, err)
	if err := exec2(d, insert, "blocked", 1); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("write against a lock: %v, want ErrUnavailable", err)
	}
	if got := count(t, d, "1=1"); got != 0 {
		t.Errorf("%d rows", got)
	}
	must(t, tx.Rollback())
	must(t, exec2(d, insert, "after", 1))
}

// A commit that fails fails everyone in it, and the next one works.
func TestCommitFailureFailsTheGroup(t *testing.T) {
	d := openSQLite(t)
	must(t, exec1(d, `CREATE TABLE parent (id TEXT PRIMARY KEY)`))
	must(t, exec1(d, `CREATE TABLE child (parent TEXT REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)`))
	var wg sync.WaitGroup
	var failed, fine atomic.Int64
	hold := make(chan struct{})
	go func() { // keeps the writer busy, so that the others meet in one group
		_ = d.Write(context.Background(), func(context.Context, *db.Tx) error { <-hold; return nil })
	}()
	time.Sleep(20 * time.Millisecond)
	for i := range 8 {
		wg.Go(func() {
			var err error
			if i == 3 {
				err = exec1(d, `INSERT INTO child (parent) VALUES ('nobody')`)
			} else {
				err = exec2(d, insert, fmt.Sprint("g", i), i)
			}
			if err != nil {
				failed.Add(1)
			} else {
				fine.Add(1)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(hold)
	wg.Wait()
	if got := int64(count(t, d, "1=1")); got != fine.Load() || failed.Load() == 0 {
		t.Errorf("%d acknowledged, %d failed, %d rows", fine.Load(), failed.Load(), got)
	}
	must(t, exec2(d, insert, "next", 1))
}

func exec1(d *db.DB, stmt string) error {
	_, err := d.Exec(context.Background(), stmt)
	return err
}

// spec: F-14
func TestReplacedFileStopsTheDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "moved.db")
	d := open(t, db.Config{URL: db.SQLiteURL(path)})
	must(t, os.Rename(path, path+".old"))
	if err := exec2(d, insert, "lost", 1); !errors.Is(err, db.ErrFailed) && !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("write into a moved file: %v", err)
	}
	if err := d.Ping(context.Background()); !errors.Is(err, db.ErrFailed) {
		t.Errorf("ping: %v, want ErrFailed", err)
	}
	select {
	case <-d.Failed():
	default:
		t.Error("Failed is not closed")
	}
}

// spec: F-06, F-07
func TestFullDiskRecovers(t *testing.T) {
	d := openSQLite(t)
	must(t, exec1(d, `CREATE TABLE big (b TEXT)`))
	must(t, exec1(d, `PRAGMA max_page_count = 40`))
	big := strings.Repeat("x", 50_000)
	var err error
	for range 20 {
		if _, err = d.Exec(context.Background(), `INSERT INTO big (b) VALUES ($1)`, big); err != nil {
			break
		}
	}
	if !errors.Is(err, db.ErrUnavailable) {
		t.Fatalf("full database: %v, want ErrUnavailable", err)
	}
	if n := count(t, d, "1=1"); n != 0 {
		t.Errorf("reads while full: %d", n)
	}
	must(t, exec1(d, `PRAGMA max_page_count = 1000000`))
	must(t, exec2(d, insert, "again", 1))
}

func TestQueueIsBounded(t *testing.T) {
	d := open(t, db.Config{URL: db.SQLiteURL(filepath.Join(t.TempDir(), "q.db")), QueueLimit: 4})
	hold := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = d.Write(context.Background(), func(context.Context, *db.Tx) error { <-hold; return nil })
	})
	time.Sleep(20 * time.Millisecond)
	var refused atomic.Int64
	for i := range 10 {
		wg.Go(func() {
			if err := exec2(d, insert, fmt.Sprint("q", i), i); errors.Is(err, db.ErrUnavailable) {
				refused.Add(1)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	// A caller who gives up while waiting is gone from the queue without effect.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_ = d.One(ctx, insert+` RETURNING n`, []any{"gave up", 1}, new(int))
	close(hold)
	wg.Wait()
	if refused.Load() != 6 {
		t.Errorf("%d refused, want 6", refused.Load())
	}
	if got := count(t, d, "id = 'gave up'"); got != 0 {
		t.Error("a withdrawn write was done")
	}
}

// spec: TK-32, F-12
func TestNoBusyErrorDuringCheckpoints(t *testing.T) {
	d := openSQLite(t)
	stop := make(chan struct{})
	var readers, wg sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					count(t, d, "n >= 0")
				}
			}
		})
	}
	text := strings.Repeat("y", 3000)
	for w := range 16 {
		wg.Go(func() {
			for i := range 40 {
				if err := exec2(d, insert, fmt.Sprint(w, "-", i, text), i); err != nil {
					t.Errorf("write: %v", err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	readers.Wait()
}

func TestOpenRefusals(t *testing.T) {
	for name, url := range map[string]string{
		"relative path":  "sqlite:x.db",
		"a host":         "sqlite://data" + filepath.Join(t.TempDir(), "x.db"),
		"a query":        db.SQLiteURL(filepath.Join(t.TempDir(), "x.db")) + "?mode=ro",
		"unknown scheme": "mysql://localhost/x",
		"not a URL":      "postgres://%zz:secret@h/x",
		"a bad address":  "postgres://u:secret@h:notaport/x",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := db.Open(context.Background(), db.Config{URL: url})
			if err == nil {
				t.Fatal("opened")
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
	t.Run("not a database", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "junk.db")
		must(t, os.WriteFile(path, []byte(strings.Repeat("junk ", 1000)), 0o600))
		if _, err := db.Open(context.Background(), db.Config{URL: db.SQLiteURL(path)}); err == nil {
			t.Error("opened junk")
		}
	})
}

func TestUseAfterClose(t *testing.T) {
	d, err := db.Open(context.Background(), db.Config{URL: db.SQLiteURL(filepath.Join(t.TempDir(), "c.db"))})
	must(t, err)
	must(t, d.Close())
	if err := exec1(d, `CREATE TABLE x (y TEXT)`); !errors.Is(err, db.ErrClosed) {
		t.Errorf("write after Close: %v", err)
	}
	if err := d.QueryRow(context.Background(), `SELECT 1`).Scan(new(int)); err == nil {
		t.Error("read after Close worked")
	}
}
