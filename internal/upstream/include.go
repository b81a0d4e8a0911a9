package upstream

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"sort"
	"strconv"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

const (
	// maxIncluded is how many resources come along with one page.
	maxIncluded = 2000
	// maxByID is how many are asked for by id at once.
	maxByID = 100
	// maxOneByOne is how many are read one by one where the upstream does not search
	// by _id.
	maxOneByOne = 20
)

// includes finds what _include and _revinclude add to the matches, by reads and
// searches of our own: what an upstream includes follows its rules, not ours. Every
// one is judged by the view for includes of its type (rows 42 to 44).
func (w *walk) includes(ctx context.Context) ([]fhirstore.Record, error) {
	q := w.plan.query
	if len(w.matches) == 0 || len(q.Include)+len(q.RevInclude) == 0 {
		return nil, nil
	}
	c := &companions{walk: w, found: map[fhir.Reference]fhirstore.Record{}}
	for _, m := range w.matches {
		w.owners.note(m.Resource)
	}
	for _, i := range q.Include {
		if err := c.include(ctx, i); err != nil {
			return nil, err
		}
	}
	for _, i := range q.RevInclude {
		if err := c.revInclude(ctx, i); err != nil {
			return nil, err
		}
	}
	return c.sorted(), nil
}

// companions are the includes of one page, without doubles; a match is none.
type companions struct {
	walk  *walk
	found map[fhir.Reference]fhirstore.Record
}

// include follows a reference of the matches.
func (c *companions) include(ctx context.Context, i search.Include) error {
	var targets []fhir.Reference
	for _, m := range c.walk.matches {
		for _, v := range i.Parameter.Extract(m.Resource, c.walk.backend.deps.Base) {
			ref := fhir.Reference{Type: v.Reference.Type, ID: v.Reference.ID}
			if ref.ID != "" && (i.Target == "" || i.Target == ref.Type) && !c.has(ref) {
				targets = append(targets, ref)
			}
		}
	}
	for t, ids := range byType(targets) {
		if c.walk.plan.decision.IncludeView(t) == nil {
			continue
		}
		if len(ids) > maxIncluded {
			return fhirstore.ErrTooCostly
		}
		found, err := c.walk.backend.byID(ctx, t, ids)
		if err != nil {
			return err
		}
		if err := c.walk.owners.prepare(ctx, slices.Collect(maps.Values(found))); err != nil {
			return err
		}
		for _, id := range ids {
			if r, ok := found[id]; ok {
				if err := c.add(ctx, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *companions) has(ref fhir.Reference) bool {
	_, found := c.found[ref]
	return found || ref.Type == c.walk.plan.query.Type && c.walk.seen[ref.ID]
}

// add keeps a resource that may come along.
func (c *companions) add(ctx context.Context, r fhir.Resource) error {
	if c.has(r.Reference()) {
		return nil
	}
	owners, err := c.walk.owners.of(ctx, r)
	if err != nil {
		return err
	}
	if !c.walk.plan.decision.AdmitsInclude(r, owners) {
		c.walk.backend.deps.Observe.Filtered()
		return nil
	}
	if len(c.found) >= maxIncluded {
		return fhirstore.ErrTooCostly
	}
	c.found[r.Reference()] = record(r, owners)
	return nil
}

// revInclude finds what points to the matches.
func (c *companions) revInclude(ctx context.Context, i search.Include) error {
	bound := boundOf(c.walk.plan.decision.IncludeView(i.Source))
	if bound.nobody() {
		return nil
	}
	s, err := c.walk.backend.states.get(ctx)
	if err != nil {
		return err
	}
	var ids []string
	for _, m := range c.walk.matches {
		ids = append(ids, m.Resource.ID())
	}
	for some := range slices.Chunk(ids, maxByID) {
		values := url.Values{}
		values.Set(i.Parameter.Code, naming(i.Parameter.Code, c.walk.plan.query.Type, some))
		if by, ok := parameterOf(s, i.Source); ok && by != i.Parameter.Code && !bound.anybody && bound.ids.Len() <= maxNamed {
			values.Set(by, naming(by, "Patient", bound.ids.List()))
		}
		pointing := func(r fhir.Resource) bool {
			return points(i, r, c.walk.plan.query.Type, some, c.walk.backend.deps.Base)
		}
		found, err := c.walk.backend.all(ctx, i.Source, values, pointing)
		if err != nil {
			return err
		}
		if err := c.walk.owners.prepare(ctx, found); err != nil {
			return err
		}
		for _, r := range found {
			if err := c.add(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// points reports whether a resource refers to one of some.
func points(i search.Include, r fhir.Resource, t fhir.ResourceType, ids []string, base string) bool {
	return slices.ContainsFunc(i.Parameter.Extract(r, base), func(v search.Value) bool {
		return v.Reference.Type == t && slices.Contains(ids, v.Reference.ID)
	})
}

func (c *companions) sorted() []fhirstore.Record {
	list := make([]fhirstore.Record, 0, len(c.found))
	for _, v := range c.found {
		list = append(list, v)
	}
	sort.Slice(list, func(a, b int) bool {
		x, y := list[a].Resource.Reference(), list[b].Resource.Reference()
		return x.Type < y.Type || x.Type == y.Type && x.ID < y.ID
	})
	return list
}

// byID gets resources of one type with the rights of the server itself; what is not
// there is left out. Callers judge each.
func (b *Backend) byID(ctx context.Context, t fhir.ResourceType, ids []string) (map[string]fhir.Resource, error) {
	s, err := b.states.get(ctx)
	if err != nil {
		return nil, err
	}
	if len(ids) == 1 || !s.searches(t) || !s.declares(t, "_id") {
		return b.oneByOne(ctx, t, ids)
	}
	found := map[string]fhir.Resource{}
	for some := range slices.Chunk(ids, maxByID) {
		list, err := b.all(ctx, t, url.Values{"_id": {naming("_id", t, some)}}, func(r fhir.Resource) bool { return slices.Contains(some, r.ID()) })
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			found[r.ID()] = r
		}
	}
	return found, nil
}

func (b *Backend) oneByOne(ctx context.Context, t fhir.ResourceType, ids []string) (map[string]fhir.Resource, error) {
	if len(ids) > maxOneByOne {
		return nil, fhirstore.ErrTooCostly
	}
	found := map[string]fhir.Resource{}
	for _, id := range ids {
		r, err := b.fetch(ctx, fhir.Reference{Type: t, ID: id})
		if err == nil {
			found[id] = r
		} else if !isMissing(err) {
			return nil, err
		}
	}
	return found, nil
}

// all reads every page of a small search of our own, and keeps what was asked for.
func (b *Backend) all(ctx context.Context, t fhir.ResourceType, values url.Values, wanted func(fhir.Resource) bool) ([]fhir.Resource, error) {
	values.Set("_count", strconv.Itoa(maxPage))
	body, err := b.client.search(ctx, t, values.Encode())
	var list []fhir.Resource
	for n := 0; ; n++ {
		got, err := readPage(body, err, searchset)
		if err != nil {
			return nil, err
		}
		for _, e := range got.entries {
			r, broken := e.resource, e.broken
			if broken == nil {
				r, broken = b.bases.resource(r)
			}
			if broken == nil && r.Type() == t && r.ID() != "" && wanted(r) {
				list = append(list, r)
			} else if e.mode != "outcome" {
				b.dropped(ctx, t, "malformed")
			}
		}
		if got.next == "" {
			return list, nil
		}
		link, ok := b.bases.remainder(got.next)
		if !ok || n == maxRefill || len(list) > maxIncluded {
			return nil, fhirstore.ErrTooCostly
		}
		body, err = b.client.get(ctx, link)
	}
}
