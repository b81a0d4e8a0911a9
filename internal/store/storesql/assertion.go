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

// spendable are the texts of a consuming statement: with nothing spent beside it, or,
// for PostgreSQL, with the assertion of the client, its proof, or both, in the same
// message.
type spendable struct{ alone, assertion, proof, both string }

// unless stands in facts where the rows are that are changed; it lets none through
// when something that is to be spent was used before.
const unless = `/*unless*/`

// noGrant are columns behind an outcome: account and grantColumns that hold no grant.
const noGrant = `'', '', '', '', '', '', CAST('' AS BYTEA), 0, '', 0, 0, 0, 0, 0, 0, '', '', ''`

// once is a kind of thing that is good once, with the table that remembers it.
type once struct {
	table   string
	outcome string // when it was used before
}

var (
	onceAssertion = once{"used_assertion", outcomeReplayed}
	onceProof     = once{"used_proof", outcomeProofReplayed}
)

// spendable makes the texts; arguments is how many the statement has by itself.
func (c consuming) spendable(arguments int) spendable {
	return spendable{
		c.spending(arguments), c.spending(arguments, onceAssertion), c.spending(arguments, onceProof), c.spending(arguments, onceAssertion, onceProof),
	}
}

// spending is the statement under the condition that each thing is used for the first
// time; their hashes and ends are the arguments behind its own. Two that bring the
// same thing are put in order by its key, so that the second one sees the first (RFC
// 7523 §3, RFC 9449 §11.1: jti). All are spent, whatever comes of the others.
func (c consuming) spending(arguments int, things ...once) string {
	if len(things) == 0 {
		text := strings.ReplaceAll(c.change, unless, "")
		if c.facts == "" {
			return text
		}
		return `WITH ` + strings.ReplaceAll(c.facts, unless, "") + "\n" + text
	}
	var tables, fresh []string
	outcome := ``
	for i, t := range things {
		n := arguments + 2*i
		tables = append(tables, fmt.Sprintf(`now_%[1]s AS (INSERT INTO %[1]s (id_hash, expires) VALUES ($%[2]d, $%[3]d)
  ON CONFLICT (id_hash) DO NOTHING RETURNING id_hash)`, t.table, n+1, n+2))
		exists := `EXISTS (SELECT 1 FROM now_` + t.table + `)`
		fresh = append(fresh, exists)
		outcome += ` WHEN NOT ` + exists + ` THEN '` + t.outcome + `'`
	}
	all := strings.Join(fresh, ` AND `)
	if c.facts != "" {
		tables = append(tables, strings.ReplaceAll(c.facts, unless, ` AND `+all))
	}
	tables = append(tables, `changed AS (`+strings.ReplaceAll(c.change, unless, ` AND `+all)+`)`)
	return `WITH ` + strings.Join(tables, ",\n") +
		"\nSELECT * FROM changed UNION ALL SELECT CASE" + outcome + " END, " + noGrant + " WHERE NOT (" + all + ")"
}

// decided is what a consuming statement has done.
type decided struct {
	outcome, account string
	row              scanned
}

// spent is what a request uses up beside what it consumes; nil: it brought none.
type spent struct {
	assertion *store.Assertion
	proof     *store.Proof
}

// using is one row of a table of things that are good once.
type using struct {
	once
	idHash  []byte
	expires int64
}

func (s spent) all() (list []using) {
	if a := s.assertion; a != nil {
		list = append(list, using{onceAssertion, a.IDHash, millis(a.ExpiresAt)})
	}
	if p := s.proof; p != nil {
		list = append(list, using{onceProof, p.IDHash, millis(p.ExpiresAt)})
	}
	return list
}

// text is the statement that spends these things.
func (s spendable) text(what spent) string {
	switch {
	case what.assertion != nil && what.proof != nil:
		return s.both
	case what.assertion != nil:
		return s.assertion
	case what.proof != nil:
		return s.proof
	}
	return s.alone
}

// consume runs a statement that decides by itself and tells its outcome; assertion and
// proof, if there are any, are spent in the same commit whatever the outcome is.
func (s *Store) consume(ctx context.Context, doing string, stmt spendable, what spent, args ...any) (decided, error) {
	var d decided
	dest := append([]any{&d.outcome, &d.account}, d.row.dest()...)
	var err error
	switch things := what.all(); {
	case len(things) > 0 && s.db.Dialect() == db.SQLite:
		err = s.spendThen(ctx, things, stmt.alone, args, dest)
	default:
		for _, t := range things {
			args = append(args, t.idHash, t.expires)
		}
		err = s.db.One(ctx, stmt.text(what), args, dest...)
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

func (o once) insert() string {
	return `INSERT INTO ` + o.table + ` (id_hash, expires) VALUES ($1, $2) ON CONFLICT (id_hash) DO NOTHING`
}

// spendThen is the same for SQLite, which inserts in no common table expression:
// several statements of one commit.
func (s *Store) spendThen(ctx context.Context, things []using, stmt string, args, dest []any) error {
	var none error
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		none = nil
		for _, t := range things {
			n, err := tx.Exec(ctx, t.insert(), t.idHash, t.expires)
			if err != nil {
				return err
			}
			if n == 0 && none == nil {
				none = outcomes[t.outcome]
			}
		}
		if none != nil {
			return nil // the others are spent all the same
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
	n, err := s.db.Exec(ctx, onceAssertion.insert(), a.IDHash, millis(a.ExpiresAt))
	if err == nil && n == 0 {
		return store.ErrReplayed
	}
	return failure("using a client assertion", err)
}
