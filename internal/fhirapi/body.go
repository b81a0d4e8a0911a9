package fhirapi

import (
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/structure"
)

// maxResource bounds a body with a resource, in bytes.
const maxResource = 4 << 20

// body reads what was sent, if it is of one of the media types.
func body(r *http.Request, media ...string) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	known := err == nil && (params["charset"] == "" || isUTF8(params["charset"]))
	if known {
		known = false
		for _, m := range media {
			known = known || kind == m
		}
	}
	if !known {
		return nil, outcome(http.StatusUnsupportedMediaType, "not-supported", "Send the body as "+media[0]+" in UTF-8.")
	}
	if r.Header.Get("Content-Encoding") != "" {
		return nil, outcome(http.StatusUnsupportedMediaType, "not-supported", "Send the body without a Content-Encoding.")
	}
	b, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxResource))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, outcome(http.StatusRequestEntityTooLarge, "too-long", "The body is larger than 4 MB.")
	case err != nil:
		return nil, outcome(http.StatusBadRequest, "invalid", "The body could not be read.")
	}
	return b, nil
}

func isUTF8(charset string) bool { return charset == "utf-8" || charset == "UTF-8" }

// content reads the resource of a create or update: strict JSON, of the type and id
// in the path, built as R4 defines its type (rows 77 and 78 of the leak catalogue).
func content(r *http.Request, i fhir.Interaction) (fhir.Resource, error) {
	b, err := body(r, "application/fhir+json", "application/json")
	if err != nil {
		return fhir.Resource{}, err
	}
	c, err := parsed(b)
	if err != nil {
		return fhir.Resource{}, err
	}
	return c, fits(c, i)
}

// parsed reads JSON strictly.
func parsed(b []byte) (fhir.Resource, error) {
	content, err := fhir.ParseResource(b)
	return content, asStructure(err)
}

// asStructure tells where something is not what was expected.
func asStructure(err error) error {
	var faulty *fhir.ParseError
	if errors.As(err, &faulty) {
		return newOutcome(http.StatusBadRequest, "structure", "Expected "+faulty.Expected+".").About(faulty.Path)
	}
	return err
}

// fits: a resource is what the request line says, and sound.
func fits(content fhir.Resource, i fhir.Interaction) error {
	switch {
	case content.Type() != i.Type:
		return newOutcome(http.StatusBadRequest, "invalid", "The resource is not of the type in the URL.").About("resourceType")
	case i.ID != "" && content.ID() != i.ID:
		return newOutcome(http.StatusBadRequest, "invalid", "The resource needs the id that is in the URL.").About(string(i.Type) + ".id")
	}
	return sound(content)
}

// sound: a resource is built as its type is defined.
func sound(content fhir.Resource) error {
	if all := issues(structure.Check(content)); all != nil {
		return all
	}
	return nil
}

// issues tells all findings; nil: there are none.
func issues(findings []structure.Finding) *fhir.OperationOutcome {
	var first *fhir.OperationOutcome
	for _, f := range findings {
		issue := newOutcome(http.StatusBadRequest, "structure", "Expected "+f.Expected+".").About(f.Path)
		if first == nil {
			first = issue
		} else {
			first.More = append(first.More, issue)
		}
	}
	return first
}
