package fhirsql

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// moment is where a history goes on: behind this version.
type moment struct {
	Updated int64  `json:"u"`
	Type    string `json:"t"`
	ID      string `json:"i"`
	Version int64  `json:"v"`
}

// History implements fhirstore.Keeper. The database keeps back the versions of
// what is hidden now; each version is judged by itself as it was then, and the page
// filled up with the next ones (design law of access, rows 4 to 6 and 48).
func (s *Store) History(ctx context.Context, d access.Decision, h fhirstore.HistoryQuery) (fhirstore.HistoryPage, error) {
	var page fhirstore.HistoryPage
	if h.Ref.ID != "" {
		if _, err := s.last(ctx, d, h.Ref); err != nil {
			return page, err
		}
	}
	after, err := decodeMoment(h.Cursor)
	if err != nil {
		return page, err
	}
	types := historyTypes(d, h.Ref.Type)
	if len(types) == 0 {
		return page, nil
	}
	for {
		some, err := s.versions(ctx, d, h, types, after)
		if err != nil {
			return page, err
		}
		for _, v := range some {
			if d.Admits(v.Resource, v.Owners) {
				if len(page.Entries) == h.Count {
					page.Next = encodeMoment(page.Entries[h.Count-1])
					return page, nil
				}
				page.Entries = append(page.Entries, v)
			}
		}
		if len(some) <= h.Count {
			return page, nil
		}
		at := momentOf(some[len(some)-1])
		after = &at
	}
}

// historyTypes are the types that a history tells of: those with a view.
func historyTypes(d access.Decision, only fhir.ResourceType) []fhir.ResourceType {
	all := fhir.ResourceTypes()
	if only != "" {
		all = []fhir.ResourceType{only}
	}
	var some []fhir.ResourceType
	for _, t := range all {
		if compartment.ClassOf(t) != compartment.Closed && d.View(t) != nil {
			some = append(some, t)
		}
	}
	return some
}

// versions reads one more than a page of the versions of what is in the view now,
// or was when it was deleted.
func (s *Store) versions(ctx context.Context, d access.Decision, h fhirstore.HistoryQuery, types []fhir.ResourceType, after *moment) ([]fhirstore.HistoryEntry, error) {
	q := s.newQuery()
	q.add("SELECT * FROM (")
	for i, t := range types {
		if i > 0 {
			q.add(" UNION ALL ")
		}
		q.add("SELECT * FROM (SELECT h.type, h.id, h.version, h.updated, h.deleted, h.owners, h.sensitive, h.body FROM fhir_version h WHERE h.type = ")
		q.arg(string(t))
		q.add(" AND h.id IN (SELECT m.id")
		q.fromEver(matchView(d), t, "m")
		if h.Ref.ID != "" {
			q.add(" AND m.id = ")
			q.arg(h.Ref.ID)
		}
		q.add(")")
		if !h.Since.IsZero() {
			q.compare(" AND h.updated", " >= ", h.Since.UnixMilli())
		}
		q.behind(after)
		q.newestFirst("h.", h.Count+1)
		q.add(") a", fmt.Sprint(i))
	}
	q.add(") v")
	q.newestFirst("v.", h.Count+1)
	rows, err := s.db.Query(ctx, q.String(), q.args...)
	if err != nil {
		return nil, fmt.Errorf("reading a history: %w", err)
	}
	return scanVersions(rows)
}

// behind writes the condition for versions after a moment in the order of a page.
func (q *query) behind(after *moment) {
	if after == nil {
		return
	}
	q.compare(" AND (h.updated", " < ", after.Updated)
	q.compare(" OR h.updated", " = ", after.Updated)
	q.compare(" AND (h.type", " > ", after.Type)
	q.compare(" OR h.type", " = ", after.Type)
	q.compare(" AND (h.id", " > ", after.ID)
	q.compare(" OR h.id", " = ", after.ID)
	q.compare(" AND h.version", " < ", after.Version)
	q.add(")))")
}

func (q *query) newestFirst(x string, limit int) {
	q.add(" ORDER BY ", x, "updated DESC, ", x, "type, ", x, "id, ", x, "version DESC LIMIT ")
	q.arg(int64(limit))
}

func scanVersions(rows db.Rows) ([]fhirstore.HistoryEntry, error) {
	defer rows.Close()
	var list []fhirstore.HistoryEntry
	for rows.Next() {
		var (
			kind, id, owners string
			sensitive        string
			updated, deleted int64
			v                fhirstore.HistoryEntry
			body             []byte
		)
		if err := rows.Scan(&kind, &id, &v.Version, &updated, &deleted, &owners, &sensitive, &body); err != nil {
			return nil, fmt.Errorf("reading a history: %w", err)
		}
		if err := json.Unmarshal([]byte(owners), &v.Owners.Required); err != nil {
			return nil, fmt.Errorf("reading the owners of a version: %w", err)
		}
		v.Owners.Sensitivity = search.ReadSensitivity(sensitive)
		v.Resource, v.Created, v.Deleted = fhir.Stored(fhir.ResourceType(kind), id, body), v.Version == 1, deleted != 0
		v.UpdatedAt = time.UnixMilli(updated).UTC()
		list = append(list, v)
	}
	return list, rows.Err()
}

func momentOf(v fhirstore.HistoryEntry) moment {
	ref := v.Resource.Reference()
	return moment{v.UpdatedAt.UnixMilli(), string(ref.Type), ref.ID, v.Version}
}

func encodeMoment(v fhirstore.HistoryEntry) string {
	b, err := json.Marshal(momentOf(v))
	if err != nil { // texts and numbers always marshal
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func decodeMoment(cursor string) (*moment, error) {
	if cursor == "" {
		return nil, nil //nolint:nilnil // no position is no error
	}
	var m moment
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(b, &m) != nil || m.ID == "" {
		return nil, fhirstore.ErrPosition
	}
	return &m, nil
}
