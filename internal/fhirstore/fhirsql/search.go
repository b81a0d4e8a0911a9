package fhirsql

import (
	"context"
	"fmt"
	"strconv"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Search implements fhirstore.Backend.
func (s *Store) Search(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	var page fhirstore.Page
	if q.CountOnly() {
		return page, s.count(ctx, d, q, &page)
	}
	rows, keys, err := s.matches(ctx, d, q)
	if err != nil {
		return page, err
	}
	more := len(rows) > q.Count
	if more {
		rows, keys = rows[:q.Count], keys[:q.Count]
		page.Next = encodePosition(q, keys[len(keys)-1], rows[len(rows)-1].record.Resource.ID())
	}
	if err := s.addOwners(ctx, s.db, rows); err != nil {
		return page, err
	}
	for _, v := range rows {
		page.Matches = append(page.Matches, v.record)
	}
	switch {
	case q.Total == search.TotalNone:
	case !more && q.Cursor == "": // the page is everything: counting is free
		page.Total, page.HasTotal = len(rows), true
	case q.Total != "":
		if err := s.count(ctx, d, q, &page); err != nil {
			return page, err
		}
	}
	page.Includes, err = s.includes(ctx, d, q, rows)
	return page, err
}

// count counts all matches in the view.
func (s *Store) count(ctx context.Context, d access.Decision, q search.Query, page *fhirstore.Page) error {
	c := s.newQuery()
	c.add("SELECT count(*)")
	c.fromSearch(matchView(d), q, "m")
	var n int64
	if err := s.db.QueryRow(ctx, c.String(), c.args...).Scan(&n); err != nil {
		return fmt.Errorf("counting matches: %w", err)
	}
	page.Total, page.HasTotal = int(n), true
	return nil
}

// matches reads one page and one row more, in the order of the sort keys, then
// of the ids.
func (s *Store) matches(ctx context.Context, d access.Decision, q search.Query) ([]row, [][]sortValue, error) {
	after, err := decodePosition(q)
	if err != nil {
		return nil, nil, err
	}
	c := s.newQuery()
	c.add("SELECT * FROM (SELECT ", columns("m"))
	for i, k := range q.Sort {
		c.add(", ")
		c.sortKey(k)
		c.add(" AS k", strconv.Itoa(i))
	}
	c.fromSearch(matchView(d), q, "m")
	if after != nil && len(q.Sort) == 0 {
		c.add(" AND m.id > ")
		c.arg(after.ID)
	}
	c.add(") p")
	if after != nil && len(q.Sort) > 0 {
		c.add(" WHERE ")
		c.after(q.Sort, *after)
	}
	c.add(" ORDER BY ")
	for i, k := range q.Sort {
		n := "k" + strconv.Itoa(i)
		c.add("(", n, " IS NULL), ", n, direction(k), ", ")
	}
	c.add("id LIMIT ")
	c.arg(int64(q.Count + 1))
	return s.readMatches(ctx, c, q)
}

func (s *Store) readMatches(ctx context.Context, c *query, q search.Query) ([]row, [][]sortValue, error) {
	found, err := s.db.Query(ctx, c.String(), c.args...)
	if err != nil {
		return nil, nil, fmt.Errorf("searching: %w", err)
	}
	defer found.Close()
	var (
		rows []row
		keys [][]sortValue
	)
	for found.Next() {
		values := make([]sortValue, len(q.Sort))
		dest := make([]any, len(q.Sort))
		for i, k := range q.Sort {
			dest[i] = values[i].dest(k)
		}
		v, err := scanRow(found, q.Type, dest...)
		if err != nil {
			return nil, nil, fmt.Errorf("searching: %w", err)
		}
		rows, keys = append(rows, v), append(keys, values)
	}
	if err := found.Err(); err != nil {
		return nil, nil, fmt.Errorf("searching: %w", err)
	}
	return rows, keys, nil
}
