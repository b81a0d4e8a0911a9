package fhir

import (
	"slices"
	"strings"
)

// ResourceType is the name of an R4 resource type, such as "Patient".
type ResourceType string

// ParseResourceType accepts the concrete resource types of R4, case-sensitively.
func ParseResourceType(s string) (ResourceType, bool) {
	t, found := typesByName[s]
	return t, found
}

// typesByName has the names of the table, so that a type holds nothing of a document.
var typesByName = func() map[string]ResourceType {
	all := make(map[string]ResourceType, len(resourceTypes))
	for _, t := range resourceTypes {
		all[string(t)] = t
	}
	return all
}()

// ResourceTypes returns all concrete R4 resource types in alphabetical order.
func ResourceTypes() []ResourceType { return slices.Clone(resourceTypes) }

// ValidID reports whether s is a logical id (FHIR R4 datatypes §2.24.0.1: id).
// "." and ".." are refused because they mean something else in paths.
func ValidID(s string) bool {
	if len(s) == 0 || len(s) > 64 || s == "." || s == ".." {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

// Reference is a local literal reference to a resource of this server.
type Reference struct {
	Type    ResourceType
	ID      string
	Version string // empty: the current version
}

// String prints Type/id or Type/id/_history/version.
func (r Reference) String() string {
	if r.Version == "" {
		return string(r.Type) + "/" + r.ID
	}
	return string(r.Type) + "/" + r.ID + "/_history/" + r.Version
}

// ParseReference reads a local literal reference: relative, or absolute under
// base (which may be empty). A reference to another server, to a contained
// resource, by identifier or by query is not local: false (FHIR R4 references
// §2.3.0.2).
func ParseReference(s, base string) (Reference, bool) {
	if base != "" {
		if rest, ok := strings.CutPrefix(s, base); ok {
			if s, ok = strings.CutPrefix(rest, "/"); !ok {
				return Reference{}, false
			}
		}
	}
	name, rest, ok := strings.Cut(s, "/")
	if !ok {
		return Reference{}, false
	}
	t, known := ParseResourceType(name)
	if !known {
		return Reference{}, false
	}
	id, version, versioned := strings.Cut(rest, "/_history/")
	if !ValidID(id) || versioned && !ValidID(version) {
		return Reference{}, false
	}
	return Reference{t, id, version}, true
}
