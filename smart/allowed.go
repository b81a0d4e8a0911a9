package smart

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Allowed is what may be granted of a request, given what the client may ask for
// (SCOPE-45): scopes of the request that are registered, in its own words and
// order; in place of a wider one the parts of it that are registered. It is never
// wider than either, whichever is asked and whichever is registered.
func Allowed(requested, registered ScopeSet) ScopeSet {
	b := newBuilder(len(requested.texts))
	next := 0 // in clinical
	for _, text := range requested.texts {
		if name := nameOf(text); name != 0 {
			if registered.names&name != 0 {
				b.add(text)
			}
			continue
		}
		scope := requested.clinical[next]
		next++
		if registered.Covers(scope) {
			b.add(text)
			continue
		}
		for _, part := range partsOf(scope, registered) {
			b.add(part.text)
		}
	}
	return b.set
}

// partsOf is what registered scopes leave of a wider one; a part inside of
// another one is not told twice.
func partsOf(wide Scope, registered ScopeSet) []Scope {
	var parts []Scope
	for _, r := range registered.clinical {
		part, ok := intersect(wide, r)
		if !ok || slices.ContainsFunc(parts, func(p Scope) bool { return p.Covers(part) }) {
			continue
		}
		parts = slices.DeleteFunc(parts, func(p Scope) bool { return part.Covers(p) })
		parts = append(parts, part)
	}
	return parts
}

// intersect is what two scopes have in common, said as one scope in the manner of
// the first; false: nothing, or nothing that one scope can say.
func intersect(a, b Scope) (Scope, bool) {
	kind, ok := commonType(a.kind, b.kind)
	permissions := commonPermissions(a, b)
	if !ok || a.level != b.level || permissions == "" {
		return Scope{}, false
	}
	conditions, ok := both(a.query, b.query)
	if !ok {
		return Scope{}, false
	}
	text := Compose(a.level, kind, permissions, a.version1)
	if len(conditions) > 0 {
		text = Compose(a.level, kind, permissions, false) + "?" + strings.Join(conditions, "&")
	}
	scope, err := parseScope(text)
	return scope, err == nil
}

func commonType(a, b fhir.ResourceType) (fhir.ResourceType, bool) {
	if a == AnyType {
		return b, true
	}
	return a, a == b || b == AnyType
}

func commonPermissions(a, b Scope) string {
	var common []byte
	for i := 0; i < len(a.permissions); i++ {
		if b.Allows(a.permissions[i]) {
			common = append(common, a.permissions[i])
		}
	}
	return string(common)
}

// both writes the conditions of two queries together. Where both have one on the
// same parameter, the alternatives that they share remain; none: false, for a
// scope that asks for two values at once is not what anybody asked for.
func both(a, b []search.Clause) ([]string, bool) {
	switch {
	case within(a, b):
		return texts(a), true
	case within(b, a):
		return texts(b), true
	case repeats(a) || repeats(b):
		return nil, false
	}
	var list []string
	for _, c := range a {
		text := c.String()
		if at := slices.IndexFunc(b, sameParameter(c)); at >= 0 {
			if text = sharedAlternatives(c, b[at]); text == "" {
				return nil, false
			}
		}
		list = append(list, text)
	}
	for _, d := range b {
		if !slices.ContainsFunc(a, sameParameter(d)) {
			list = append(list, d.String())
		}
	}
	return list, true
}

func sameParameter(c search.Clause) func(search.Clause) bool {
	return func(d search.Clause) bool { return d.Parameter.Code == c.Parameter.Code }
}

func repeats(query []search.Clause) bool {
	for i, c := range query {
		if slices.ContainsFunc(query[:i], sameParameter(c)) {
			return true
		}
	}
	return false
}

func texts(query []search.Clause) []string {
	var list []string
	for _, c := range query {
		list = append(list, c.String())
	}
	return list
}

// sharedAlternatives are those of either clause that lie within one of the other;
// empty: none. A scope has no backslash, so commas separate and nothing else.
func sharedAlternatives(a, b search.Clause) string {
	var list []string
	for _, pair := range [2][2]search.Clause{{a, b}, {b, a}} {
		_, value, _ := strings.Cut(pair[0].String(), "=")
		for i, text := range strings.Split(value, ",") {
			if anyContains(pair[1], pair[0].Operands[i]) && !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
	}
	if len(list) == 0 {
		return ""
	}
	return a.Parameter.Code + "=" + strings.Join(list, ",")
}
