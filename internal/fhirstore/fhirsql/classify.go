package fhirsql

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// classifying stands before the identity of a configuration by which everything is being
// classified, but is not yet.
const classifying = "~"

// maxClassified is how often all is classified anew because another process wrote by
// another configuration meanwhile.
const maxClassified = 3

// classifies reports whether a configuration by which things are, or are being, classified
// is ours.
func (s *Store) classifies(identity string) bool {
	own := s.sensitive.Identity()
	return own != "" && (identity == own || identity == classifying+own)
}

// Classify makes the classification of everything that is stored that of the categories,
// if it is another one, and is to be called before anything is answered. progress, if set,
// is told how many of how many were looked at.
//
//	resources ─▶ what derives from them ─▶ old versions
//
// What a process of another configuration writes is classified by nobody, and withheld from
// everybody from whom anything is; the next process that starts classifies all anew.
func (s *Store) Classify(ctx context.Context, progress func(done, all int64)) error {
	own := s.sensitive.Identity()
	if progress == nil {
		progress = func(int64, int64) {}
	}
	for range maxClassified {
		var identity string
		if err := s.db.QueryRow(ctx, `SELECT identity FROM fhir_classified`).Scan(&identity); err != nil {
			return fmt.Errorf("classifying: %w", err)
		}
		if own == "" || identity == own {
			return nil
		}
		if err := s.classifyAll(ctx, own, progress); err != nil {
			return fmt.Errorf("classifying: %w", err)
		}
	}
	return errors.New("classifying: another process keeps writing by another configuration of sensitive content")
}

func (s *Store) classifyAll(ctx context.Context, own string, progress func(done, all int64)) error {
	if _, err := s.db.Exec(ctx, `UPDATE fhir_classified SET identity = $1`, classifying+own); err != nil {
		return err
	}
	p := pass{store: s, progress: progress}
	if err := s.db.QueryRow(ctx, `SELECT (SELECT count(*) FROM fhir_resource) + (SELECT count(*) FROM fhir_version)`).Scan(&p.all); err != nil {
		return err
	}
	for _, part := range []func(context.Context, *db.Tx) (bool, error){p.resources, p.derived, p.versions} {
		for left := true; left; {
			err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
				err := s.lock(ctx, tx) // Order: nobody stores another version between reading and writing
				if err == nil {
					left, err = part(ctx, tx)
				}
				return err
			})
			if err != nil {
				return err
			}
			progress(min(p.done, p.all), p.all)
		}
	}
	_, err := s.db.Exec(ctx, `UPDATE fhir_classified SET identity = $1 WHERE identity = $2`, own, classifying+own)
	return err
}

// pass is one way through everything; its parts do one portion a call, and again when a
// transaction is repeated.
type pass struct {
	store     *Store
	progress  func(done, all int64)
	done, all int64
	rid       int64          // behind this one
	ref       fhir.Reference // behind this one, of what derives
	version   versionKey     // behind this one
}

type versionKey struct {
	kind, id string
	version  int64
}

// resources classifies by content. What derives from others is as if nobody had looked
// until derived has.
func (p *pass) resources(ctx context.Context, tx *db.Tx) (left bool, err error) {
	rows, err := tx.Query(ctx, `SELECT rid, type, id, body FROM fhir_resource WHERE rid > $1 ORDER BY rid LIMIT $2`, p.rid, int64(portion))
	if err != nil {
		return false, err
	}
	defer rows.Close()
	w, last := writer{}, p.rid
	for rows.Next() {
		var (
			kind, id string
			body     []byte
		)
		if err := rows.Scan(&last, &kind, &id, &body); err != nil {
			return false, err
		}
		held := p.store.sensitive.Of(fhir.Stored(fhir.ResourceType(kind), id, body))
		whole := held
		if derives(fhir.ResourceType(kind)) {
			whole = search.Sensitivity{}
		}
		w.add(`UPDATE fhir_resource SET classified = $2, sensitive = $3 WHERE rid = $1`, last, held.String(), whole.String())
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	rows.Close()
	n := len(w.statements)
	if err := tx.Batch(ctx, w.statements); err != nil {
		return false, err
	}
	p.rid, p.done = last, p.done+int64(n)
	return n > 0, nil
}

// derives: what resources of a type hold follows from others too.
func derives(t fhir.ResourceType) bool {
	_, states := sensitive.Medicine(t)
	return states || compartment.DerivationOf(t) != compartment.None
}

func typeNames() (list []string) {
	for _, t := range fhir.ResourceTypes() {
		list = append(list, string(t))
	}
	return list
}

// derived spreads it.
func (p *pass) derived(ctx context.Context, tx *db.Tx) (left bool, err error) {
	q := p.store.newQuery()
	q.add("SELECT type, id FROM fhir_resource WHERE type")
	q.among(slices.DeleteFunc(typeNames(), func(t string) bool { return !derives(fhir.ResourceType(t)) }))
	q.compare(" AND (type, id) > (", "", string(p.ref.Type))
	q.compare(", ", "", p.ref.ID)
	q.add(") ORDER BY type, id LIMIT ")
	q.arg(int64(portion))
	rows, err := tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var list []fhir.Reference
	for rows.Next() {
		var kind, id string
		if err := rows.Scan(&kind, &id); err != nil {
			return false, err
		}
		list = append(list, fhir.Reference{Type: fhir.ResourceType(kind), ID: id})
	}
	if err := rows.Err(); err != nil || len(list) == 0 {
		return false, err
	}
	rows.Close()
	if _, err := p.store.derive(ctx, tx, list); err != nil {
		return false, err
	}
	p.ref = list[len(list)-1]
	return true, nil
}

// versions: the current one is as its resource, deleted ones as what was deleted. Older
// ones are as their content, with what that derives from now.
func (p *pass) versions(ctx context.Context, tx *db.Tx) (left bool, err error) {
	list, err := p.next(ctx, tx)
	if err != nil || len(list) == 0 {
		return false, err
	}
	c, w := changes{store: p.store, tx: tx, looks: true}, writer{}
	for _, v := range list {
		held := v.current
		if !v.isCurrent {
			r := fhir.Stored(fhir.ResourceType(v.kind), v.id, v.body)
			owners := search.Owners{Sensitivity: c.look(r)}
			switch {
			case compartment.DerivationOf(r.Type()) != compartment.None:
				owners, err = c.derivedOwners(ctx, r)
			case derives(r.Type()):
				owners.Sensitivity, err = c.stated(ctx, r)
			}
			if err != nil {
				return false, err
			}
			held = owners.Sensitivity.String()
		}
		w.add(`UPDATE fhir_version SET sensitive = $4 WHERE type = $1 AND id = $2 AND version = $3`, v.kind, v.id, v.version, held)
	}
	if err := tx.Batch(ctx, w.statements); err != nil {
		return false, err
	}
	p.version, p.done = list[len(list)-1].versionKey, p.done+int64(len(list))
	return true, nil
}

type oldVersion struct {
	versionKey
	body      []byte
	isCurrent bool
	current   string
}

func (p *pass) next(ctx context.Context, tx *db.Tx) ([]oldVersion, error) {
	rows, err := tx.Query(ctx, `SELECT h.type, h.id, h.version, h.body, COALESCE(m.version, 0), COALESCE(m.sensitive, '?')
FROM fhir_version h LEFT JOIN fhir_resource m ON m.type = h.type AND m.id = h.id WHERE (h.type, h.id, h.version) > ($1, $2, $3)
ORDER BY h.type, h.id, h.version LIMIT $4`, p.version.kind, p.version.id, p.version.version, int64(portion))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []oldVersion
	for rows.Next() {
		var (
			v       oldVersion
			current int64
		)
		if err := rows.Scan(&v.kind, &v.id, &v.version, &v.body, &current, &v.current); err != nil {
			return nil, err
		}
		v.isCurrent = v.version == current
		list = append(list, v)
	}
	return list, rows.Err()
}
