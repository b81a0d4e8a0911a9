package fhirapi

import (
	"net/http"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/fhir"
)

const (
	maxPatchSteps = 1000
	mediaPatch    = "application/json-patch+json"
)

// patch reads a JSON Patch (FHIR R4 http §3.1.0.6.1; RFC 6902), which is applied to
// the version that is current in the transaction. What comes of it is read as strictly
// as the body of an update, and judged as one. A test compares numbers as they are
// written: 5.4 is less precise than 5.40 (R4 datatypes, decimal).
func patch(r *http.Request, i fhir.Interaction) (func(fhir.Resource) (fhir.Resource, error), error) {
	b, err := body(r, mediaPatch)
	if err != nil {
		return nil, err
	}
	// Names that stand twice in a step would mean two things.
	if !jsontext.Value(b).IsValid() {
		return nil, badPatch()
	}
	steps, err := jsonpatch.DecodePatch(b)
	if err != nil || len(steps) == 0 || len(steps) > maxPatchSteps {
		return nil, badPatch()
	}
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices = false // not of RFC 6901
	options.AccumulatedCopySizeLimit = maxResource
	options.EscapeHTML = false
	return func(current fhir.Resource) (fhir.Resource, error) {
		changed, err := steps.ApplyWithOptions(current.JSON(), options)
		if err != nil || len(changed) > maxResource {
			return fhir.Resource{}, newOutcome(http.StatusUnprocessableEntity, "processing", "The patch does not apply: a path is not there, or a test does not hold.")
		}
		c, err := parsed(changed)
		if err != nil {
			return fhir.Resource{}, err
		}
		return c, fits(c, fhir.Interaction{Type: i.Type, ID: current.ID()})
	}, nil
}

func badPatch() error {
	return outcome(http.StatusBadRequest, "invalid", "The body is no JSON Patch (RFC 6902): a list of steps, each with op, path, and value or from.")
}
