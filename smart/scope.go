package smart

import (
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Level is who a scope is about.
type Level string

// The levels of clinical scopes. The zero value is none.
const (
	LevelPatient Level = "patient" // the patient in context
	LevelUser    Level = "user"    // whatever the user may see
	LevelSystem  Level = "system"  // whatever the client may see
)

// AnyType is the wildcard type of a scope.
const AnyType fhir.ResourceType = "*"

// Scope is one clinical scope that was understood as a whole; ParseScope makes
// it. The zero value grants nothing. It is immutable.
type Scope struct {
	level       Level
	kind        fhir.ResourceType
	permissions string // subset of "cruds", in order
	version1    bool
	query       []search.Clause
	text        string
}

// Level is patient, user or system.
func (s Scope) Level() Level { return s.level }

// Type is a resource type, or AnyType.
func (s Scope) Type() fhir.ResourceType { return s.kind }

// Permissions is the subset of "cruds" that the scope allows, in that order;
// version 1 scopes are told in these letters too.
func (s Scope) Permissions() string { return s.permissions }

// Version1 reports whether the scope was written as read, write or *.
func (s Scope) Version1() bool { return s.version1 }

// Query is the constraint: all clauses must hold. Empty: none. Do not change it.
func (s Scope) Query() []search.Clause { return s.query }

// String is the scope as it came.
func (s Scope) String() string { return s.text }

// IsZero reports whether s is no scope.
func (s Scope) IsZero() bool { return s.level == "" }

// Allows reports whether the scope has a permission: one of 'c','r','u','d','s'.
func (s Scope) Allows(permission byte) bool {
	return strings.IndexByte(s.permissions, permission) >= 0
}

// Concerns reports whether the scope is about a type.
func (s Scope) Concerns(t fhir.ResourceType) bool {
	return t != "" && (s.kind == t || s.kind == AnyType)
}

// Compose writes a scope without constraint. Permissions that version 1 has a
// word for are written so when version1 is set (SCOPE-10).
func Compose(l Level, t fhir.ResourceType, permissions string, version1 bool) string {
	word := permissions
	if version1 {
		switch permissions {
		case "rs":
			word = "read"
		case "cud":
			word = "write"
		case "cruds":
			word = "*"
		}
	}
	return string(l) + "/" + string(t) + "." + word
}
