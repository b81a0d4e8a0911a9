package testpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server returns the URL of the server's own database.
func Server(t testing.TB) string {
	t.Helper()
	return running(t).String()
}

// URL returns the URL of a fresh database that is dropped at the end of the test.
func URL(t testing.TB) string {
	t.Helper()
	return Copy(t, "template1")
}

// Copy is URL for a database that begins as a copy of another, to which nobody is
// connected.
func Copy(t testing.TB, template string) string {
	t.Helper()
	admin := running(t)
	name := "t" + strings.ToLower(rand.Text())
	run(t, admin.String(), `CREATE DATABASE "`+name+`" TEMPLATE "`+template+`"`)
	t.Cleanup(func() { run(t, admin.String(), `DROP DATABASE IF EXISTS "`+name+`" WITH (FORCE)`) })
	own := *admin
	own.Path = "/" + name
	return own.String()
}

// Schema returns the URL of a fresh schema in a database that others use too. It
// is made and dropped much faster than a database, for suites of many tests.
func Schema(t testing.TB) string {
	t.Helper()
	admin := running(t)
	name := "s" + strings.ToLower(rand.Text())
	run(t, admin.String(), `CREATE SCHEMA "`+name+`"`)
	t.Cleanup(func() { run(t, admin.String(), `DROP SCHEMA IF EXISTS "`+name+`" CASCADE`) })
	own := *admin
	q := own.Query()
	q.Set("search_path", name)
	own.RawQuery = q.Encode()
	return own.String()
}

// running returns the address of the server, or ends the test.
func running(t testing.TB) *url.URL {
	t.Helper()
	admin, err := server()
	if errors.Is(err, errNotInstalled) && os.Getenv("CI") == "" {
		t.Skip("PostgreSQL is not installed: run make setup, or set EMBERLATCH_TEST_POSTGRES")
	}
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func run(t testing.TB, admin, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Error(err)
	}
}

var errNotInstalled = errors.New("testpg: initdb was not found")

// server is the admin URL of the server, started at the first call.
var server = sync.OnceValues(func() (string, error) {
	if given := os.Getenv("EMBERLATCH_TEST_POSTGRES"); given != "" {
		return given, nil
	}
	bin := binaries()
	if bin == "" {
		return "", errNotInstalled
	}
	return start(bin)
})

func binaries() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

// start runs a server that dies with this process: postgres itself is the child,
// and it is told to die when its parent does.
func start(bin string) (string, error) {
	dir, err := os.MkdirTemp("", "emberlatch-pg-")
	if err != nil {
		return "", err
	}
	credential, err := unprivileged(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: credential}
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("testpg: initdb: %w: %s", err, out)
	}
	postgres := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+dir,
		"-c", "max_connections=200", "-c", "logging_collector=off")
	postgres.Dir = dir
	postgres.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGKILL}
	if err := postgres.Start(); err != nil {
		return "", err
	}
	admin := "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	return admin, ready(admin)
}

// unprivileged is the user to run the server as; nil: the current one.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // no other user is needed
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		if who, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.ParseUint(who.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(who.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil { //nolint:gosec // 32 bits
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func ready(admin string) error {
	var err error
	for range 300 {
		var conn *pgx.Conn
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if conn, err = pgx.Connect(ctx, admin); err == nil {
			err = conn.Close(ctx)
			cancel()
			return err
		}
		cancel()
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("testpg: the server did not start: %w", err)
}
