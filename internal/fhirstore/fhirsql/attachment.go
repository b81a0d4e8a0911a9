package fhirsql

import (
	"context"
	"sort"

	"github.com/emberlatch/emberlatch/fhir"
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

// attachedBefore are the Binary resources that resources attached until now: they
// lose an attacher when one of those is replaced.
func (s *Store) attachedBefore(ctx context.Context, tx *db.Tx, replaced []int64) ([]fhir.Reference, error) {
	if len(replaced) == 0 {
		return nil, nil
	}
	q := s.newQuery()
	q.add("SELECT DISTINCT binary_id FROM fhir_attachment WHERE rid")
	q.among(replaced)
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
