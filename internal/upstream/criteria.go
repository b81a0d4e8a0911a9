package upstream

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// maxCriteria is how long criteria in a header may be.
const maxCriteria = 4000

// only is the one resource in the view that fulfils a condition, by a search of the
// gateway like any other (row 67 of the leak catalogue). The zero Record: none does.
func (b *Backend) only(ctx context.Context, c fhirstore.Condition) (fhirstore.Record, error) {
	if len(c.Query.Joins) > 0 { // which are not looked at once more when it is changed
		return fhirstore.Record{}, unverifiable(c.Query)
	}
	q := c.Query
	q.Count, q.Total, q.Sort, q.Include, q.RevInclude, q.Cursor = 2, search.TotalNone, nil, nil, nil, ""
	var found []fhirstore.Record
	for range maxRefill {
		page, err := b.Search(ctx, c.Decision, q)
		if err != nil {
			return fhirstore.Record{}, err
		}
		if found = append(found, page.Matches...); len(found) > 1 {
			return fhirstore.Record{}, fhirstore.ErrMany
		}
		if page.Next == "" {
			return append(found, fhirstore.Record{})[0], nil
		}
		q.Cursor = page.Next
	}
	return fhirstore.Record{}, refused("", "Too much would have to be looked through. Narrow the criteria.")
}

// create has the upstream make a resource, under an id of its own.
func (b *Backend) create(ctx context.Context, s *statement, w fhirstore.Write) (fhirstore.Written, error) {
	unless := ""
	if w.Where != nil {
		var err error
		if unless, err = b.unless(ctx, s, *w.Where); err != nil {
			return fhirstore.Written{}, err
		}
		found, err := b.only(ctx, *w.Where)
		if err != nil {
			return fhirstore.Written{}, err
		}
		if !found.Resource.IsZero() {
			return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: found}, Found: true}, nil
		}
	}
	content, err := b.arriving(w.Content)
	if err == nil {
		content, err = content.Unstamped("")
	}
	if err != nil {
		return fhirstore.Written{}, err
	}
	change, err := b.permit(ctx, w.Decision, access.State{}, content)
	if err != nil {
		return fhirstore.Written{}, err
	}
	done, ref, err := b.post(ctx, w.Decision, change, unless)
	if err != nil || ref.Type == "" {
		return done, err
	}
	return b.wasThere(ctx, *w.Where, ref)
}

// unless are the criteria that the upstream looks at once more when it creates, narrowed
// to the view: what it finds by them is visible, so that what it answers tells of nothing
// else. Without that, two creations at once would both be made. Empty: nothing that
// fulfils the criteria could be in the view.
func (b *Backend) unless(ctx context.Context, s *statement, c fhirstore.Condition) (string, error) {
	p, err := b.plan(ctx, c.Decision, c.Query)
	if err != nil || p.empty() {
		return "", err
	}
	values := url.Values{}
	for name, list := range p.sent {
		values[name] = list
	}
	if p.by != "" {
		values.Add(p.by, naming(p.by, "Patient", p.patients.ids.List()))
	}
	text := values.Encode()
	if !s.types[c.Query.Type].creates || !p.exact || len(text) > maxCriteria {
		return "", notOffered("A creation of %s that depends on criteria cannot be made safely on this server: two at once would both be made. Search by the criteria, and create without If-None-Exist when nothing is found.", c.Query.Type)
	}
	return text, nil
}

// wasThere is what the upstream found when it should create: somebody was faster.
func (b *Backend) wasThere(ctx context.Context, c fhirstore.Condition, ref fhir.Reference) (fhirstore.Written, error) {
	broken := &fhirstore.Failure{Status: http.StatusBadGateway, Cause: errors.New("it does not say what it found in place of a creation")}
	if ref.ID == "" {
		return fhirstore.Written{}, broken
	}
	r, err := b.fetch(ctx, ref)
	if isMissing(err) {
		return fhirstore.Written{}, broken
	}
	if err != nil {
		return fhirstore.Written{}, err
	}
	owners, err := b.ownersOf(ctx, c.Decision, r)
	if err != nil {
		return fhirstore.Written{}, err
	}
	if !c.Decision.Admits(r, owners) || !search.Match(c.Query.Expr(), r, owners, b.deps.Base) {
		b.dropped(ctx, ref.Type, "hidden")
		return fhirstore.Written{}, broken
	}
	return fhirstore.Written{HistoryEntry: fhirstore.HistoryEntry{Record: record(r, owners)}, Found: true}, nil
}
