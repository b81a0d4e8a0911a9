package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

const (
	// maxRefill is how many pages of the upstream one answer is filled from.
	maxRefill = 20
	// maxEntries is what one page of the upstream may hold.
	maxEntries = 5000
	// searchTime is how long one search may take in all.
	searchTime = 30 * time.Second
)

// Search implements fhirstore.Backend.
func (b *Backend) Search(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	from, err := decodePosition(q.Cursor)
	if err != nil {
		return fhirstore.Page{}, err
	}
	if len(q.Joins) > 0 {
		var none bool
		if q, none, err = b.chained(ctx, d, q); err != nil || none {
			return nothing(q), err
		}
	}
	p, err := b.plan(ctx, d, q)
	if err != nil {
		return fhirstore.Page{}, err
	}
	if p.empty() { // no call: nothing of it could be shown (row 21)
		return nothing(q), nil
	}
	w := &walk{backend: b, plan: p, owners: b.newOwners(d), at: from, seen: make(map[string]bool, min(q.Count, maxPage)), matches: make([]fhirstore.Record, 0, min(q.Count, maxPage))}
	w.owners.always = q.Within != nil
	if q.CountOnly() {
		return w.count(ctx)
	}
	return w.page(ctx)
}

// walk goes through the pages of the upstream, portion by portion, and keeps what is
// verified.
type walk struct {
	backend *Backend
	plan    *plan
	owners  *owners
	at      position
	done    bool // there is nothing behind at
	full    bool // at is a match that does not fit any more

	matches []fhirstore.Record
	seen    map[string]bool // ids, of the type that is searched
	// strange: something came that was not asked for.
	strange bool
	pages   int
	// first is what the upstream counted on its first page; whole: of all patients.
	first total
	whole bool
	// read are the pages so far, which the matches stand in.
	read []fhir.Node
}

// page fills one page of an answer.
func (w *walk) page(ctx context.Context) (fhirstore.Page, error) {
	q := w.plan.query
	first := w.at == position{}
	for w.pages = 0; w.goesOn() && w.pages < maxRefill; w.pages++ {
		if err := w.step(ctx, q.Count, q.Count); err != nil {
			return fhirstore.Page{}, err
		}
	}
	page := fhirstore.Page{Matches: w.matches, Release: w.release}
	if !w.done {
		var err error
		if page.Next, err = w.at.encode(); err != nil {
			return fhirstore.Page{}, err
		}
	}
	switch {
	case q.Total == search.TotalNone || !first:
	case w.done:
		page.Total, page.HasTotal = len(w.matches), true
	case q.Total == search.TotalAccurate:
		if err := w.counted(ctx, &page); err != nil {
			return fhirstore.Page{}, err
		}
	}
	var err error
	page.Includes, err = w.includes(ctx)
	return page, err
}

// goesOn: there are not enough yet; or only a further match would say that there is
// another page, since a link of the upstream may lead to what is hidden (row 48).
func (w *walk) goesOn() bool {
	trusted := w.plan.exact && !w.strange
	return !w.done && !w.full && (len(w.matches) < w.plan.query.Count || !trusted)
}

// step reads one page of the upstream, asking for so many entries, and verifies them
// until there are enough.
func (w *walk) step(ctx context.Context, ask, enough int) error {
	ids, last, more := w.plan.portion(w.at.After)
	if w.plan.by != "" && len(ids) == 0 { // the portion is gone since the link was made
		w.done = true
		return nil
	}
	got, err := w.fetch(ctx, ids, ask)
	if err != nil {
		return err
	}
	if w.at == (position{}) {
		w.first, w.whole = got.total, !more
	}
	next, err := w.following(got, last, more)
	if err != nil {
		return err
	}
	if err := w.prepare(ctx, got); err != nil {
		return err
	}
	for i := min(w.at.Skip, len(got.entries)); i < len(got.entries); i++ {
		match, ok, err := w.verify(ctx, got.entries[i])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if len(w.matches) == enough { // one more than fits: the next page begins here
			delete(w.seen, match.Resource.ID())
			w.at.Skip, w.full = i, true
			return nil
		}
		w.matches = append(w.matches, match)
	}
	if next == nil {
		w.done = true
		return nil
	}
	w.at = *next
	return nil
}

// following is where the search goes on behind a page; nil: nowhere.
func (w *walk) following(got bundle, last string, more bool) (*position, error) {
	switch {
	case got.next != "":
		link, ok := w.backend.bases.remainder(got.next)
		if len(link) > maxLink {
			return nil, refused("_count", "The server that holds the records cannot continue this search on a second page. Ask for more matches a page by _count, or name fewer patients.")
		}
		if !ok || link == w.at.Link {
			return nil, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: errors.New("its link to the next page cannot be followed")}
		}
		return &position{After: w.at.After, Link: link}, nil
	case more:
		return &position{After: last}, nil
	}
	return nil, nil
}

// fetch gets the page that the position names.
func (w *walk) fetch(ctx context.Context, ids []string, count int) (bundle, error) {
	var body []byte
	var err error
	if w.at.Link != "" {
		body, err = w.backend.client.lend(ctx, call{method: http.MethodGet, path: w.at.Link})
	} else {
		body, err = w.backend.client.lend(ctx, searching(w.plan.query.Type, w.plan.text(ids, count)))
	}
	if errors.Is(err, fhirstore.ErrNotFound) && w.at.Link != "" {
		return bundle{}, fhirstore.ErrPosition // the upstream has forgotten the page
	}
	got, err := readPage(body, err, searchset)
	w.read = append(w.read, got.root)
	return got, err
}

// release gives the rooms of the pages back.
func (w *walk) release() {
	for _, page := range w.read {
		giveBack(page.Release())
	}
	w.read, w.matches = nil, nil
}

// readPage judges the answer to a search, or to a history.
func readPage(body []byte, err error, kind string) (bundle, error) {
	switch {
	case errors.Is(err, errTooLarge):
		return bundle{}, fhirstore.ErrTooCostly
	case errors.Is(err, fhirstore.ErrNotFound):
		return bundle{}, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: errors.New("it does not know the path of a " + kind)}
	case err != nil:
		return bundle{}, err
	}
	got, err := parseBundle(body, kind)
	if err != nil {
		return bundle{}, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: err}
	}
	if len(got.entries) > maxEntries {
		return bundle{}, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: fmt.Errorf("a page of %d entries", len(got.entries))}
	}
	return got, nil
}

// prepare rebases the entries, and fetches at once what their owners follow from.
func (w *walk) prepare(ctx context.Context, got bundle) error {
	var derived []fhir.Resource
	_, states := sensitive.Medicine(w.plan.query.Type)
	derives := states || compartment.DerivationOf(w.plan.query.Type) != compartment.None
	for i := range got.entries {
		e := &got.entries[i]
		if e.broken == nil {
			e.resource, e.broken = w.backend.bases.resource(e.resource)
		}
		if derives && e.broken == nil && e.resource.Type() == w.plan.query.Type {
			derived = append(derived, e.resource)
		}
	}
	return w.owners.prepare(ctx, derived)
}

// verify judges one entry on its full content: it is of the type, it has an id, the
// query matches, the decision admits. Whatever the upstream calls it, it is a match
// then, and otherwise nothing.
func (w *walk) verify(ctx context.Context, e entry) (fhirstore.Record, bool, error) {
	b, t := w.backend, w.plan.query.Type
	r := e.resource
	switch {
	case e.mode == "outcome": // its words are not passed on (row 54)
		return fhirstore.Record{}, false, nil
	case e.broken != nil || r.ID() == "" || r.Type() != t:
		w.strange = true
		b.dropped(ctx, t, "malformed")
		return fhirstore.Record{}, false, nil
	case w.seen[r.ID()]:
		w.strange = true
		b.dropped(ctx, t, "doubled")
		return fhirstore.Record{}, false, nil
	}
	owners, err := w.owners.of(ctx, r)
	if err != nil {
		return fhirstore.Record{}, false, err
	}
	if !w.plan.decision.Admits(r, owners) || !search.Match(w.plan.wanted, r, owners, b.deps.Base) {
		w.strange = true
		if w.plan.exact {
			b.dropped(ctx, t, "hidden")
		} else {
			b.deps.Observe.Filtered()
		}
		return fhirstore.Record{}, false, nil
	}
	w.seen[r.ID()] = true
	return record(r, owners), true, nil
}
