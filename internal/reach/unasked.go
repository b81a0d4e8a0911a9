package reach

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Question is a search that names patients of somebody.
type Question struct {
	Type      fhir.ResourceType
	Parameter string
}

// Questions are all that the sources ask of the records. Where another server holds
// them and does not answer one, nobody is reached by it.
func Questions() []Question {
	return []Question{
		{"PractitionerRole", "practitioner"}, {"Group", "managing-entity"}, {"Patient", "general-practitioner"}, {"CareTeam", "participant"},
		{"Group", "_id"}, {"Patient", "organization"}, {"Encounter", "participant"}, {"Encounter", "date"}, {"PractitionerRole", "_id"},
	}
}

// unasked reports whether the records cannot be searched in this way.
func unasked(err error) bool {
	var refused *fhir.OperationOutcome
	return errors.As(err, &refused) && refused.Code == "not-supported"
}

// show searches for what a person looks at: unsorted where it cannot be sorted, and
// what cannot be asked finds nobody.
func (r *Resolver) show(ctx context.Context, d access.Decision, q search.Query) (fhirstore.Page, error) {
	page, err := r.deps.Backend.Search(ctx, d, q)
	if unasked(err) && len(q.Sort) > 0 {
		q.Sort = nil
		page, err = r.deps.Backend.Search(ctx, d, q)
	}
	if unasked(err) {
		return fhirstore.Page{}, nil
	}
	return page, err
}
