package fhirsql_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"iter"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/testdb"
)

const base = "http://localhost/fhir"

// engines opens an empty store on each database.
var engines = map[string]func(t testing.TB) *fhirsql.Store{
	"sqlite": func(t testing.TB) *fhirsql.Store {
		return open(t, testdb.SQLite(t))
	},
	"postgres": func(t testing.TB) *fhirsql.Store { return open(t, testdb.PostgreSQL(t)) },
}

func open(t testing.TB, url string) *fhirsql.Store {
	t.Helper()
	ctx := context.Background()
	d, err := db.Open(ctx, db.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// dataDir is the folder of test data that is not part of the repository.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../../shared/data"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the test data is not here; set EMBERLATCH_DATA to its folder")
	}
	return dir
}

// ndjson yields the lines of gzipped files.
func ndjson(t testing.TB, files ...string) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			gz, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(gz)
			lines.Buffer(nil, 16<<20)
			for lines.Scan() {
				if len(lines.Bytes()) > 0 && !yield(fhirstore.Incoming{JSON: append([]byte{}, lines.Bytes()...), Origin: file}) {
					_ = f.Close()
					return
				}
			}
			_ = f.Close()
		}
	}
}

func load(t testing.TB, s *fhirsql.Store, resources iter.Seq[fhirstore.Incoming]) fhirstore.LoadReport {
	t.Helper()
	report, err := s.Load(context.Background(), resources, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// of yields resources written as JSON.
func of(resources ...string) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		for _, r := range resources {
			if !yield(fhirstore.Incoming{JSON: []byte(r), Origin: "test"}) {
				return
			}
		}
	}
}

// trap is a row of the traps' expected answers.
type trap struct {
	Ref         string
	Recommended []string
	RequiresAll []string
	Class       string
}

func traps(t testing.TB) []trap {
	t.Helper()
	f, err := os.Open(filepath.Join(dataDir(t), "traps/expected.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []trap
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row trap
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}
