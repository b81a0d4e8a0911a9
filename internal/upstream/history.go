package upstream

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// History implements fhirstore.Keeper for one resource (rows 4 and 5 of the leak
// catalogue). Order: the current version first; who may not see it sees none. That of
// a type would be asked of the upstream for everybody, and is refused.
func (b *Backend) History(ctx context.Context, d access.Decision, q fhirstore.HistoryQuery) (fhirstore.HistoryPage, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTime)
	defer cancel()
	if q.Ref.ID == "" {
		return fhirstore.HistoryPage{}, fhir.NewOutcome("error", "not-supported", "Ask for the history of one resource.")
	}
	from, err := decodePosition(q.Cursor)
	if err != nil {
		return fhirstore.HistoryPage{}, err
	}
	s, err := b.states.get(ctx)
	if err != nil {
		return fhirstore.HistoryPage{}, err
	}
	if !s.does(q.Ref.Type, fhir.HistoryInstance) {
		return fhirstore.HistoryPage{}, notOffered("The server that holds the records does not tell what was before for %s. Read the current version.", q.Ref.Type)
	}
	if _, err := b.Read(ctx, d, q.Ref); err != nil {
		return fhirstore.HistoryPage{}, err
	}
	c := &chronicle{backend: b, decision: d, owners: b.newOwners(d), query: q, at: from, seen: map[string]bool{}}
	return c.fill(ctx)
}

// chronicle goes through the versions of one resource as the upstream tells them, and
// keeps those that are in the view, each by its own content.
type chronicle struct {
	backend  *Backend
	decision access.Decision
	owners   *owners
	query    fhirstore.HistoryQuery
	at       position
	seen     map[string]bool // versions
	// deletions wait for the version before them, which says who may know of them.
	deletions []deletion
	page      fhirstore.HistoryPage
}

// deletion is an entry without content.
type deletion struct {
	version string
	at      time.Time
	stands  position
}

// fill reads pages of the upstream until there are enough versions.
func (c *chronicle) fill(ctx context.Context) (fhirstore.HistoryPage, error) {
	for range maxRefill {
		got, err := c.fetch(ctx)
		if err != nil {
			return fhirstore.HistoryPage{}, err
		}
		for i := min(c.at.Skip, len(got.entries)); i < len(got.entries); i++ {
			full, err := c.take(ctx, got.entries[i], position{Link: c.at.Link, Skip: i})
			if err != nil || full {
				return c.page, err
			}
		}
		if got.next == "" {
			return c.page, nil
		}
		link, ok := c.backend.bases.remainder(got.next)
		if !ok || link == c.at.Link || len(link) > maxLink {
			return fhirstore.HistoryPage{}, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: errors.New("its link to the next page cannot be followed")}
		}
		c.at = position{Link: link}
	}
	return c.page, c.goOn(c.at)
}

// goOn has the next page begin at a position, or at the deletion that still waits.
func (c *chronicle) goOn(at position) (err error) {
	if len(c.deletions) > 0 {
		at = c.deletions[0].stands
	}
	c.page.Next, err = at.encode()
	return err
}

func (c *chronicle) fetch(ctx context.Context) (bundle, error) {
	path := c.at.Link
	if path == "" {
		path = "/" + c.query.Ref.String() + "/_history?_count=" + strconv.Itoa(c.query.Count)
	}
	body, err := c.backend.client.get(ctx, path)
	if errors.Is(err, fhirstore.ErrNotFound) && c.at.Link != "" {
		return bundle{}, fhirstore.ErrPosition // the upstream has forgotten the page
	}
	return readPage(body, err, history)
}

// take judges one version. What cannot be judged hides the deletion after it as well.
func (c *chronicle) take(ctx context.Context, e entry, stands position) (full bool, err error) {
	at, _ := time.Parse(time.RFC3339Nano, e.told.modified)
	if errors.Is(e.broken, errEmpty) && e.told.method == http.MethodDelete {
		if version := versionOf(e.told.etag); version != "" {
			c.deletions = append(c.deletions, deletion{version, at, stands})
		}
		return false, nil
	}
	r, ok, err := c.version(ctx, e)
	if err != nil || !ok {
		c.deletions = nil
		return false, err
	}
	for len(c.deletions) > 0 {
		gone := c.deletions[0]
		record := fhirstore.Record{Resource: r.Resource, Owners: r.Owners, VersionID: gone.version, UpdatedAt: gone.at}
		if full, err := c.add(fhirstore.HistoryEntry{Record: record, Deleted: true}, gone.stands); full {
			return true, err
		}
		c.deletions = c.deletions[1:]
	}
	return c.add(fhirstore.HistoryEntry{Record: r, Created: e.told.method == http.MethodPost}, stands)
}

// version reads an entry as a version of the resource; false: it is none, or not in the
// view.
func (c *chronicle) version(ctx context.Context, e entry) (fhirstore.Record, bool, error) {
	b, r, broken := c.backend, e.resource, e.broken
	if broken == nil {
		r, broken = b.bases.resource(r)
	}
	if broken != nil || r.Reference() != c.query.Ref || !fhir.ValidID(r.VersionID()) || c.seen[r.VersionID()] {
		b.dropped(ctx, c.query.Ref.Type, "malformed")
		return fhirstore.Record{}, false, nil
	}
	owners, err := c.owners.of(ctx, r)
	if err != nil {
		return fhirstore.Record{}, false, err
	}
	if !c.decision.Admits(r, owners) {
		b.deps.Observe.Filtered()
		return fhirstore.Record{}, false, nil
	}
	c.seen[r.VersionID()] = true
	return record(r, owners), true, nil
}

// add puts a version on the page, unless the page is full, or it is from before the time
// that was asked for; when it was is not known is before.
func (c *chronicle) add(v fhirstore.HistoryEntry, stands position) (full bool, err error) {
	if v.UpdatedAt.Before(c.query.Since) {
		return false, nil
	}
	if len(c.page.Entries) == c.query.Count {
		return true, c.goOn(stands)
	}
	c.page.Entries = append(c.page.Entries, v)
	return false, nil
}

// versionOf is the version that an entity tag names; empty: none (FHIR R4 http §3.1.0.2).
func versionOf(tag string) string {
	name, ok := strings.CutPrefix(strings.TrimPrefix(tag, "W/"), `"`)
	name, closed := strings.CutSuffix(name, `"`)
	if !ok || !closed || !fhir.ValidID(name) {
		return ""
	}
	return name
}
