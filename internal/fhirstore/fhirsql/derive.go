package fhirsql

import (
	"context"
	"encoding/json"
	"sort"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
)

// attachedBinaries are the Binary resources that a resource attaches: every local
// reference to one at a url of its content (Attachment.url).
func attachedBinaries(r fhir.Resource, base string) []string {
	found := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case fhir.Object:
			for name, value := range v {
				if text, ok := value.(string); ok && name == "url" {
					if ref, local := fhir.ParseReference(text, base); local && ref.Type == "Binary" {
						found[ref.ID] = true
					}
					continue
				}
				walk(value)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		}
	}
	walk(r.Tree())
	ids := make([]string, 0, len(found))
	for id := range found {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	return ids
}

// securityContextOf is what a Binary names as its security context. One that is
// not local names nobody, and nobody may see the Binary: it is kept as a
// reference to nothing.
func securityContextOf(r fhir.Resource, base string) fhir.Reference {
	context, present := r.Tree()["securityContext"].(fhir.Object)
	if !present {
		return fhir.Reference{}
	}
	text, _ := context["reference"].(string)
	if ref, local := fhir.ParseReference(text, base); local {
		return fhir.Reference{Type: ref.Type, ID: ref.ID}
	}
	return fhir.Reference{Type: "Basic", ID: "."}
}

// provenanceTarget is the parameter that Provenance derives its owners from.
var provenanceTarget = func() search.Parameter {
	p, _ := search.Lookup("Provenance", "target")
	return p
}()

// derive computes the owners of every Provenance and Binary anew that depends on
// what has changed. Order: first the ones that follow targets, then those that
// follow attachments, whose owners may have just changed, then the Provenances
// of those.
func (s *Store) derive(ctx context.Context, tx *db.Tx, changed []fhir.Reference) error {
	provenances, err := s.deriveProvenances(ctx, tx, changed)
	if err != nil {
		return err
	}
	binaries, err := s.dependentBinaries(ctx, tx, append(provenances, changed...))
	if err != nil {
		return err
	}
	var again []fhir.Reference
	for _, d := range binaries {
		if err := s.deriveBinary(ctx, tx, d); err != nil {
			return err
		}
		again = append(again, fhir.Reference{Type: "Binary", ID: d.id})
	}
	_, err = s.deriveProvenances(ctx, tx, again)
	return err
}

// deriveProvenances computes those that depend on a change and names them.
func (s *Store) deriveProvenances(ctx context.Context, tx *db.Tx, changed []fhir.Reference) ([]fhir.Reference, error) {
	found, err := s.dependentProvenances(ctx, tx, changed)
	if err != nil {
		return nil, err
	}
	var refs []fhir.Reference
	for _, d := range found {
		if err := s.deriveProvenance(ctx, tx, d); err != nil {
			return nil, err
		}
		refs = append(refs, fhir.Reference{Type: "Provenance", ID: d.id})
	}
	return refs, nil
}

// attachedBefore are the Binary resources that resources attached until now: they
// lose an attacher when one of those is replaced.
func (s *Store) attachedBefore(ctx context.Context, tx *db.Tx, replaced []int64) ([]fhir.Reference, error) {
	if len(replaced) == 0 {
		return nil, nil
	}
	q := s.newQuery()
	q.add("SELECT DISTINCT binary_id FROM fhir_attachment WHERE rid IN (")
	for i, rid := range replaced {
		if i > 0 {
			q.add(",")
		}
		q.arg(rid)
	}
	q.add(")")
	rows, err := tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var refs []fhir.Reference
	for rows.Next() {
		ref := fhir.Reference{Type: "Binary"}
		if err := rows.Scan(&ref.ID); err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, rows.Err()
}

// derived is a resource whose owners follow from others.
type derived struct {
	rid     int64
	id      string
	version int64
}

// dependentProvenances are those that changed themselves or point to a change.
func (s *Store) dependentProvenances(ctx context.Context, tx *db.Tx, changed []fhir.Reference) ([]derived, error) {
	var all []derived
	for t, ids := range idsByType(changed) {
		q := s.newQuery()
		q.add("SELECT m.rid, m.id, m.version FROM fhir_resource m WHERE m.type = 'Provenance' AND (m.rid IN (SELECT v.rid FROM fhir_reference v WHERE v.param = ")
		q.arg(parameterID(provenanceTarget))
		q.add(" AND v.ref_type = ")
		q.arg(string(t))
		q.add(" AND v.ref_id IN ")
		q.list(ids)
		q.add(")")
		if t == "Provenance" {
			q.add(" OR m.id IN ")
			q.list(ids)
		}
		q.add(")")
		found, err := readDerived(ctx, tx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// dependentBinaries are those that changed themselves, are attached by a change,
// or name a change as their security context.
func (s *Store) dependentBinaries(ctx context.Context, tx *db.Tx, changed []fhir.Reference) ([]derived, error) {
	byType := idsByType(changed)
	q := s.newQuery()
	q.add("SELECT m.rid, m.id, m.version FROM fhir_resource m WHERE m.type = 'Binary' AND (")
	if ids := byType["Binary"]; len(ids) > 0 {
		q.add("m.id IN ")
		q.list(ids)
		q.add(" OR ")
	}
	q.add("m.id IN (SELECT a.binary_id FROM fhir_attachment a JOIN fhir_resource f ON f.rid = a.rid WHERE ")
	first := true
	for t, ids := range byType {
		if !first {
			q.add(" OR ")
		}
		first = false
		q.add("(f.type = ")
		q.arg(string(t))
		q.add(" AND f.id IN ")
		q.list(ids)
		q.add(")")
	}
	if first {
		return nil, nil
	}
	q.add(") OR m.rid IN (SELECT v.rid FROM fhir_reference v WHERE v.param = ")
	q.arg(securityContext)
	q.add(" AND (")
	first = true
	for t, ids := range byType {
		if !first {
			q.add(" OR ")
		}
		first = false
		q.add("(v.ref_type = ")
		q.arg(string(t))
		q.add(" AND v.ref_id IN ")
		q.list(ids)
		q.add(")")
	}
	q.add(")))")
	return readDerived(ctx, tx, q)
}

// securityContext numbers the security context of a Binary in fhir_reference. R4
// has no search parameter for it; 0 is no parameter's number.
const securityContext int64 = 0

func idsByType(refs []fhir.Reference) map[fhir.ResourceType][]string {
	m := map[fhir.ResourceType][]string{}
	for _, r := range refs {
		m[r.Type] = append(m[r.Type], r.ID)
	}
	return m
}

func readDerived(ctx context.Context, tx *db.Tx, q *query) ([]derived, error) {
	rows, err := tx.Query(ctx, q.String(), q.args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []derived
	for rows.Next() {
		var d derived
		if err := rows.Scan(&d.rid, &d.id, &d.version); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// deriveProvenance: the owners of all targets, all of them required.
func (s *Store) deriveProvenance(ctx context.Context, tx *db.Tx, d derived) error {
	owners, err := ownersOf(ctx, tx, `SELECT t.rid, t.owner FROM fhir_reference v
JOIN fhir_resource t ON t.type = v.ref_type AND t.id = v.ref_id AND t.deleted = 0 WHERE v.rid = $1 AND v.param = $2`,
		d.rid, parameterID(provenanceTarget))
	if err != nil {
		return err
	}
	return setOwners(ctx, tx, "Provenance", d, owners)
}

// deriveBinary: the owners of its security context; without one, those of
// everything that attaches it, all of them required.
func (s *Store) deriveBinary(ctx context.Context, tx *db.Tx, d derived) error {
	var secured int64
	err := tx.QueryRow(ctx, `SELECT count(*) FROM fhir_reference WHERE rid = $1 AND param = $2`, d.rid, securityContext).Scan(&secured)
	if err != nil {
		return err
	}
	var owners []string
	if secured > 0 {
		owners, err = ownersOf(ctx, tx, `SELECT t.rid, t.owner FROM fhir_reference v
JOIN fhir_resource t ON t.type = v.ref_type AND t.id = v.ref_id AND t.deleted = 0 WHERE v.rid = $1 AND v.param = $2`,
			d.rid, securityContext)
	} else {
		owners, err = ownersOf(ctx, tx, `SELECT t.rid, t.owner FROM fhir_attachment a
JOIN fhir_resource t ON t.rid = a.rid AND t.deleted = 0 WHERE a.binary_id = $1`, d.id)
	}
	if err != nil {
		return err
	}
	return setOwners(ctx, tx, "Binary", d, owners)
}

// ownersOf unites the owners of the resources that a statement names.
func ownersOf(ctx context.Context, tx *db.Tx, stmt string, args ...any) ([]string, error) {
	rows, err := tx.Query(ctx, stmt, args...)
	if err != nil {
		return nil, err
	}
	var (
		all   []string
		multi []int64
	)
	for rows.Next() {
		var (
			rid   int64
			owner string
		)
		if err := rows.Scan(&rid, &owner); err != nil {
			rows.Close()
			return nil, err
		}
		if owner != "" {
			all = append(all, owner)
		} else {
			multi = append(multi, rid)
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, rid := range multi {
		more, err := ownerRows(ctx, tx, rid)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
	}
	return search.NewIDSet(all...).List(), nil
}

func ownerRows(ctx context.Context, tx *db.Tx, rid int64) ([]string, error) {
	rows, err := tx.Query(ctx, `SELECT patient FROM fhir_owner WHERE rid = $1`, rid)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var patient string
		if err := rows.Scan(&patient); err != nil {
			return nil, err
		}
		all = append(all, patient)
	}
	return all, rows.Err()
}

// setOwners writes derived owners to the resource and to its current version.
func setOwners(ctx context.Context, tx *db.Tx, t string, d derived, owners []string) error {
	list, err := json.Marshal(append([]string{}, owners...))
	if err != nil {
		return err
	}
	single := ""
	if len(owners) == 1 {
		single = owners[0]
	}
	w := writer{}
	w.add(`UPDATE fhir_resource SET owner = $2 WHERE rid = $1`, d.rid, single)
	w.add(`DELETE FROM fhir_owner WHERE rid = $1`, d.rid)
	w.owners(d.rid, search.Owners{Required: owners})
	w.add(`UPDATE fhir_version SET owners = $4 WHERE type = $1 AND id = $2 AND version = $3`, t, d.id, d.version, string(list))
	return tx.Batch(ctx, w.statements)
}
