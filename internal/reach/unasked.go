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

// Questions are all that the sources ask of the records by some rules. Where another
// server holds them and does not answer one, nobody is reached by it.
func Questions(rules fhirstore.TieRules) []Question {
	list := []Question{
		{"PractitionerRole", "practitioner"}, {"Group", "managing-entity"}, {"Patient", "general-practitioner"}, {"CareTeam", "participant"},
		{"Group", "_id"}, {"Patient", "organization"},
	}
	if rules.Visits > 0 {
		list = append(list, Question{"Encounter", "participant"}, Question{"Encounter", "date"})
	}
	if rules.Organizations || len(rules.Roles) > 0 {
		list = append(list, Question{"PractitionerRole", "_id"})
	}
	if len(rules.Standing)+len(rules.Parents) > 0 {
		list = append(list, Question{"RelatedPerson", "_id"})
	}
	if len(rules.Parents) > 0 {
		list = append(list, Question{"Patient", "_id"})
	}
	return list
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
