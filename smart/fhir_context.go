package smart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/fhir"
)

// ErrFHIRContext: the text is not a fhirContext; what is wrong with it stands
// behind the colon.
var ErrFHIRContext = errors.New("smart: not a fhirContext")

// Bounds of a fhirContext: it travels in token responses.
const (
	maxFHIRContext     = 8 << 10 // bytes
	maxFHIRContextURIs = 1000    // bytes of one canonical or role
)

// RoleLaunch is the role of an item that names none, and the only role that the
// specification defines (SMART App Launch 2.2, scopes: fhirContext).
const RoleLaunch = "launch"

// ContextItem is a resource that an app is launched for, beside patient and
// encounter: at least one of Reference, Canonical and Identifier is set.
type ContextItem struct {
	Reference  string          `json:"reference,omitempty"` // Type/id
	Canonical  string          `json:"canonical,omitempty"`
	Identifier json.RawMessage `json:"identifier,omitempty"` // a FHIR Identifier
	Type       string          `json:"type,omitempty"`
	Role       string          `json:"role,omitempty"` // empty: RoleLaunch
}

// FHIRContext is the value of the fhirContext parameter; ParseFHIRContext makes it.
type FHIRContext []ContextItem

// ParseFHIRContext reads a JSON array of items and checks it as SMART App Launch
// 2.2 demands (CTX-22 to CTX-25). Members that the specification does not define
// are mistakes. Errors are ErrFHIRContext with a sentence for the developer.
func ParseFHIRContext(text []byte) (FHIRContext, error) {
	if len(text) > maxFHIRContext {
		return nil, wrongContext("it is longer than %d bytes", maxFHIRContext)
	}
	if !jsontext.Value(text).IsValid() { // doubled names are refused as well
		return nil, wrongContext("it is not well-formed JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	var items []struct {
		ContextItem
		Role *string `json:"role"` // told apart from one that is not there
	}
	if err := dec.Decode(&items); err != nil || len(items) == 0 {
		return nil, wrongContext("it is an array of objects with reference, canonical, identifier, type and role")
	}
	all := make(FHIRContext, 0, len(items))
	for i, item := range items {
		one := item.ContextItem
		if item.Role != nil {
			if one.Role = *item.Role; one.Role != RoleLaunch && !absolute(one.Role) {
				return nil, wrongContext("item %d: role is launch or an absolute URI", i)
			}
		}
		if err := one.check(i); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func wrongContext(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFHIRContext, fmt.Sprintf(format, args...))
}

// check is one rule after the other; Role was checked before.
func (c ContextItem) check(i int) error {
	reference, relative := fhir.ParseReference(c.Reference, "")
	_, known := fhir.ParseResourceType(c.Type)
	var identifier map[string]json.RawMessage
	switch {
	case c.Reference == "" && c.Canonical == "" && len(c.Identifier) == 0: // CTX-22
		return wrongContext("item %d: one of reference, canonical and identifier is needed", i)
	case c.Reference != "" && !relative: // CTX-23
		return wrongContext("item %d: reference is Type/id", i)
	case c.Canonical != "" && !absolute(c.Canonical):
		return wrongContext("item %d: canonical is an absolute URI", i)
	case len(c.Identifier) > 0 && (json.Unmarshal(c.Identifier, &identifier) != nil || len(identifier) == 0):
		return wrongContext("item %d: identifier is an Identifier", i)
	case c.Type != "" && !known, c.Type != "" && relative && c.Type != string(reference.Type):
		return wrongContext("item %d: type is the type of the resource", i)
	}
	// CTX-25: the patient and the encounter of the launch have members of their own.
	for _, t := range []string{string(reference.Type), c.Type} {
		if (t == "Patient" || t == "Encounter") && (c.Role == "" || c.Role == RoleLaunch) {
			return wrongContext("item %d: a %s needs a role of its own", i, t)
		}
	}
	return nil
}

func absolute(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.IsAbs() && len(uri) <= maxFHIRContextURIs
}

// References is the form of SMART App Launch 2.0.0: a list of references. Items
// without one cannot be said in it.
func (c FHIRContext) References() []string {
	var list []string
	for _, item := range c {
		if item.Reference != "" {
			list = append(list, item.Reference)
		}
	}
	return list
}
