package smart

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Holding is what a set of scopes allows, in words that are compared without
// understanding them: what keeps a Holding, a database too, can tell whether it Meets
// a Demand, and so what Covers tells. Allowances stand under the level and type that
// they are of ("patient/Observation"), and those with a condition under each word of
// one condition ("patient/Observation?category=laboratory"), so that few are looked at.
type Holding map[string][]Allowance

// Allowance is one way to be allowed something: the permissions, and the conditions
// that must hold. Each condition is the words of its alternatives.
type Allowance struct {
	May string     `json:"may"`
	If  [][]string `json:"if,omitempty"`
}

// Demand is a scope that is wanted: under what its allowances may stand, the
// permissions, of which each must be allowed, and the conditions under which they are
// wanted. Each condition lists its alternatives, and each alternative the words that
// say as much or more.
type Demand struct {
	Of  []string     `json:"of"`
	May []string     `json:"may"`
	If  [][][]string `json:"if,omitempty"`
}

// Holding returns what the set allows.
func (s ScopeSet) Holding() Holding {
	allowances, uses := make([]Allowance, len(s.clinical)), map[string]int{}
	for i, own := range s.clinical {
		a := Allowance{May: own.permissions}
		for _, c := range own.query {
			var words []string
			for _, o := range c.Operands {
				words = append(words, word(c, o))
				uses[own.of(own.kind)+"?"+word(c, o)]++
			}
			a.If = append(a.If, words)
		}
		allowances[i] = a
	}
	h := Holding{}
	for i, own := range s.clinical {
		for _, under := range own.places(allowances[i], uses) {
			h[under] = append(h[under], allowances[i])
		}
	}
	return h
}

// maxPlaces is under how many words an allowance stands at most.
const maxPlaces = 8

// places are where an allowance stands: under the words of that condition which it has
// in common with the fewest others, and under none when there are too many.
func (s Scope) places(a Allowance, uses map[string]int) []string {
	var best []string
	least := math.MaxInt
	for _, condition := range a.If {
		var list []string
		most := 0
		for _, w := range condition {
			under := s.of(s.kind) + "?" + w
			if most = max(most, uses[under]); !slices.Contains(list, under) {
				list = append(list, under)
			}
		}
		if len(list) <= maxPlaces && most < least {
			best, least = list, most
		}
	}
	if best == nil {
		return []string{s.of(s.kind)}
	}
	return best
}

// Demand returns what a set must hold for the scope to be covered.
func (s Scope) Demand() Demand {
	d := Demand{May: strings.Split(s.permissions, "")}
	kinds := slices.Compact([]fhir.ResourceType{s.kind, AnyType})
	for _, kind := range kinds {
		d.Of = append(d.Of, s.of(kind))
	}
	for _, c := range s.query {
		var alternatives [][]string
		for _, o := range c.Operands {
			words := wider(c, o)
			for _, kind := range kinds {
				for _, w := range words {
					d.Of = append(d.Of, s.of(kind)+"?"+w)
				}
			}
			alternatives = append(alternatives, words)
		}
		d.If = append(d.If, alternatives)
	}
	return d
}

// Meets reports whether the holding allows what is wanted.
func (h Holding) Meets(d Demand) bool {
	may := ""
	for _, under := range d.Of {
		for _, a := range h[under] {
			if !slices.ContainsFunc(a.If, func(condition []string) bool { return !d.implies(condition) }) {
				may += a.May
			}
		}
	}
	return len(d.May) > 0 && !slices.ContainsFunc(d.May, func(permission string) bool { return !strings.Contains(may, permission) })
}

// implies reports whether a condition follows from one of the demand's.
func (d Demand) implies(condition []string) bool {
	return slices.ContainsFunc(d.If, func(alternatives [][]string) bool {
		return !slices.ContainsFunc(alternatives, func(words []string) bool {
			return !slices.ContainsFunc(words, func(w string) bool { return slices.Contains(condition, w) })
		})
	})
}

func (s Scope) of(kind fhir.ResourceType) string { return string(s.level) + "/" + string(kind) }

// wider are the words of alternatives that contain one: itself, and for a token
// what tokenContains finds.
func wider(c search.Clause, o search.Operand) []string {
	words := []string{word(c, o)}
	if c.Parameter.Type == search.TypeToken && o.HasSystem && o.HasCode {
		words = append(words,
			word(c, search.Operand{Code: o.Code, HasCode: true}),
			word(c, search.Operand{System: o.System, HasSystem: true}))
	}
	return words
}

// word says an alternative and its parameter in one text; two have the same one only
// if they are equal. Types that a scope query may not have are not told apart.
func word(c search.Clause, o search.Operand) string {
	return c.Parameter.Code + "=" + value(c.Parameter.Type, o)
}

func value(t search.ParameterType, o search.Operand) string {
	switch t {
	case search.TypeToken:
		if !o.HasSystem {
			return o.Code
		}
		return o.System + "|" + o.Code // no code has a bar: scopes have no escapes
	case search.TypeReference:
		if o.URL != "" { // has a colon, which no id has
			return o.URL
		}
		return string(o.Reference.Type) + "/" + o.Reference.ID
	case search.TypeDate:
		return string(o.Comparator) + " " + strconv.FormatInt(o.Low, 10) + " " + strconv.FormatInt(o.High, 10)
	case search.TypeString:
		return o.Exact
	}
	return o.URL
}
