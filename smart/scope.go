package smart

import (
	"errors"
	"slices"
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

// ErrScope: the text is not a clinical scope that is understood as a whole.
var ErrScope = errors.New("smart: not a scope this server understands")

// maxScope bounds one scope, in bytes.
const maxScope = 1024

// Scope is one clinical scope. The zero value grants nothing.
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

// Permissions is the subset of "cruds" that the scope allows, in that order.
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
	return permission != 0 && strings.IndexByte(s.permissions, permission) >= 0
}

// Concerns reports whether the scope is about a type.
func (s Scope) Concerns(t fhir.ResourceType) bool {
	return s.kind == t && t != "" || s.kind == AnyType
}

// version1 permissions (SMART App Launch 1.0 scopes, and 2.2 for their meaning).
var version1 = map[string]string{"read": "rs", "write": "cud", "*": "cruds"}

// ParseScope reads one clinical scope; what is not understood as a whole is
// ErrScope. Texts are case-sensitive.
func ParseScope(text string) (Scope, error) {
	if len(text) > maxScope || !scopeCharacters(text) {
		return Scope{}, ErrScope
	}
	level, rest, ok := strings.Cut(text, "/")
	if !ok || level != string(LevelPatient) && level != string(LevelUser) && level != string(LevelSystem) {
		return Scope{}, ErrScope
	}
	head, query, constrained := strings.Cut(rest, "?")
	kind, permissions, ok := strings.Cut(head, ".")
	if !ok {
		return Scope{}, ErrScope
	}
	s := Scope{level: Level(level), kind: fhir.ResourceType(kind), text: text}
	if s.kind != AnyType {
		if _, known := fhir.ParseResourceType(kind); !known {
			return Scope{}, ErrScope
		}
	}
	if s.permissions, s.version1 = version1[permissions]; !s.version1 {
		if !validPermissions(permissions) {
			return Scope{}, ErrScope
		}
		s.permissions = permissions
	}
	if constrained {
		return s.constrain(query)
	}
	return s, nil
}

// constrain adds the query; version 1 scopes have none.
func (s Scope) constrain(query string) (Scope, error) {
	if s.version1 {
		return Scope{}, ErrScope
	}
	t := s.kind
	if t == AnyType {
		t = ""
	}
	clauses, err := search.ParseScopeQuery(t, query)
	if err != nil {
		return Scope{}, ErrScope
	}
	s.query = clauses
	return s, nil
}

// validPermissions: a non-empty subset of "cruds" in that order.
func validPermissions(s string) bool {
	const order = "cruds"
	next := 0
	for i := 0; i < len(s); i++ {
		at := strings.IndexByte(order[next:], s[i])
		if at < 0 {
			return false
		}
		next += at + 1
	}
	return s != ""
}

// scopeCharacters checks scope-token (RFC 6749 §3.3): visible ASCII without
// quote and backslash.
func scopeCharacters(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

// Covers reports whether everything that o allows is allowed by s: the same
// level, the type or a wildcard, at least its permissions, and no constraint
// that o does not have as well.
func (s Scope) Covers(o Scope) bool {
	if s.IsZero() || o.IsZero() || s.level != o.level || s.kind != o.kind && s.kind != AnyType {
		return false
	}
	for i := 0; i < len(o.permissions); i++ {
		if !s.Allows(o.permissions[i]) {
			return false
		}
	}
	for _, c := range s.query {
		if !slices.ContainsFunc(o.query, func(d search.Clause) bool { return c.String() == d.String() }) {
			return false
		}
	}
	return true
}
