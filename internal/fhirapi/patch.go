package fhirapi

import (
	"errors"
	"mime"
	"net/http"
	"slices"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/fhir"
)

const (
	maxPatchSteps = 1000
	mediaPatch    = "application/json-patch+json"
	mediaResource = "application/fhir+json" // of a FHIRPath Patch, which is Parameters
)

// edit makes the new version of a resource of the one that is current in the transaction.
type edit = func(current fhir.Resource) (fhir.Resource, error)

// patch reads a patch (FHIR R4 http §3.1.0.6), which is applied to the version that is
// current in the transaction. What comes of it is read as strictly as the body of an
// update, and judged as one.
func patch(r *http.Request, i fhir.Interaction) (edit, error) {
	b, err := body(r, mediaPatch, mediaResource)
	if err != nil {
		return nil, err
	}
	read := jsonPatch
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media == mediaResource {
		read = pathPatch
	}
	apply, err := read(b)
	if err != nil {
		return nil, err
	}
	return func(current fhir.Resource) (fhir.Resource, error) {
		changed, err := apply(current)
		if err == nil {
			err = keepsToIDs(current, changed)
		}
		if err != nil {
			return fhir.Resource{}, err
		}
		return changed, fits(changed, fhir.Interaction{Type: i.Type, ID: current.ID()})
	}, nil
}

// jsonPatch reads a JSON Patch (RFC 6902). A test compares numbers as they are written:
// 5.4 is less precise than 5.40 (R4 datatypes, decimal).
func jsonPatch(b []byte) (edit, error) {
	// Names that stand twice in a step would mean two things.
	if !jsontext.Value(b).IsValid() {
		return nil, badPatch()
	}
	steps, err := jsonpatch.DecodePatch(b)
	if err != nil || len(steps) == 0 || len(steps) > maxPatchSteps {
		return nil, badPatch()
	}
	for _, step := range steps {
		if tests(step) && !testable(step) {
			return nil, badPatch()
		}
	}
	return func(current fhir.Resource) (fhir.Resource, error) {
		changed, err := stepped(steps, current.JSON())
		var refused *fhir.OperationOutcome
		switch {
		case errors.As(err, &refused):
			return fhir.Resource{}, err
		case err != nil:
			return fhir.Resource{}, newOutcome(http.StatusUnprocessableEntity, "processing", "The patch does not apply: a path is not there, or a test does not hold.")
		}
		return parsed(changed)
	}, nil
}

func badPatch() error {
	return outcome(http.StatusBadRequest, "invalid", "The body is no JSON Patch (RFC 6902): a list of steps, each with op, path, and value or from.")
}

// stepped makes the steps of a JSON Patch, the tests among them on what the steps
// before them left.
func stepped(steps jsonpatch.Patch, resource []byte) ([]byte, error) {
	var spent effort
	for len(steps) > 0 {
		n := slices.IndexFunc(steps, tests)
		if n < 0 {
			n = len(steps)
		}
		if n > 0 {
			var err error
			if resource, err = applied(steps[:n], resource); err != nil {
				return nil, err
			}
			steps = steps[n:]
			continue
		}
		if err := spent.on(resource); err != nil {
			return nil, err
		}
		document, err := decoded(resource)
		if err != nil {
			return nil, err
		}
		for len(steps) > 0 && tests(steps[0]) {
			if !holds(steps[0], document) {
				return nil, errTest
			}
			steps = steps[1:]
		}
	}
	return resource, nil
}

// applied makes the steps of a JSON Patch on the bytes of a resource: what they do not
// touch stays as it is.
func applied(steps jsonpatch.Patch, resource []byte) ([]byte, error) {
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices = false // not of RFC 6901
	options.AccumulatedCopySizeLimit = maxResource
	options.EscapeHTML = false
	changed, err := steps.ApplyWithOptions(resource, options)
	if err == nil && len(changed) > maxResource {
		err = jsonpatch.NewAccumulatedCopySizeError(maxResource, int64(len(changed)))
	}
	return changed, err
}

// maxEffort bounds the bytes that are read again between the steps of a patch.
const maxEffort = 32 << 20

// effort is how many bytes were read again.
type effort int

// on counts a resource that is read.
func (e *effort) on(resource []byte) error {
	if *e += effort(len(resource)); *e > maxEffort {
		return outcome(http.StatusRequestEntityTooLarge, "too-costly", "The resource is too large for so many steps. Send an update.")
	}
	return nil
}
