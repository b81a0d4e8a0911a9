package fhirapi

import (
	"encoding/base64"
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
)

// patchEntry is the body of a patch in a Bundle, and its media type: a FHIRPath Patch is
// the resource of the entry, a JSON Patch is carried in a Binary (FHIR R4 http
// §3.1.0.6.4).
func patchEntry(resource []byte) (media string, body []byte, err error) {
	carrier, err := parsed(resource)
	if err != nil || carrier.Type() != "Binary" {
		return mediaResource, resource, err
	}
	if !carrier.Root().Member("contentType").Is(mediaPatch) {
		return "", nil, newOutcome(http.StatusBadRequest, "not-supported", "A patch in a Bundle is Parameters, or a Binary with the contentType "+mediaPatch+".").About("Binary.contentType")
	}
	body, err = base64.StdEncoding.DecodeString(carrier.Root().Member("data").Text())
	if err != nil {
		return "", nil, newOutcome(http.StatusBadRequest, "invalid", "The patch is carried in base64.").About("Binary.data")
	}
	return mediaPatch, body, nil
}

// keepsToIDs: a patch brings no reference by criteria, as a body brings none.
func keepsToIDs(before, after fhir.Resource) error {
	if searches(after) && !searches(before) {
		return byCriteria()
	}
	return nil
}

func byCriteria() error {
	return outcome(http.StatusBadRequest, "not-supported", "References by criteria are resolved in the content of a transaction only. Refer to Type/id.")
}
