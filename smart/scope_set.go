package smart

import (
	"errors"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Names of scopes that are not clinical (SMART App Launch 2.2, scopes; OpenID
// Connect Core §3.1.2.1, §11).
const (
	OpenID          = "openid"
	FHIRUser        = "fhirUser"
	Profile         = "profile" // what SMART 1 clients ask for in place of fhirUser
	Launch          = "launch"
	LaunchPatient   = "launch/patient"
	LaunchEncounter = "launch/encounter"
	OfflineAccess   = "offline_access"
	OnlineAccess    = "online_access"
)

var names = []string{OpenID, FHIRUser, Profile, Launch, LaunchPatient, LaunchEncounter, OfflineAccess, OnlineAccess}

// maxScopes bounds the number of scopes of one set (SCOPE-48).
const maxScopes = 1000

// ErrScopes: the text is not a list of scopes separated by single spaces.
var ErrScopes = errors.New("smart: not a list of scopes")

// ScopeSet is a list of scopes without doubles, in the order in which they came.
// The zero value grants nothing.
type ScopeSet struct {
	texts    []string // understood ones
	clinical []Scope
	unknown  []string
}

// ParseScopes reads scopes separated by single spaces (RFC 6749 §3.3). Scopes
// that are not understood are kept as Unknown and grant nothing. ErrScopes when
// the text has other white space, characters that no scope may hold, or too
// many scopes.
func ParseScopes(text string) (ScopeSet, error) {
	if text == "" {
		return ScopeSet{}, ErrScopes
	}
	list := strings.Split(text, " ")
	if len(list) > maxScopes {
		return ScopeSet{}, ErrScopes
	}
	for _, s := range list {
		if !scopeCharacters(s) {
			return ScopeSet{}, ErrScopes
		}
	}
	return NewScopeSet(list), nil
}

// NewScopeSet makes a set of single scopes.
func NewScopeSet(list []string) ScopeSet {
	set := ScopeSet{texts: make([]string, 0, len(list))}
	seen := make(map[string]bool, len(list))
	for _, text := range list {
		if seen[text] || text == "" {
			continue
		}
		seen[text] = true
		if slices.Contains(names, text) {
			set.texts = append(set.texts, text)
			continue
		}
		scope, err := ParseScope(text)
		if err != nil {
			set.unknown = append(set.unknown, text)
			continue
		}
		set.texts = append(set.texts, text)
		set.clinical = append(set.clinical, scope)
	}
	return set
}

// Strings returns the scopes that are understood, as they came.
func (s ScopeSet) Strings() []string { return slices.Clone(s.texts) }

// String joins them with spaces.
func (s ScopeSet) String() string { return strings.Join(s.texts, " ") }

// IsEmpty reports whether nothing in the set is understood.
func (s ScopeSet) IsEmpty() bool { return len(s.texts) == 0 }

// Unknown returns the scopes that were not understood; they grant nothing.
func (s ScopeSet) Unknown() []string { return slices.Clone(s.unknown) }

// Clinical returns the clinical scopes; do not change the list.
func (s ScopeSet) Clinical() []Scope { return s.clinical }

// Has reports whether the set has a scope by its text.
func (s ScopeSet) Has(text string) bool { return slices.Contains(s.texts, text) }

// Covers reports whether one scope of the set covers o as a whole.
func (s ScopeSet) Covers(o Scope) bool {
	return slices.ContainsFunc(s.clinical, func(own Scope) bool { return own.Covers(o) })
}

// HasLevel reports whether some clinical scope is of the level.
func (s ScopeSet) HasLevel(l Level) bool {
	return slices.ContainsFunc(s.clinical, func(own Scope) bool { return own.level == l })
}

// Without returns the set without the scopes that drop names.
func (s ScopeSet) Without(drop func(text string) bool) ScopeSet {
	return NewScopeSet(slices.DeleteFunc(slices.Clone(s.texts), drop))
}

// Allowed is what may be granted of a request, given what the client may ask
// for (SCOPE-45): the scopes of the request that are registered, in its own
// words; for a wider request the registered scopes inside of it. Permissions that
// are not registered are taken away.
func Allowed(requested, registered ScopeSet) ScopeSet {
	var list []string
	for _, text := range requested.texts {
		scope, err := ParseScope(text)
		switch {
		case err != nil: // a name
			if registered.Has(text) {
				list = append(list, text)
			}
		case registered.Covers(scope):
			list = append(list, text)
		default:
			list = append(list, narrowed(scope, registered)...)
		}
	}
	return NewScopeSet(list)
}

// narrowed is what registered scopes leave of a wider one.
func narrowed(wide Scope, registered ScopeSet) []string {
	var list []string
	for _, r := range registered.clinical {
		if wide.Covers(r) {
			list = append(list, r.text)
			continue
		}
		if part, ok := intersect(wide, r); ok {
			list = append(list, part)
		}
	}
	return list
}

// intersect is the common part of two scopes of one level, when it can be said
// without joining two constraints.
func intersect(a, b Scope) (string, bool) {
	if a.level != b.level || len(a.query) > 0 && len(b.query) > 0 {
		return "", false
	}
	kind := a.kind
	if kind == AnyType {
		kind = b.kind
	}
	if kind != b.kind && b.kind != AnyType {
		return "", false
	}
	var both []byte
	for i := 0; i < len(a.permissions); i++ {
		if b.Allows(a.permissions[i]) {
			both = append(both, a.permissions[i])
		}
	}
	if len(both) == 0 {
		return "", false
	}
	text := Compose(a.level, kind, string(both), a.version1)
	for _, s := range []Scope{a, b} {
		if _, query, constrained := strings.Cut(s.text, "?"); constrained {
			text = Compose(a.level, kind, string(both), false) + "?" + query
		}
	}
	_, err := ParseScope(text)
	return text, err == nil
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
