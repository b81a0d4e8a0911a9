package search

import (
	"slices"
	"strings"
)

// Categories are names of kinds of sensitive content, in order and each once. The zero
// value is none.
type Categories struct{ names []string }

// NewCategories makes a set.
func NewCategories(names ...string) Categories {
	list := slices.Clone(names)
	slices.Sort(list)
	return Categories{slices.Compact(list)}
}

// List returns the names, sorted; do not change it.
func (c Categories) List() []string { return c.names }

// Len is how many there are.
func (c Categories) Len() int { return len(c.names) }

// Contains reports membership.
func (c Categories) Contains(name string) bool {
	_, found := slices.BinarySearch(c.names, name)
	return found
}

// Equal reports whether two sets hold the same names.
func (c Categories) Equal(o Categories) bool { return slices.Equal(c.names, o.names) }

// Sensitivity is which categories of sensitive content a resource holds, by its content
// and by what it derives from. The zero value says that nobody has looked.
type Sensitivity struct {
	looked bool
	of     Categories
}

// Classified is the sensitivity of what was looked at.
func Classified(names ...string) Sensitivity { return Sensitivity{true, NewCategories(names...)} }

// Looked reports whether somebody has looked.
func (s Sensitivity) Looked() bool { return s.looked }

// Of are the categories, if somebody has looked.
func (s Sensitivity) Of() Categories { return s.of }

// Equal reports whether two say the same.
func (s Sensitivity) Equal(o Sensitivity) bool { return s.looked == o.looked && s.of.Equal(o.of) }

// Free reports whether a resource is known to hold none of some categories. What nobody
// has looked at is free of nothing.
func (s Sensitivity) Free(of Categories) bool {
	if of.Len() == 0 {
		return true
	}
	return s.looked && !slices.ContainsFunc(s.of.names, of.Contains)
}

// And is the sensitivity of what derives from both: nobody has looked at it unless
// somebody has at each.
func (s Sensitivity) And(o Sensitivity) Sensitivity {
	switch {
	case !s.looked || !o.looked:
		return Sensitivity{}
	case s.of.Len() == 0:
		return o
	case o.of.Len() == 0:
		return s
	}
	return Classified(slices.Concat(s.of.names, o.of.names)...)
}

// unlooked is the text of the zero value.
const unlooked = "?"

// String is the sensitivity as a store keeps it: each name between blanks, nothing when
// there is none, a question mark when nobody has looked. Names hold no blanks.
func (s Sensitivity) String() string {
	switch {
	case !s.looked:
		return unlooked
	case s.of.Len() == 0:
		return ""
	}
	return " " + strings.Join(s.of.names, "  ") + " "
}

// ReadSensitivity reads what String writes.
func ReadSensitivity(text string) Sensitivity {
	if text == unlooked {
		return Sensitivity{}
	}
	return Classified(strings.Fields(text)...)
}

// Cleared matches resources that are free of what is withheld. The record of one patient,
// and of nobody else beside them, may have other categories withheld than the rest.
type Cleared struct {
	Withheld Categories
	// Own is that patient, a bare id; empty: there is none.
	Own         string
	OwnWithheld Categories
}

func (Cleared) isExpr() {}

func (c Cleared) clears(o Owners) bool {
	if c.Own != "" && len(o.Required) == 1 && o.Required[0] == c.Own {
		return o.Sensitivity.Free(c.OwnWithheld)
	}
	return o.Sensitivity.Free(c.Withheld)
}
