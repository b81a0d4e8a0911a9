package db_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/jackc/pgx/v5"
)

func postgresURL(t testing.TB) string {
	t.Helper()
	name := "t" + rand.Text()
	c, err := pgx.Connect(context.Background(), "postgres://postgres@/postgres?host=/tmp/pgdb&port=54991")
	must(t, err)
	defer c.Close(context.Background())
	_, err = c.Exec(context.Background(), `CREATE DATABASE "`+name+`"`)
	must(t, err)
	return "postgres://postgres@/" + name + "?host=/tmp/pgdb&port=54991"
}

func openPostgres(t testing.TB) *db.DB {
	t.Helper()
	return open(t, db.Config{URL: postgresURL(t)})
}
