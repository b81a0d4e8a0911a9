package smart

import (
	"errors"
	"slices"
	"strings"
)

// maxScopes bounds the number of scopes of one list (SCOPE-48).
const maxScopes = 1000

// ErrScopes: the text is not a list of scopes separated by single spaces.
var ErrScopes = errors.New("smart: not a list of scopes")

// ScopeSet is a list of scopes without doubles, in the order in which they came.
// It grants the union of what its scopes grant. The zero value grants nothing.
type ScopeSet struct {
	texts    []string // understood ones
	clinical []Scope  // those of them that are no names, in the same order
	unknown  []string
	names    nameSet
}

// ParseScopes reads scopes separated by single spaces (RFC 6749 §3.3). Scopes
// that are not understood are kept as Unknown and grant nothing. ErrScopes when
// the text has other white space, characters that no scope may hold, or too
// many scopes.
func ParseScopes(text string) (ScopeSet, error) {
	count := strings.Count(text, " ") + 1
	if count > maxScopes {
		return ScopeSet{}, ErrScopes
	}
	b := newBuilder(count)
	for more := true; more; {
		var one string
		one, text, more = strings.Cut(text, " ")
		if !scopeCharacters(one) {
			return ScopeSet{}, ErrScopes
		}
		b.add(one)
	}
	return b.set, nil
}

// NewScopeSet makes a set of single scopes. Texts that no scope may look like are
// Unknown as well.
func NewScopeSet(list []string) ScopeSet {
	b := newBuilder(len(list))
	for _, text := range list {
		if scopeCharacters(text) {
			b.add(text)
		} else if text != "" && b.isNew(text) {
			b.set.unknown = append(b.set.unknown, text)
		}
	}
	return b.set
}

// builder fills a set and keeps out doubles.
type builder struct {
	set  ScopeSet
	seen map[string]struct{} // for long lists
}

// short is up to which length looking through a list is faster than a map.
const short = 32

func newBuilder(count int) *builder {
	b := &builder{set: ScopeSet{texts: make([]string, 0, count), clinical: make([]Scope, 0, count)}}
	if count > short {
		b.seen = make(map[string]struct{}, count)
	}
	return b
}

func (b *builder) isNew(text string) bool {
	if b.seen == nil {
		return !slices.Contains(b.set.texts, text) && !slices.Contains(b.set.unknown, text)
	}
	before := len(b.seen)
	b.seen[text] = struct{}{}
	return len(b.seen) > before
}

// add takes one scope whose characters were checked.
func (b *builder) add(text string) {
	if !b.isNew(text) {
		return
	}
	if n := nameOf(text); n != 0 {
		b.set.names |= n
		b.set.texts = append(b.set.texts, text)
		return
	}
	scope, err := parseScope(text)
	if err != nil {
		b.set.unknown = append(b.set.unknown, text)
		return
	}
	b.set.texts = append(b.set.texts, text)
	b.set.clinical = append(b.set.clinical, scope)
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

// Has reports whether the set has a scope by its text, understood ones only.
func (s ScopeSet) Has(text string) bool {
	if n := nameOf(text); n != 0 {
		return s.names&n != 0
	}
	return slices.Contains(s.texts, text)
}

// Covers reports whether the set allows everything that o allows: for each
// permission there is a scope that covers it (SCOPE-14, SCOPE-36).
func (s ScopeSet) Covers(o Scope) bool {
	for i := 0; i < len(o.permissions); i++ {
		if !slices.ContainsFunc(s.clinical, func(own Scope) bool { return own.Allows(o.permissions[i]) && own.reaches(o) }) {
			return false
		}
	}
	return o.permissions != ""
}

// HasLevel reports whether some clinical scope is of the level.
func (s ScopeSet) HasLevel(l Level) bool {
	return slices.ContainsFunc(s.clinical, func(own Scope) bool { return own.level == l })
}

// Without returns the set without the scopes that drop names; what was unknown
// is left out too.
func (s ScopeSet) Without(drop func(text string) bool) ScopeSet {
	kept := ScopeSet{}
	next := 0 // in clinical
	for _, text := range s.texts {
		name := nameOf(text)
		if name == 0 {
			next++
		}
		if drop(text) {
			continue
		}
		kept.texts = append(kept.texts, text)
		kept.names |= name
		if name == 0 {
			kept.clinical = append(kept.clinical, s.clinical[next-1])
		}
	}
	return kept
}
