package fhirapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// criteria reads what a write is conditional on: If-None-Exist of a creation, the
// query of an update, patch or deletion without an id (FHIR R4 http §3.1.0.5.3,
// §3.1.0.7.1, §3.1.0.8.1). nil: it is not.
func (d *Door) criteria(r *http.Request, subject access.Subject, i fhir.Interaction, values url.Values) (*fhirstore.Condition, error) {
	if i.Code == fhir.Create || i.ID != "" {
		if len(values) > 0 {
			return nil, outcome(http.StatusBadRequest, "not-supported", "This request takes no parameters but _format and _pretty.")
		}
		list := r.Header.Values("If-None-Exist")
		switch {
		case len(list) == 0:
			return nil, nil //nolint:nilnil // no condition is no error
		case len(list) > 1:
			return nil, newOutcome(http.StatusBadRequest, "invalid", "Send this header once.").About("If-None-Exist")
		}
		var err error
		_, query, asURL := strings.Cut(list[0], "?")
		if !asURL {
			query = list[0]
		}
		if values, err = parseForm(query); err != nil {
			return nil, err
		}
	}
	if len(values) == 0 {
		return nil, outcome(http.StatusBadRequest, "required", "Name the resource in the URL, Type/id, or by criteria, Type?parameter=value.")
	}
	return d.condition(subject, i.Type, values)
}

// condition has criteria evaluated as a search of this subject would be, which needs
// the permission to search (RSX-05): whatever else there is changes nothing.
func (d *Door) condition(subject access.Subject, t fhir.ResourceType, values url.Values) (*fhirstore.Condition, error) {
	decision := access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: t})
	if !decision.Allowed() {
		return nil, refused(decision)
	}
	for name := range values {
		if code, _, _ := strings.Cut(name, ":"); strings.HasPrefix(code, "_") && code != "_id" && code != "_has" && code != "_list" && code != "_tag" && code != "_profile" && code != "_security" && code != "_lastUpdated" && code != "_source" {
			return nil, newOutcome(http.StatusBadRequest, "not-supported", "Criteria are parameters that resources fulfil; this one says how an answer looks.").About(name)
		}
	}
	query, err := search.Parse(t, values, d.deps.Base)
	if err != nil {
		return nil, err
	}
	if decision = decision.Traverse(query); !decision.Allowed() {
		return nil, refused(decision)
	}
	if len(query.Where)+len(query.Joins) == 0 {
		return nil, outcome(http.StatusBadRequest, "required", "The criteria ask nothing.")
	}
	return &fhirstore.Condition{Decision: decision, Query: query}, nil
}
