package storesql

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// Whether a grant g holds what a refresh asks for. $7: it has a scope of each list, $8:
// and so many in all, $9: and its holding meets each demand, as smart.Holding.Meets
// says.
const (
	holdsPostgreSQL = `(CAST($7 AS TEXT) = '[]' OR NOT EXISTS (SELECT 1 FROM jsonb_array_elements(CAST(CAST($7 AS TEXT) AS jsonb)) AS w(words)
    WHERE NOT scopes.list ?| ARRAY(SELECT jsonb_array_elements_text(w.words)))
    AND ($8 = 0 OR jsonb_array_length(scopes.list) = $8))
  AND (CAST($9 AS TEXT) = '[]' OR NOT EXISTS (SELECT 1 FROM jsonb_array_elements(CAST(CAST($9 AS TEXT) AS jsonb)) AS w(demand), jsonb_array_elements_text(w.demand -> 'may') AS p(permission)
    WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements_text(w.demand -> 'of') AS k(of), jsonb_array_elements(holding.map -> k.of) AS a(allowance)
      WHERE strpos(a.allowance ->> 'may', p.permission) > 0
        AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(a.allowance -> 'if') AS c(condition)
          WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements(w.demand -> 'if') AS d(alternatives)
            WHERE NOT EXISTS (SELECT 1 FROM jsonb_array_elements(d.alternatives) AS o(words)
              WHERE NOT c.condition ?| ARRAY(SELECT jsonb_array_elements_text(o.words))))))))`
	// Each text is read once.
	readPostgreSQL = `,
  LATERAL (SELECT CAST(g.body AS jsonb) -> 'scopes' AS list OFFSET 0) scopes,
  LATERAL (SELECT CAST(g.holding AS jsonb) AS map OFFSET 0) holding`

	holdsSQLite = `($7 = '[]' OR NOT EXISTS (SELECT 1 FROM json_each($7) w WHERE NOT EXISTS (SELECT 1 FROM json_each(w.value) o
    WHERE o.value IN (SELECT h.value FROM json_each(g.body, '$.scopes') h)))
    AND ($8 = 0 OR json_array_length(g.body, '$.scopes') = $8))
  AND ($9 = '[]' OR (SELECT NOT EXISTS (SELECT 1 FROM json_each($9) w, json_each(w.value, '$.may') p
    WHERE NOT EXISTS (SELECT 1 FROM json_each(w.value, '$.of') k, json_each(holding.map, '$."' || k.value || '"') a
      WHERE instr(json_extract(a.value, '$.may'), p.value) > 0
        AND NOT EXISTS (SELECT 1 FROM json_each(a.value, '$.if') c
          WHERE NOT EXISTS (SELECT 1 FROM json_each(w.value, '$.if') d
            WHERE NOT EXISTS (SELECT 1 FROM json_each(d.value) o
              WHERE NOT EXISTS (SELECT 1 FROM json_each(o.value) x WHERE x.value IN (SELECT h.value FROM json_each(c.value) h)))))))
    FROM (SELECT jsonb(g.holding) AS map LIMIT 1) holding))`
)

// held is the condition that a grant holds what is asked, and what it reads beside
// the grant.
type held struct{ condition, reads string }

// whatever asks nothing.
var whatever = held{"1 = 1", ""}

func holds(d db.Dialect) held {
	if d == db.PostgreSQL {
		return held{holdsPostgreSQL, readPostgreSQL}
	}
	return held{holdsSQLite, ""}
}

// holding is what a grant holds, as a statement reads it.
func holding(g store.Grant) (string, error) { return plain(smart.NewScopeSet(g.Scopes).Holding()) }

// plain is JSON whose keys are spelled as they are, so that a path finds them.
func plain(v any) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.String(), err
}

// completed is how many grants one commit of Complete writes.
const completed = 500

// Complete writes what grants hold that were made before this was kept. It is to be
// called before the first refresh; when all are complete it reads one empty index.
func (s *Store) Complete(ctx context.Context) error {
	for {
		grants, err := list(ctx, s, readGrant, `SELECT `+grantColumns+` FROM authorization_grant
WHERE holding = 'null' AND refresh_kind <> '' AND revoked = 0 LIMIT $1`, completed)
		if err != nil || len(grants) == 0 {
			return failure("completing grants", err)
		}
		err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			for _, g := range grants {
				text, err := holding(g)
				if err != nil {
					return err
				}
				if _, err := tx.Exec(ctx, `UPDATE authorization_grant SET holding = $2 WHERE id = $1`, string(g.ID), text); err != nil {
					return fmt.Errorf("grant %s: %w", g.ID, err)
				}
			}
			return nil
		})
		if err != nil {
			return failure("completing grants", err)
		}
	}
}
