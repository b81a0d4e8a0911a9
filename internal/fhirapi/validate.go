package fhirapi

import (
	"net/http"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

// validate answers Type/$validate for those who may create or change resources of the
// type: whether a resource is built as R4 defines it (FHIR R4 resource-operation-
// validate). Nothing is looked up, no reference followed, no profile fetched (row 90
// of the leak catalogue).
func (d *Door) validate(w http.ResponseWriter, r *http.Request, subject access.Subject, i fhir.Interaction) error {
	decision := access.Decide(subject, fhir.Interaction{Code: fhir.Create, Type: i.Type})
	if !decision.Allowed() {
		decision = access.Decide(subject, fhir.Interaction{Code: fhir.Update, Type: i.Type, ID: i.ID})
	}
	switch {
	case i.Type == "" || i.ID != "":
		return refused(access.Decide(subject, i))
	case !decision.Allowed():
		return refused(decision)
	case r.Method != http.MethodPost:
		return outcome(http.StatusMethodNotAllowed, "not-supported", "Send the resource by POST.")
	}
	values, err := parameters(r, false)
	if err != nil {
		return err
	}
	if err := negotiate(r, values); err != nil {
		return err
	}
	if len(values) > 0 {
		return outcome(http.StatusBadRequest, "not-supported", "Resources are checked against R4; no profile and no mode is looked at.")
	}
	b, err := body(r, "application/fhir+json", "application/json")
	if err != nil {
		return err
	}
	c, err := parsed(b)
	if err != nil {
		return err
	}
	if c.Type() != i.Type {
		return newOutcome(http.StatusBadRequest, "invalid", "The resource is not of the type in the URL.").About("resourceType")
	}
	writeJSON(w, http.StatusOK, verdict(structure.Check(c)).JSON())
	return nil
}

// verdict is the outcome of a validation.
func verdict(findings []structure.Finding) *fhir.OperationOutcome {
	all := issues(findings)
	if all == nil {
		return fhir.NewOutcome("information", "informational", "The resource is built as R4 defines its type.")
	}
	return all
}
