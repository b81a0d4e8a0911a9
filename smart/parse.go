package smart

import (
	"errors"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// ErrScope: the text is not a clinical scope that is understood as a whole.
var ErrScope = errors.New("smart: not a scope this server understands")

// maxScope bounds one scope, in bytes.
const maxScope = 1024

// ParseScope reads one clinical scope; what is not understood as a whole is
// ErrScope. Texts are case-sensitive.
func ParseScope(text string) (Scope, error) {
	if !scopeCharacters(text) {
		return Scope{}, ErrScope
	}
	return parseScope(text)
}

// parseScope reads a scope whose characters were checked.
func parseScope(text string) (Scope, error) {
	level, rest, ok := strings.Cut(text, "/")
	if !ok || len(text) > maxScope {
		return Scope{}, ErrScope
	}
	head, query, constrained := strings.Cut(rest, "?")
	name, word, ok := strings.Cut(head, ".")
	if !ok {
		return Scope{}, ErrScope
	}
	s := Scope{text: text}
	if s.level, ok = parseLevel(level); !ok {
		return Scope{}, ErrScope
	}
	if s.kind, ok = parseType(name); !ok {
		return Scope{}, ErrScope
	}
	if s.permissions, s.version1, ok = parsePermissions(word); !ok {
		return Scope{}, ErrScope
	}
	if constrained {
		return s.constrain(query)
	}
	return s, nil
}

func parseLevel(text string) (Level, bool) {
	switch l := Level(text); l {
	case LevelPatient, LevelUser, LevelSystem:
		return l, true
	}
	return "", false
}

// parseType: a type of FHIR R4 or the wildcard (SCOPE-04).
func parseType(text string) (fhir.ResourceType, bool) {
	if text == string(AnyType) {
		return AnyType, true
	}
	return fhir.ParseResourceType(text)
}

// parsePermissions reads the part after the dot. The words of version 1 are
// looked at as words, never as letters (SMART App Launch 2.2, scopes: scopes for
// requesting FHIR resources; SCOPE-07, SCOPE-08).
func parsePermissions(word string) (letters string, version1, ok bool) {
	switch word {
	case "read":
		return "rs", true, true
	case "write":
		return "cud", true, true
	case "*":
		return "cruds", true, true
	}
	return word, false, inOrder(word)
}

// inOrder: a non-empty subset of "cruds" in that order (SCOPE-05, SCOPE-06).
func inOrder(s string) bool {
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

// constrain adds the query; version 1 scopes have none.
func (s Scope) constrain(query string) (Scope, error) {
	if s.version1 {
		return Scope{}, ErrScope
	}
	t := s.kind
	if t == AnyType {
		t = "" // parameters that all types have
	}
	clauses, err := search.ParseScopeQuery(t, query)
	if err != nil {
		return Scope{}, ErrScope
	}
	s.query = clauses
	return s, nil
}

// scopeCharacters checks scope-token (RFC 6749 §3.3): visible ASCII without
// quote and backslash.
func scopeCharacters(s string) bool {
	for i := 0; i < len(s); i++ {
		if !scopeCharacter(s[i]) {
			return false
		}
	}
	return s != ""
}

func scopeCharacter(c byte) bool {
	return c > ' ' && c < 0x7f && c != '"' && c != '\\'
}
