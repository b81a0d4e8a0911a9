package storesql

import (
	"context"
	"fmt"
	"strings"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// consuming is a statement that decides by itself: facts, a common table
// expression, and what is done with them; it returns outcome, the body of an account
// or nothing, and grantColumns.
type consuming struct{ facts, change string }

// spendable is the text of a consuming statement, alone and, for PostgreSQL, with
// the assertion of the client spent in the same message.
type spendable struct{ alone, spending string }

// unless stands in facts where the rows are that are changed; it lets none through
// when the assertion was used before.
const unless = `/*unless*/`

// noGrant is a row of outcome, account and grantColumns that holds no grant.
const noGrant = `'` + outcomeReplayed + `', '', '', '', '', '', '', CAST('' AS BYTEA), 0, '', 0, 0, 0, 0, 0, 0, '', ''`

// spendable makes both texts; arguments is how many the statement has without the
// assertion. Two that bring the same assertion are put in order by its key, so that
// the second one sees the first (RFC 7523 §3, jti).
func (c consuming) spendable(arguments int) spendable {
	const used = ` AND EXISTS (SELECT 1 FROM used)`
	head := ``
	if c.facts != "" {
		head = `WITH ` + c.facts + "\n"
	}
	s := spendable{alone: strings.ReplaceAll(head+c.change, unless, "")}
	facts := c.facts
	if facts != "" {
		facts = ",\n" + facts
	}
	s.spending = fmt.Sprintf(`WITH used AS (INSERT INTO used_assertion (id_hash, expires) VALUES ($%d, $%d)
  ON CONFLICT (id_hash) DO NOTHING RETURNING id_hash)`, arguments+1, arguments+2) +
		strings.ReplaceAll(facts+",\nchanged AS ("+c.change+")", unless, used) +
		"\nSELECT * FROM changed UNION ALL SELECT " + noGrant + " WHERE NOT EXISTS (SELECT 1 FROM used)"
	return s
}

// decided is what a consuming statement has done.
type decided struct {
	outcome, account string
	row              scanned
}

// consume runs a statement that decides by itself and tells its outcome; the
// assertion, if there is one, is spent in the same commit whatever the outcome is.
func (s *Store) consume(ctx context.Context, doing string, stmt spendable, a *store.Assertion, args ...any) (decided, error) {
	var d decided
	dest := append([]any{&d.outcome, &d.account}, d.row.dest()...)
	var err error
	switch {
	case a == nil:
		err = s.db.One(ctx, stmt.alone, args, dest...)
	case s.db.Dialect() == db.PostgreSQL:
		err = s.db.One(ctx, stmt.spending, append(args, a.IDHash, millis(a.ExpiresAt)), dest...)
	default:
		err = s.spendThen(ctx, *a, stmt.alone, args, dest)
	}
	if isNoRow(err) {
		return decided{}, store.ErrNotFound
	}
	if err != nil {
		return decided{}, failure(doing, err)
	}
	return d, d.refusal()
}

// refusal is the error that the outcome stands for; an ended grant is named in it.
func (d *decided) refusal() error {
	refused, known := outcomes[d.outcome]
	if !known {
		refused = store.ErrRevoked
	}
	if refused != nil && d.row.revoked > 0 {
		return &store.EndedError{GrantID: store.GrantID(d.row.id), Because: refused}
	}
	return refused
}

const useAssertion = `INSERT INTO used_assertion (id_hash, expires) VALUES ($1, $2) ON CONFLICT (id_hash) DO NOTHING`

// spendThen is the same for SQLite, which inserts in no common table expression:
// two statements of one commit.
func (s *Store) spendThen(ctx context.Context, a store.Assertion, stmt string, args, dest []any) error {
	var none error
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, useAssertion, a.IDHash, millis(a.ExpiresAt))
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrReplayed
		}
		if none = tx.One(ctx, stmt, args, dest...); isNoRow(none) {
			return nil // spent all the same
		}
		return none
	})
	if err == nil {
		err = none
	}
	return err
}

// UseAssertion implements store.Grants.
func (s *Store) UseAssertion(ctx context.Context, a store.Assertion) error {
	n, err := s.db.Exec(ctx, useAssertion, a.IDHash, millis(a.ExpiresAt))
	if err == nil && n == 0 {
		return store.ErrReplayed
	}
	return failure("using a client assertion", err)
}
