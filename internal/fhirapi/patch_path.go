package fhirapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/emberlatch/emberlatch/fhir"
	pathpatch "github.com/emberlatch/emberlatch/fhir/patch"
)

// maxOperations bounds a FHIRPath Patch, whose resource is read again for each.
const maxOperations = 100

// pathPatch reads a FHIRPath Patch (FHIR R4 fhirpatch): Parameters with operations.
func pathPatch(b []byte) (edit, error) {
	parameters, err := parsed(b)
	if err != nil {
		return nil, err
	}
	if err := sound(parameters); err != nil {
		return nil, err
	}
	p, err := pathpatch.Parse(parameters)
	if err != nil {
		return nil, asStructure(err)
	}
	if p.Len() > maxOperations {
		return nil, outcome(http.StatusRequestEntityTooLarge, "too-costly", fmt.Sprintf("A patch has at most %d operations.", maxOperations))
	}
	return func(current fhir.Resource) (fhir.Resource, error) {
		var spent effort
		for n, operation := range p.Operations() {
			if err := spent.on(current.JSON()); err != nil {
				return fhir.Resource{}, err
			}
			changed, err := operated(operation, current)
			if err != nil {
				return fhir.Resource{}, unapplied(err).About(fmt.Sprintf("Parameters.parameter[%d]", n))
			}
			current = changed
		}
		return current, nil
	}, nil
}

// operated makes one operation.
func operated(o pathpatch.Operation, current fhir.Resource) (fhir.Resource, error) {
	said, err := o.Steps(current)
	if err != nil || len(said) == 0 {
		return current, err
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(said); err != nil {
		return current, err
	}
	steps, err := jsonpatch.DecodePatch(b.Bytes())
	if err != nil {
		return current, err
	}
	changed, err := applied(steps, current.JSON())
	if err != nil {
		return current, err
	}
	return fhir.ParseResource(changed)
}

// unapplied says why an operation does not apply.
func unapplied(err error) *fhir.OperationOutcome {
	why := "it would leave no resource of this type"
	var failure *pathpatch.Failure
	if errors.As(err, &failure) {
		why = failure.Why
	}
	return newOutcome(http.StatusUnprocessableEntity, "processing", "The patch does not apply: "+why+".")
}
