package fhirsql

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// portion is how many resources one transaction of a load holds.
const portion = 250

// prepared is a resource with everything that can be known before the
// transaction, which other writers wait for.
type prepared struct {
	ref      fhir.Reference
	resource fhir.Resource
	source   []byte
	owners   search.Owners
	// classified is the sensitivity by its own content.
	classified search.Sensitivity
	values     []search.Indexed
	attached   []string
	ties       []fhirstore.Tie
	secured    fhir.Reference // Binary.securityContext, as it stands, resolvable or not
	origin     string
}

// Load implements fhirstore.Loader.
func (s *Store) Load(ctx context.Context, resources iter.Seq[fhirstore.Incoming], progress func(stored int)) (fhirstore.LoadReport, error) {
	report := fhirstore.LoadReport{Stored: map[fhir.ResourceType]int{}}
	stored := 0
	var batch []prepared
	inBatch := map[fhir.Reference]bool{}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		done, err := s.storePortion(ctx, batch)
		if err != nil {
			return err
		}
		for _, p := range done {
			report.Stored[p.ref.Type]++
		}
		report.Unchanged += len(batch) - len(done)
		stored += len(done)
		batch = batch[:0]
		clear(inBatch)
		if progress != nil {
			progress(stored)
		}
		return nil
	}
	for in := range resources {
		p, err := s.prepare(in)
		if err != nil {
			report.Failures = append(report.Failures, fhirstore.LoadFailure{Origin: in.Origin, Reason: err.Error()})
			continue
		}
		// Order: the same resource twice in a row becomes two versions, in their order.
		if inBatch[p.ref] || len(batch) >= portion {
			if err := flush(); err != nil {
				return report, err
			}
		}
		inBatch[p.ref] = true
		batch = append(batch, p)
	}
	if err := flush(); err != nil || len(report.Stored) == 0 {
		return report, err
	}
	return report, s.analyse(ctx)
}

// analyse lets PostgreSQL count what was loaded: until it has, it takes large tables
// for small ones and reads them from end to end.
func (s *Store) analyse(ctx context.Context) error {
	if s.db.Dialect() != db.PostgreSQL {
		return nil
	}
	list := []string{"fhir_resource", "fhir_owner", "fhir_tie"}
	for _, table := range tables {
		list = append(list, table)
	}
	slices.Sort(list)
	if _, err := s.db.Exec(ctx, "ANALYZE "+strings.Join(slices.Compact(list), ", ")); err != nil {
		return fmt.Errorf("counting what was loaded: %w", err)
	}
	return nil
}

var errNoID = errors.New("the resource has no id")

// prepare reads one resource strictly.
func (s *Store) prepare(in fhirstore.Incoming) (prepared, error) {
	r, err := fhir.ParseResource(in.JSON)
	if err != nil {
		return prepared{}, err
	}
	if r.ID() == "" {
		return prepared{}, errNoID
	}
	sum := sha256.Sum256(in.JSON)
	p := s.index(r)
	p.source, p.origin = sum[:], in.Origin
	if compartment.DerivationOf(r.Type()) == compartment.None {
		p.owners = compartment.Owners(r, s.base)
	}
	return p, nil
}

// index finds everything in a resource that is looked for later, its owners apart.
func (s *Store) index(r fhir.Resource) prepared {
	p := prepared{ref: r.Reference(), resource: r}
	for _, v := range search.ExtractAll(r, s.base) {
		// Meta is the server's own; its values are added with the version.
		if v.Parameter.Code != "_lastUpdated" {
			p.values = append(p.values, v)
		}
	}
	p.classified = s.sensitive.Of(r)
	p.attached = attachedBinaries(r, s.base)
	p.ties = s.tied.Ties(r, s.base)
	if r.Type() == "Binary" {
		p.secured = securityContextOf(r, s.base)
	}
	return p
}

// existing is what is stored of a resource already.
type existing struct {
	rid, version int64
	updated      int64 // Unix milliseconds
	source       []byte
}

// storePortion stores what is new or different in one transaction and returns it.
func (s *Store) storePortion(ctx context.Context, batch []prepared) (done []prepared, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		done = done[:0]
		last, looks, err := s.begin(ctx, tx)
		if err != nil {
			return err
		}
		known, err := s.existing(ctx, tx, batch)
		if err != nil {
			return err
		}
		w := writer{now: s.now().UTC().Truncate(time.Millisecond)}
		var (
			changed  []fhir.Reference
			replaced []int64
		)
		for _, p := range batch {
			old, exists := known[p.ref]
			if exists && bytes.Equal(old.source, p.source) {
				continue
			}
			if exists {
				w.replace(old)
				replaced = append(replaced, old.rid)
			} else {
				last++
				old = existing{rid: last}
			}
			if p.resource, err = w.stamp(p.resource, p.ref.ID, old); err != nil {
				return err
			}
			if !looks {
				p.classified = search.Sensitivity{}
			}
			p.owners.Sensitivity = p.classified
			if err := w.put(p, old); err != nil {
				return err
			}
			done, changed = append(done, p), append(changed, p.ref)
		}
		lost, err := s.attachedBefore(ctx, tx, replaced)
		if err != nil {
			return err
		}
		if err := tx.Batch(ctx, w.statements); err != nil {
			return err
		}
		_, err = s.derive(ctx, tx, append(lost, changed...))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("storing resources: %w", err)
	}
	return done, nil
}

// begin keeps other writers out until the commit, and returns the highest rid. looks: what
// is written is classified as everything is that is stored.
func (s *Store) begin(ctx context.Context, tx *db.Tx) (last int64, looks bool, err error) {
	if err := s.lock(ctx, tx); err != nil {
		return 0, false, err
	}
	var identity string
	err = tx.QueryRow(ctx, `SELECT COALESCE(MAX(rid), 0), (SELECT identity FROM fhir_classified) FROM fhir_resource`).Scan(&last, &identity)
	if err == nil && identity != "" && !s.classifies(identity) {
		_, err = tx.Exec(ctx, `UPDATE fhir_classified SET identity = ''`)
	}
	return last, s.classifies(identity), err
}

// lock keeps other writers out until the commit.
func (s *Store) lock(ctx context.Context, tx *db.Tx) error {
	if lock := s.db.Dialect().LockExclusive; lock != "" {
		_, err := tx.Exec(ctx, fmt.Sprintf(lock, "fhir_resource"))
		return err
	}
	return nil
}

// existing finds what a portion would replace, deleted ones too.
func (s *Store) existing(ctx context.Context, tx *db.Tx, batch []prepared) (map[fhir.Reference]existing, error) {
	byType := map[fhir.ResourceType][]string{}
	for _, p := range batch {
		byType[p.ref.Type] = append(byType[p.ref.Type], p.ref.ID)
	}
	known := map[fhir.Reference]existing{}
	for t, ids := range byType {
		q := s.newQuery()
		q.add("SELECT id, rid, version, updated, source FROM fhir_resource WHERE type = ")
		q.arg(string(t))
		q.add(" AND id")
		q.among(ids)
		rows, err := tx.Query(ctx, q.String(), q.args...)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var (
				id string
				e  existing
			)
			if err := rows.Scan(&id, &e.rid, &e.version, &e.updated, &e.source); err != nil {
				rows.Close()
				return nil, err
			}
			known[fhir.Reference{Type: t, ID: id}] = e
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return known, nil
}
