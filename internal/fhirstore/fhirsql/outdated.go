package fhirsql

import (
	"context"
	"fmt"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// outdated is a resource whose index rows are of before.
type outdated struct {
	rid    int64
	values []search.Indexed
}

// reindex makes the index rows of one portion anew. left: there were some.
func (s *Store) reindex(ctx context.Context, tx *db.Tx) (left bool, err error) {
	list, err := s.outdated(ctx, tx)
	if err != nil || len(list) == 0 {
		return false, err
	}
	w := writer{}
	for _, o := range list {
		for _, table := range valueTables {
			// Order: what is under no parameter is not a value of the content alone.
			w.add("DELETE FROM "+table+" WHERE rid = $1 AND param <> $2", o.rid, securityContext)
		}
		w.replaceElements(o.rid)
		for _, v := range o.values {
			w.value(o.rid, v)
		}
		w.add(`DELETE FROM fhir_outdated WHERE rid = $1`, o.rid)
	}
	return true, tx.Batch(ctx, w.statements)
}

// valueTables hold the values of search parameters.
var valueTables = []string{"fhir_token", "fhir_reference", "fhir_date", "fhir_string", "fhir_number", "fhir_uri"}

func (s *Store) outdated(ctx context.Context, tx *db.Tx) ([]outdated, error) {
	rows, err := tx.Query(ctx, `SELECT u.rid, COALESCE(m.type, ''), COALESCE(m.id, ''), m.body FROM fhir_outdated u
LEFT JOIN fhir_resource m ON m.rid = u.rid ORDER BY u.rid LIMIT $1`, int64(portion))
	if err != nil {
		return nil, fmt.Errorf("reading what is to be indexed: %w", err)
	}
	defer rows.Close()
	var list []outdated
	for rows.Next() {
		var (
			o        outdated
			kind, id string
			body     []byte
		)
		if err := rows.Scan(&o.rid, &kind, &id, &body); err != nil {
			return nil, err
		}
		if kind != "" { // else it is gone
			o.values = search.ExtractAll(fhir.Stored(fhir.ResourceType(kind), id, body), s.base)
		}
		list = append(list, o)
	}
	return list, rows.Err()
}
