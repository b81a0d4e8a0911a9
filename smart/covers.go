package smart

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir/search"
)

// Covers reports whether everything that o allows is allowed by s alone: the
// same level, the type or a wildcard, at least its permissions, and no condition
// that o does not have as well (RT-08). No level covers another one.
func (s Scope) Covers(o Scope) bool {
	if !s.reaches(o) {
		return false
	}
	for i := 0; i < len(o.permissions); i++ {
		if !s.Allows(o.permissions[i]) {
			return false
		}
	}
	return true
}

// reaches is Covers without the permissions.
func (s Scope) reaches(o Scope) bool {
	return s.level != "" && s.level == o.level && (s.kind == o.kind || s.kind == AnyType) && within(o.query, s.query)
}

// within reports whether whatever fulfils the narrow query fulfils the wide one:
// each of its conditions follows from one of the narrow query.
func within(narrow, wide []search.Clause) bool {
	for _, c := range wide {
		if !slices.ContainsFunc(narrow, func(d search.Clause) bool { return implies(d, c) }) {
			return false
		}
	}
	return true
}

// implies reports whether whatever fulfils d fulfils c: a condition on the same
// parameter, each alternative of which is within one of c. Scope queries have no
// modifiers.
func implies(d, c search.Clause) bool {
	if d.Parameter.Code != c.Parameter.Code {
		return false
	}
	for _, o := range d.Operands {
		if !anyContains(c, o) {
			return false
		}
	}
	return true
}

func anyContains(c search.Clause, o search.Operand) bool {
	return slices.ContainsFunc(c.Operands, func(wide search.Operand) bool {
		return wide == o || c.Parameter.Type == search.TypeToken && tokenContains(wide, o)
	})
}

// tokenContains: a code without system stands for that code of any system, and a
// system without code for all of its codes (FHIR R4 search §3.1.1.4.10).
func tokenContains(wide, o search.Operand) bool {
	switch {
	case !wide.HasSystem:
		return o.HasCode && wide.Code == o.Code
	case !wide.HasCode:
		return o.HasSystem && wide.System == o.System
	}
	return false
}
