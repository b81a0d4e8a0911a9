package upstream

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

const (
	// countPage is how many entries are asked for at once to count them.
	countPage = 500
	// maxCounted is how many are counted one by one.
	maxCounted = 2000
)

// count answers _summary=count and _total=accurate: entries are verified and counted.
// A count of the upstream is taken only when there are more than that, all of them
// were what was asked for, and the plan says the view exactly: one that ignores the
// question, or counts more widely than it answers, tells nothing (rows 12 and 46).
func (w *walk) count(ctx context.Context) (fhirstore.Page, error) {
	for n := 0; !w.done; n++ {
		if n < maxRefill && len(w.matches) < maxCounted {
			if err := w.step(ctx, countPage, maxCounted); err != nil {
				return fhirstore.Page{}, err
			}
			continue
		}
		if w.plan.exact && !w.strange && w.whole && w.first.given && w.first.matches > len(w.matches) {
			return fhirstore.Page{Total: w.first.matches, HasTotal: true}, nil
		}
		return fhirstore.Page{}, refused("_summary", "There is too much to count on this server. Ask for fewer, by date or by type, or count what comes back.")
	}
	return fhirstore.Page{Total: len(w.matches), HasTotal: true}, nil
}

// counted adds the total to a page that is not everything; what is too much to count
// has none.
func (w *walk) counted(ctx context.Context, page *fhirstore.Page) error {
	again := &walk{backend: w.backend, plan: w.plan, owners: w.owners, seen: map[string]bool{}}
	found, err := again.count(ctx)
	var refused *fhir.OperationOutcome
	if errors.As(err, &refused) {
		return nil
	}
	page.Total, page.HasTotal = found.Total, found.HasTotal
	return err
}
