package fhirsql_test

import (
	"context"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/testpg"
)

// A store of before is found by what indexes have since, and by all that they had.
func TestWhatWasStoredBeforeIsIndexedAnew(t *testing.T) {
	for name, address := range map[string]string{"sqlite": db.SQLiteURL(filepath.Join(t.TempDir(), "fhir.db")), "postgres": ""} {
		t.Run(name, func(t *testing.T) {
			if address == "" {
				address = testpg.Schema(t)
			}
			ctx := context.Background()
			d, err := db.Open(ctx, db.Config{URL: address})
			if err == nil {
				err = d.Migrate(ctx)
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			load(t, s, of(`{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"identifier":{"value":"nr"}},
				"component":[{"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":120}}]}`,
				`{"resourceType":"Binary","id":"b","contentType":"text/plain","securityContext":{"reference":"Observation/o"}}`))
			finds := func(query string) bool {
				values, err := url.ParseQuery(query)
				if err != nil {
					t.Fatal(err)
				}
				q, err := search.Parse("Observation", values, base)
				if err != nil {
					t.Fatal(err)
				}
				page, err := s.Search(ctx, access.System("test", base), q)
				if err != nil {
					t.Fatal(err)
				}
				return len(page.Matches) == 1
			}
			for _, stmt := range []string{"DELETE FROM fhir_token WHERE rid < 0", "DELETE FROM fhir_number WHERE rid < 0", "DELETE FROM fhir_token WHERE code = 'nr'", "INSERT INTO fhir_outdated SELECT rid FROM fhir_resource"} {
				if _, err := d.Exec(ctx, stmt); err != nil {
					t.Fatal(err)
				}
			}
			asked := []string{"component-code-value-quantity=sys$gt100", "subject:identifier=nr"}
			for _, query := range asked {
				if finds(query) {
					t.Fatal("found already by", query)
				}
			}
			for range 2 { // again changes nothing
				if err := s.Complete(ctx); err != nil {
					t.Fatal(err)
				}
				for _, query := range append(asked, "status=final", "_lastUpdated=ge2000", "component-code=sys", "component-value-quantity=120") {
					if !finds(query) {
						t.Error("not found by", query)
					}
				}
			}
			var n int
			for _, stmt := range []string{"SELECT count(*) FROM fhir_reference WHERE param = 0", "SELECT count(*) FROM fhir_number WHERE rid < 0"} {
				if err := d.QueryRow(ctx, stmt).Scan(&n); err != nil || n != 1 {
					t.Error(stmt, n, err)
				}
			}
		})
	}
}
