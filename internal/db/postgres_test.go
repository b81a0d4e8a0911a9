package db_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/testpg"
)

func postgresURL(t testing.TB) string {
	t.Helper()
	return testpg.URL(t)
}

func openPostgres(t testing.TB) *db.DB {
	t.Helper()
	return open(t, db.Config{URL: postgresURL(t)})
}
