package fhirapi

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// pageParameter is the only parameter of a page link.
const pageParameter = "_page"

// search answers a type search (FHIR R4 search §3.1.1).
func (d *Door) search(w http.ResponseWriter, r *http.Request, decision access.Decision, subject access.Subject, i fhir.Interaction, values url.Values) error {
	query, err := d.query(subject, i, values)
	if err != nil {
		return err
	}
	if query.Cursor != "" {
		with(w, query.String)
	}
	names(w, subject, i, query)
	if decision = decision.Traverse(query); !decision.Allowed() {
		because(w, string(decision.Reason()))
		return refused(decision)
	}
	page, err := d.deps.Backend.Search(r.Context(), decision, query)
	if errors.Is(err, fhirstore.ErrPosition) {
		return notFound()
	}
	if err != nil {
		return err
	}
	return d.searchset(w, r, result{decision, subject, i, query, page})
}

// query parses the search, or opens the sealed link that continues one.
func (d *Door) query(subject access.Subject, i fhir.Interaction, values url.Values) (search.Query, error) {
	if !values.Has(pageParameter) {
		query, err := search.Parse(i.Type, values, d.deps.Base)
		return within(query, i, d.deps.Base), err
	}
	link, params, err := d.openLink(place(i), subject, values)
	if err != nil {
		return search.Query{}, err
	}
	query, err := search.Parse(i.Type, params, d.deps.Base)
	query.Cursor = link.Cursor
	return within(query, i, d.deps.Base), err
}

// openLink opens a sealed link of a place, and gives the parameters that it continues.
func (d *Door) openLink(place string, subject access.Subject, values url.Values) (pageLink, url.Values, error) {
	if len(values) != 1 || len(values[pageParameter]) != 1 {
		return pageLink{}, nil, outcome(http.StatusBadRequest, "invalid", "A page link takes no other parameter. Use it as it came.")
	}
	link, err := d.sealer.open(values.Get(pageParameter), place, subject.GrantID(), d.deps.Now())
	if err != nil {
		return pageLink{}, nil, notFound()
	}
	params, err := url.ParseQuery(link.Query)
	if err != nil {
		return pageLink{}, nil, notFound()
	}
	return link, params, nil
}

// within turns Patient/x/Observation into a search with one more condition; the
// view decides as for any other search (row 31).
func within(q search.Query, i fhir.Interaction, base string) search.Query {
	if i.Compartment.ID != "" {
		q.Within = compartment.Within(i.Compartment, i.Type, base)
	}
	return q
}

// place is where a search stands below the base: its type, behind the root of a
// compartment search.
func place(i fhir.Interaction) string {
	if i.Compartment.ID != "" {
		return i.Compartment.String() + "/" + string(i.Type)
	}
	return string(i.Type)
}

// result is an answered search with what it was asked by.
type result struct {
	decision    access.Decision
	subject     access.Subject
	interaction fhir.Interaction
	query       search.Query
	page        fhirstore.Page
}

// searchset judges every entry once more and writes the Bundle.
func (d *Door) searchset(w http.ResponseWriter, r *http.Request, a result) error {
	decision, query, page := a.decision, a.query, a.page
	if page.Release != nil {
		defer page.Release()
	}
	bundle := fhir.Searchset{Base: d.deps.Base, Self: d.selfLink(a.interaction, query), Total: page.Total, HasTotal: page.HasTotal}
	bundle.Grow(len(page.Matches) + len(page.Includes))
	for _, m := range page.Matches {
		if !decision.Admits(m.Resource, m.Owners) {
			d.alarm(r, m)
			continue
		}
		shows(w, m.Owners)
		body, err := query.Project(m.Resource)
		if err != nil {
			return err
		}
		bundle.Add(m.Resource, body, fhir.ModeMatch)
	}
	for _, m := range page.Includes {
		if !decision.AdmitsInclude(m.Resource, m.Owners) {
			d.alarm(r, m)
			continue
		}
		shows(w, m.Owners)
		bundle.Add(m.Resource, m.Resource.JSON(), fhir.ModeInclude)
	}
	if page.Next != "" {
		next, err := d.nextLink(a)
		if err != nil {
			return err
		}
		bundle.Next = next
	}
	writeBundle(w, &bundle)
	return nil
}

// alarm tells the operator that a backend let something through.
func (d *Door) alarm(r *http.Request, m fhirstore.Record) {
	d.deps.Log.ErrorContext(r.Context(), "backend let a hidden resource through", "type", m.Resource.Type())
}

// selfLink is what was understood of the request, canonical (R4 search §3.1.1.5.2).
func (d *Door) selfLink(i fhir.Interaction, q search.Query) string {
	link := d.deps.Base + "/" + place(i)
	if text := q.String(); text != "" {
		link += "?" + text
	}
	return link
}

// nextLink seals the position; the link is good for this grant and this search.
func (d *Door) nextLink(a result) (string, error) {
	link := pageLink{
		Place: place(a.interaction), Query: a.query.String(), Cursor: a.page.Next,
		Grant: a.subject.GrantID(), Until: d.deps.Now().Add(pageLife).Unix(),
	}
	if err := d.continues(link, a.query); err != nil {
		return "", err
	}
	sealed, err := d.sealer.seal(link)
	return d.deps.Base + "/" + link.Place + "?" + pageParameter + "=" + sealed, err
}

// continues refuses on its first page a search with a link, there or on any page
// that follows, that would be longer than a query may be.
func (d *Door) continues(link pageLink, query search.Query) error {
	if query.Cursor != "" {
		return nil
	}
	length, err := d.sealer.length(link, d.deps.MaxPosition(query))
	if err != nil {
		return err
	}
	if len(pageParameter)+1+length > maxQuery {
		return outcome(http.StatusBadRequest, "too-costly",
			"The search is too long to be continued on a second page, and needs one. Ask for fewer values at a time, for fewer sort keys, or for more matches a page by _count.")
	}
	return nil
}
