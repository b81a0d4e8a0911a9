package upstream

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

const (
	// maxNamed is how many patients one request to the upstream names, when what they
	// have is sorted together.
	maxNamed = 200
	// maxPortion is how many it names otherwise: links of the upstream to further
	// pages may hold the query, and are kept in ours.
	maxPortion = 50
	// maxPage is how many entries are asked for at once.
	maxPage = 1000
)

// plan is what is asked of the upstream for a search: a query of our own that is as
// narrow as one can be, and how its answers are verified.
type plan struct {
	decision access.Decision
	query    search.Query
	view     search.Expr // of the matches
	wanted   search.Expr // the query itself
	// sent are the parameters besides the patients, which stand in by.
	sent     url.Values
	by       string
	patients within
	// exact: what is sent says the view and the query completely, so that the count
	// of the upstream is the count of what is seen.
	exact bool
}

// empty: nothing of this is in the view, whatever the upstream holds.
func (p *plan) empty() bool { return p.view == nil || p.patients.nobody() }

// plan makes the plan of a search, or refuses with a sentence that says what to do.
func (b *Backend) plan(ctx context.Context, d access.Decision, q search.Query) (*plan, error) {
	if err := unverifiable(q); err != nil {
		return nil, err
	}
	p := &plan{decision: d, query: q, view: d.View(q.Type), wanted: q.Expr(), sent: url.Values{}, exact: true}
	p.patients = boundOf(p.view)
	if p.view == nil {
		return p, nil
	}
	s, err := b.states.get(ctx)
	if err != nil {
		return nil, err
	}
	if !s.searches(q.Type) {
		return nil, refused("", "The server that holds the records does not search %s. Read single resources by their ids.", q.Type)
	}
	for _, step := range []func(*statement) error{p.clauses, p.compartment, p.constraints, p.order, p.joins} {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	return p, p.narrow(ctx, b, s)
}

// clauses are the conditions of the query. Those on whom a resource is about become
// part of the narrowing; nobody else is ever named to the upstream by them.
func (p *plan) clauses(s *statement) error {
	own := spellings(p.query.Type)
	for _, c := range p.query.Where {
		code := c.Parameter.Code
		if slices.Contains(own, code) && !p.patients.anybody {
			named, plain := namedBy(c)
			if !plain {
				return refused(code, "The modifier :%s is not offered for %s on this server. Name the patients, or leave the parameter out: results are of those whom the access reaches.", c.Modifier, code)
			}
			if !severalPrimaries[p.query.Type] {
				p.patients = p.patients.and(named)
				continue
			}
		}
		if !s.declares(p.query.Type, code) {
			return refused(code, "The server that holds the records does not search %s by %s. Leave it out, and choose from what comes back.", p.query.Type, code)
		}
		p.send(c)
	}
	return nil
}

func (p *plan) send(c search.Clause) {
	name, value := wording(c)
	p.sent.Add(name, value)
}

// compartment is the root of a compartment search: a patient narrows, any other root
// is one reference.
func (p *plan) compartment(s *statement) error {
	if p.query.Within == nil {
		return nil
	}
	p.patients = p.patients.and(boundOf(p.query.Within))
	list, whole := conditions(p.query.Within)
	for _, c := range list {
		whole = whole && s.declares(p.query.Type, c.Parameter.Code)
	}
	switch {
	case whole:
		for _, c := range list {
			p.send(c)
		}
	case p.patients.anybody:
		return refused("", "This compartment cannot be searched on this server. Search %s by the parameter that points to the root.", p.query.Type)
	default:
		p.exact = false
	}
	return nil
}

// constraints are the conditions of granular scopes. What cannot be said is left to
// the verification (RSG-11).
func (p *plan) constraints(s *statement) error {
	list, whole := conditions(p.view)
	for _, c := range list {
		if !s.declares(p.query.Type, c.Parameter.Code) {
			whole = false
			continue
		}
		p.send(c)
	}
	p.exact = p.exact && whole
	return nil
}

func (p *plan) order(s *statement) error {
	var keys []string
	for _, k := range p.query.Sort {
		if !s.declares(p.query.Type, k.Parameter.Code) {
			return refused("_sort", "The server that holds the records does not sort %s by %s. Sort what comes back.", p.query.Type, k.Parameter.Code)
		}
		key := k.Parameter.Code
		if k.Descending {
			key = "-" + key
		}
		keys = append(keys, key)
	}
	if len(keys) > 0 {
		p.sent.Set("_sort", strings.Join(keys, ","))
	}
	return nil
}

// joins are resolved by searches of our own, which need their parameters.
func (p *plan) joins(s *statement) error {
	for _, i := range p.query.RevInclude {
		if !s.searches(i.Source) || !s.declares(i.Source, i.Parameter.Code) {
			return refused("_revinclude", "The server that holds the records does not search %s by %s, so it cannot come along.", i.Source, i.Parameter.Code)
		}
	}
	return nil
}

// narrow chooses how the patients of the view are said.
func (p *plan) narrow(ctx context.Context, b *Backend, s *statement) error {
	t := p.query.Type
	if p.patients.anybody || p.empty() {
		return nil
	}
	if compartment.DerivationOf(t) != compartment.None {
		p.exact = false
		return p.derived(ctx, b, s)
	}
	p.exact = p.exact && !severalPrimaries[t]
	var ok bool
	if p.by, ok = parameterOf(s, t); !ok {
		return refused("", "The server that holds the records cannot search %s by patient. Read single resources by their ids.", t)
	}
	if p.patients.ids.Len() > maxNamed && len(p.query.Sort) > 0 {
		return refused("_sort", "This access reaches more than %d patients, and their records cannot be sorted together here. Name the patient, or leave _sort out.", maxNamed)
	}
	return nil
}

// portion are the patients that one request names: those that come after one, in the
// order of their ids. last: the end of the portion; more: another one follows.
func (p *plan) portion(after string) (ids []string, last string, more bool) {
	if p.by == "" {
		return nil, "", false
	}
	all := p.patients.ids.List()
	start, found := slices.BinarySearch(all, after)
	if found {
		start++
	}
	size := maxPortion
	if len(p.query.Sort) > 0 {
		size = maxNamed
	}
	end := min(start+size, len(all))
	if start == end {
		return nil, "", false
	}
	return all[start:end], all[end-1], end < len(all)
}

// text is the query that is sent for a portion of the patients.
func (p *plan) text(ids []string, count int) string {
	values := url.Values{}
	for name, list := range p.sent {
		values[name] = slices.Clone(list)
	}
	if p.by != "" {
		values.Add(p.by, naming(p.by, "Patient", ids))
	}
	values.Set("_count", strconv.Itoa(min(count, maxPage)))
	return values.Encode()
}

// naming is a list of resources as the value of a parameter.
func naming(code string, t fhir.ResourceType, ids []string) string {
	if code == "_id" {
		return strings.Join(ids, ",")
	}
	prefix := string(t) + "/"
	return prefix + strings.Join(ids, ","+prefix)
}
