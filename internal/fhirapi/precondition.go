package fhirapi

import (
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// unsupported are headers that would change what a write does, and are not looked
// at: ignoring one would do what its sender did not want (rows 67 and 71).
var unsupported = []string{"If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "X-Provenance", "If-None-Exist"}

// writeHeaders refuses them, and If-None-Exist where nothing is created.
func writeHeaders(r *http.Request, i fhir.Interaction) error {
	for _, name := range unsupported {
		if len(r.Header.Values(name)) > 0 && !(name == "If-None-Exist" && i.Code == fhir.Create) {
			return newOutcome(http.StatusBadRequest, "not-supported", "The header "+name+" is not supported here.").About(name)
		}
	}
	return nil
}

// ifMatch reads the version that must be current (FHIR R4 http §3.1.0.1.2); empty: any.
func ifMatch(r *http.Request) (string, error) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 || len(values) == 1 && values[0] == "*" {
		return "", nil
	}
	if len(values) == 1 {
		return versionOf(values[0])
	}
	return "", badMatch()
}

// versionOf reads an entity tag of ours.
func versionOf(tag string) (string, error) {
	tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
	if len(tag) > 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		if name := tag[1 : len(tag)-1]; fhir.ValidID(name) {
			return name, nil
		}
	}
	return "", badMatch()
}

func badMatch() error {
	return newOutcome(http.StatusBadRequest, "invalid", `Send the version as it came in ETag: If-Match: W/"1".`).About("If-Match")
}

// preference is what the answer to a write should hold (FHIR R4 http §3.1.0.1.7).
type preference string

const (
	wantRepresentation preference = "representation"
	wantMinimal        preference = "minimal"
	wantOutcome        preference = "OperationOutcome"
)

// prefer reads Prefer: return; what is not known is not preferred (RFC 7240 §2).
func prefer(r *http.Request) preference {
	for _, part := range strings.FieldsFunc(strings.Join(r.Header.Values("Prefer"), ","), func(c rune) bool { return c == ',' || c == ';' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "return") {
			continue
		}
		switch p := preference(strings.Trim(strings.TrimSpace(value), `"`)); p {
		case wantRepresentation, wantMinimal, wantOutcome:
			return p
		}
	}
	return wantRepresentation
}
