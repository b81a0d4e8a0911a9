package fhir

import (
	"net/http"
	"strings"
)

// InteractionCode is FHIR's own code for what a request does
// (CapabilityStatement.rest.resource.interaction).
type InteractionCode string

// The interactions of FHIR R4 http. The zero value is none.
const (
	Read            InteractionCode = "read"
	VRead           InteractionCode = "vread"
	Update          InteractionCode = "update"
	Patch           InteractionCode = "patch"
	Delete          InteractionCode = "delete"
	Create          InteractionCode = "create"
	SearchType      InteractionCode = "search-type"
	SearchSystem    InteractionCode = "search-system"
	HistoryInstance InteractionCode = "history-instance"
	HistoryType     InteractionCode = "history-type"
	HistorySystem   InteractionCode = "history-system"
	Batch           InteractionCode = "batch" // a transaction too; the body tells
	Capabilities    InteractionCode = "capabilities"
	Operation       InteractionCode = "operation"
)

// Interaction is a request line that was understood.
type Interaction struct {
	Code    InteractionCode
	Type    ResourceType // of the result; empty at system level
	ID      string
	Version string
	// Compartment is the root of a compartment search, Patient/x/Observation.
	Compartment Reference
	// Operation is the name after "$".
	Operation string
}

// Letter is the SMART permission the interaction needs (SMART App Launch 2.2,
// scopes §4): c, r, u, d or s; 0 for those that no scope covers.
func (i Interaction) Letter() byte {
	switch i.Code {
	case Read, VRead, HistoryInstance:
		return 'r'
	case SearchType, SearchSystem, HistoryType, HistorySystem:
		return 's'
	case Create:
		return 'c'
	case Update, Patch:
		return 'u'
	case Delete:
		return 'd'
	}
	return 0
}

// errNoRoute is the answer for paths that mean nothing, never a redirect.
func errNoRoute() error {
	return &OperationOutcome{Status: http.StatusNotFound, Severity: "error", Code: "not-found", Text: "There is no such path on this FHIR server."}
}

func errMethod(method string) error {
	return &OperationOutcome{Status: http.StatusMethodNotAllowed, Severity: "error", Code: "not-supported",
		Text: "The method " + printable(method) + " has no meaning for this path."}
}

func printable(s string) string {
	if len(s) > 16 || strings.ContainsFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		return "of this request"
	}
	return s
}

// ParseInteraction reads method and escaped path below the FHIR base
// ("/Observation/1"). The path is split as it stands: nothing is cleaned,
// decoded or folded; a segment that is not a type, an id, _history, _search or
// $name means 404. HEAD counts as GET. Errors are *OperationOutcome.
func ParseInteraction(method, escapedPath string) (Interaction, error) {
	rest, ok := strings.CutPrefix(escapedPath, "/")
	if !ok && escapedPath != "" {
		return Interaction{}, errNoRoute()
	}
	if rest == "" {
		return systemLevel(method)
	}
	segments := strings.Split(rest, "/")
	if method == http.MethodHead {
		method = http.MethodGet
	}
	switch segments[0] {
	case "_history", "_search", "metadata":
		return systemName(method, segments)
	}
	if name, ok := operationName(segments[0]); ok && len(segments) == 1 {
		return Interaction{Code: Operation, Operation: name}, nil
	}
	t, known := ParseResourceType(segments[0])
	if !known {
		return Interaction{}, errNoRoute()
	}
	return typeLevel(method, t, segments[1:])
}

func systemLevel(method string) (Interaction, error) {
	switch method {
	case http.MethodGet, http.MethodHead:
		return Interaction{Code: SearchSystem}, nil
	case http.MethodPost:
		return Interaction{Code: Batch}, nil
	}
	return Interaction{}, errMethod(method)
}

func systemName(method string, segments []string) (Interaction, error) {
	if len(segments) != 1 {
		return Interaction{}, errNoRoute()
	}
	allowed := map[string]Interaction{
		"GET _history": {Code: HistorySystem}, "POST _search": {Code: SearchSystem}, "GET metadata": {Code: Capabilities},
	}
	if i, ok := allowed[method+" "+segments[0]]; ok {
		return i, nil
	}
	return Interaction{}, errMethod(method)
}

func typeLevel(method string, t ResourceType, rest []string) (Interaction, error) {
	if len(rest) == 0 {
		return oneOf(method, map[string]Interaction{
			http.MethodGet: {Code: SearchType, Type: t}, http.MethodPost: {Code: Create, Type: t},
			http.MethodPut: {Code: Update, Type: t}, http.MethodPatch: {Code: Patch, Type: t}, http.MethodDelete: {Code: Delete, Type: t},
		})
	}
	if len(rest) == 1 {
		switch name, isOperation := operationName(rest[0]); {
		case isOperation:
			return Interaction{Code: Operation, Type: t, Operation: name}, nil
		case rest[0] == "_search":
			return oneOf(method, map[string]Interaction{http.MethodPost: {Code: SearchType, Type: t}})
		case rest[0] == "_history":
			return oneOf(method, map[string]Interaction{http.MethodGet: {Code: HistoryType, Type: t}})
		}
	}
	if !ValidID(rest[0]) {
		return Interaction{}, errNoRoute()
	}
	return instanceLevel(method, Reference{Type: t, ID: rest[0]}, rest[1:])
}

func instanceLevel(method string, ref Reference, rest []string) (Interaction, error) {
	switch {
	case len(rest) == 0:
		return oneOf(method, map[string]Interaction{
			http.MethodGet: {Code: Read, Type: ref.Type, ID: ref.ID}, http.MethodPut: {Code: Update, Type: ref.Type, ID: ref.ID},
			http.MethodPatch: {Code: Patch, Type: ref.Type, ID: ref.ID}, http.MethodDelete: {Code: Delete, Type: ref.Type, ID: ref.ID},
		})
	case rest[0] == "_history" && len(rest) == 1:
		return oneOf(method, map[string]Interaction{http.MethodGet: {Code: HistoryInstance, Type: ref.Type, ID: ref.ID}})
	case rest[0] == "_history" && len(rest) == 2 && ValidID(rest[1]):
		return oneOf(method, map[string]Interaction{http.MethodGet: {Code: VRead, Type: ref.Type, ID: ref.ID, Version: rest[1]}})
	}
	if name, ok := operationName(rest[0]); ok && len(rest) == 1 {
		return Interaction{Code: Operation, Type: ref.Type, ID: ref.ID, Operation: name}, nil
	}
	t, known := ParseResourceType(rest[0])
	if !known || !compartmentRoots[ref.Type] {
		return Interaction{}, errNoRoute()
	}
	search := Interaction{Code: SearchType, Type: t, Compartment: ref}
	if len(rest) == 1 {
		return oneOf(method, map[string]Interaction{http.MethodGet: search})
	}
	if len(rest) == 2 && rest[1] == "_search" {
		return oneOf(method, map[string]Interaction{http.MethodPost: search})
	}
	return Interaction{}, errNoRoute()
}

// compartmentRoots are the types with a CompartmentDefinition in R4.
var compartmentRoots = map[ResourceType]bool{
	"Patient": true, "Encounter": true, "RelatedPerson": true, "Practitioner": true, "Device": true,
}

func oneOf(method string, allowed map[string]Interaction) (Interaction, error) {
	if i, ok := allowed[method]; ok {
		return i, nil
	}
	return Interaction{}, errMethod(method)
}

// operationName reads "$name": letters, digits and hyphens.
func operationName(segment string) (string, bool) {
	name, ok := strings.CutPrefix(segment, "$")
	if !ok || name == "" || len(name) > 64 {
		return "", false
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-') {
			return "", false
		}
	}
	return name, true
}
