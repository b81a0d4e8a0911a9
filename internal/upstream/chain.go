package upstream

import (
	"context"
	"net/url"
	"slices"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// chained has the one chain that can be verified made a list of patients (row 40 of the
// leak catalogue): from the element that says whom a resource is about to what holds for
// the patient. Which patients those are is a search of its own, under the same decision
// and verified like any other, so that nobody else is looked at. Every other join stays,
// and is refused. none: no patient in the view fulfils it.
func (b *Backend) chained(ctx context.Context, d access.Decision, q search.Query) (plain search.Query, none bool, err error) {
	var heads []search.Chain
	for _, j := range q.Joins {
		c, ok := toPatient(q.Type, j.Expr())
		if !ok {
			return q, false, nil
		}
		heads = append(heads, c)
	}
	plain = q
	plain.Joins, plain.Where = nil, slices.Clone(q.Where)
	for _, c := range heads {
		ids, err := b.patients(ctx, d, c)
		if err != nil || len(ids) == 0 {
			return plain, true, err
		}
		named, err := search.Parse(q.Type, url.Values{c.Parameter.Code: {naming(c.Parameter.Code, "Patient", ids)}}, b.deps.Base)
		if err != nil {
			return plain, false, err
		}
		plain.Where = append(plain.Where, named.Where...)
	}
	return plain, false, nil
}

// toPatient reads a join as that chain: one link to a Patient, one condition.
func toPatient(t fhir.ResourceType, e search.Expr) (search.Chain, bool) {
	if some, ok := e.(search.Or); ok && len(some) == 1 {
		e = some[0]
	}
	c, ok := e.(search.Chain)
	if !ok || c.Target != "Patient" || derives(t) || severalPrimaries[t] || t == "Patient" || !slices.Contains(spellings(t), c.Parameter.Code) {
		return c, false
	}
	_, one := c.That.(search.Holds)
	return c, one
}

// patients are the ids of those in the view for whom the condition of a chain holds.
func (b *Backend) patients(ctx context.Context, d access.Decision, c search.Chain) ([]string, error) {
	holds, _ := c.That.(search.Holds)
	q := search.Query{Type: "Patient", Where: []search.Clause{holds.Clause}, Count: maxPortion, Total: search.TotalNone}
	var ids []string
	for range maxRefill {
		page, err := b.Search(ctx, d, q)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Matches {
			ids = append(ids, m.Resource.ID())
		}
		if page.Next == "" {
			return ids, nil
		}
		if q.Cursor = page.Next; len(ids) > maxPortion {
			break
		}
	}
	return nil, refused(c.Parameter.Code, "The chain leads to more than %d patients. Search Patient first, and name those that are meant.", maxPortion)
}

// nothing is a page without matches.
func nothing(q search.Query) fhirstore.Page {
	return fhirstore.Page{HasTotal: q.Total != search.TotalNone && q.Cursor == ""}
}
