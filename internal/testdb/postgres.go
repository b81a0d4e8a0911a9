package testdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/testpg"
)

// makingTemplate is the advisory lock of who makes the template of a server.
const makingTemplate = 0x74657374 // "test"

// PostgreSQL returns the URL of a migrated database that is dropped at the end of the
// test. Without PostgreSQL the test is skipped, as package testpg says.
func PostgreSQL(t testing.TB) string {
	t.Helper()
	name, err := template(testpg.Server(t))
	if err != nil {
		t.Fatal(err)
	}
	return testpg.Copy(t, name)
}

// DeleteRecords deletes all FHIR resources, their versions and their index: of few,
// faster than TRUNCATE, which makes new files.
func DeleteRecords(t testing.TB, d *db.DB) {
	t.Helper()
	for _, table := range []string{"owner", "attachment", "version", "token", "reference", "date", "string", "number", "uri", "resource"} {
		if _, err := d.Exec(context.Background(), `DELETE FROM fhir_`+table); err != nil {
			t.Fatal(err)
		}
	}
}

var templates sync.Map // by server: func() (string, error)

// template is the name of the migrated database of a server.
func template(server string) (string, error) {
	once, _ := templates.LoadOrStore(server, sync.OnceValues(func() (string, error) { return makeTemplate(server) }))
	return once.(func() (string, error))() //nolint:forcetypeassert // nothing else is stored
}

// makeTemplate makes it, unless another test binary has.
func makeTemplate(server string) (name string, err error) {
	mark, err := fingerprint()
	if err != nil {
		return "", err
	}
	name = "emberlatch_template_" + mark
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }() // gives the lock back
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, makingTemplate); err != nil {
		return "", err
	}
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there); err != nil || there {
		return name, err
	}
	return name, fillTemplate(ctx, conn, server, name)
}

// fillTemplate gives the database its name when it is whole.
func fillTemplate(ctx context.Context, conn *pgx.Conn, server, name string) error {
	unfinished, err := url.Parse(server)
	if err != nil {
		return err
	}
	unfinished.Path = "/" + name + "_unfinished"
	for _, statement := range []string{`DROP DATABASE IF EXISTS "` + name + `_unfinished"`, `CREATE DATABASE "` + name + `_unfinished"`} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := migrate(unfinished.String()); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf(`ALTER DATABASE "%s_unfinished" RENAME TO "%s"`, name, name))
	return err
}

// fingerprint tells the migrations of one source tree from those of another: a server
// may outlive both.
func fingerprint() (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("testdb: the source tree is not known")
	}
	files := os.DirFS(filepath.Join(filepath.Dir(here), "../db/migrations/postgres"))
	sum := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:8]), err
}
