package search

import (
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Clause is one condition: a parameter, a modifier, and alternatives.
type Clause struct {
	Parameter    Parameter
	Modifier     string            // "", not, missing, exact, contains, identifier, above, below
	TypeModifier fhir.ResourceType // subject:Patient
	Operands     []Operand         // any of them
	Composed     []Together        // any of them: a composite, which has no operands
	text         string            // the value as it came, for printing
}

// String prints name:modifier=value, unescaped.
func (c Clause) String() string { return c.name() + "=" + c.text }

// encode prints the clause as a query parameter.
func (c Clause) encode() string { return url.QueryEscape(c.name()) + "=" + url.QueryEscape(c.text) }

func (c Clause) name() string {
	switch {
	case c.TypeModifier != "":
		return c.Parameter.Code + ":" + string(c.TypeModifier)
	case c.Modifier != "":
		return c.Parameter.Code + ":" + c.Modifier
	}
	return c.Parameter.Code
}

// Negated reports whether the clause holds for resources without any match.
func (c Clause) Negated() bool { return c.Modifier == "not" }

// Either is the clause that holds when c or d does: their alternatives together.
// false: they are on different parameters, or a modifier gives the list another
// meaning.
func (c Clause) Either(d Clause) (Clause, bool) {
	if c.Parameter.Name() != d.Parameter.Name() || c.Modifier != "" || d.Modifier != "" || c.TypeModifier != d.TypeModifier {
		return Clause{}, false
	}
	both := c
	both.Operands = slices.Clone(c.Operands)
	for _, o := range d.Operands {
		if !slices.Contains(both.Operands, o) {
			both.Operands = append(both.Operands, o)
		}
	}
	if both.text += "," + d.text; len(both.Operands) == len(c.Operands) {
		both.text = c.text
	}
	return both, true
}

// matches evaluates the clause on content.
func (c Clause) matches(r fhir.Resource, base string) bool {
	if c.Parameter.Type == TypeComposite {
		return slices.ContainsFunc(c.Composed, func(t Together) bool { return t.matches(r, base) })
	}
	c = c.Asked()
	return c.holdsOf(c.Parameter.Extract(r, base))
}

// holdsOf evaluates the clause on the values of its parameter.
func (c Clause) holdsOf(values []Value) bool {
	if c.Modifier == "missing" {
		for _, o := range c.Operands {
			if o.Missing == (len(values) == 0) {
				return true
			}
		}
		return false
	}
	for _, v := range values {
		for _, o := range c.Operands {
			if c.compare(o, v) {
				return c.Modifier != "not"
			}
		}
	}
	return c.Modifier == "not"
}

// compare decides one value against one alternative.
func (c Clause) compare(o Operand, v Value) bool {
	switch c.Parameter.Type {
	case TypeToken:
		return (!o.HasCode || o.Code == v.Code) && (!o.HasSystem || o.System == v.System)
	case TypeReference:
		return o.comparesReference(v)
	case TypeDate:
		return o.comparesDate(v)
	case TypeString:
		switch c.Modifier {
		case "exact":
			return o.Exact == v.Exact
		case "contains":
			return strings.Contains(v.Norm, o.Norm)
		}
		return strings.HasPrefix(v.Norm, o.Norm)
	case TypeNumber:
		return o.comparesNumber(v)
	case TypeQuantity:
		return o.comparesUnit(v) && o.comparesNumber(v)
	case TypeURI:
		return c.comparesURL(o, v)
	}
	return false
}

func (c Clause) comparesURL(o Operand, v Value) bool {
	switch c.Modifier {
	case "above":
		return under(o.URL, v.URL)
	case "below":
		return under(v.URL, o.URL)
	}
	return o.URL == v.URL
}

func (o Operand) comparesReference(v Value) bool {
	if o.URL != "" {
		return o.URL == v.URL
	}
	return o.Reference.ID == v.Reference.ID && (o.Reference.Type == "" || o.Reference.Type == v.Reference.Type)
}

// comparesDate follows R4 search §3.1.1.4.6: ranges against ranges.
func (o Operand) comparesDate(v Value) bool {
	contained := o.Low <= v.Low && v.High <= o.High
	switch o.Comparator {
	case Ne:
		return !contained
	case Gt:
		return v.High > o.High
	case Lt:
		return v.Low < o.Low
	case Ge:
		return v.High > o.High || contained
	case Le:
		return v.Low < o.Low || contained
	case Sa:
		return v.Low > o.High
	case Eb:
		return v.High < o.Low
	case Ap:
		return v.Low <= o.NearHigh && o.NearLow <= v.High
	}
	return contained
}

// comparesNumber: eq and ne use the implied precision, the others the exact value.
// An empty range compares with nothing.
func (o Operand) comparesNumber(v Value) bool {
	if v.From > v.To {
		return false
	}
	contained := o.From <= v.From && v.To < o.To
	switch o.Comparator {
	case Ne:
		return !contained
	case Gt:
		return v.To > o.Value
	case Lt:
		return v.From < o.Value
	case Ge:
		return v.To >= o.Value
	case Le:
		return v.From <= o.Value
	case Sa:
		return v.From > o.Value
	case Eb:
		return v.To < o.Value
	case Ap:
		return v.From <= o.NearTo && o.NearFrom <= v.To
	}
	return contained
}

func (o Operand) comparesUnit(v Value) bool {
	switch {
	case o.HasSystem && o.HasCode:
		return o.System == v.System && o.Code == v.Code
	case o.HasSystem:
		return o.System == v.System
	case o.HasCode:
		return o.Code == v.Code || o.Code == v.Unit
	}
	return true
}
