package search

import (
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Value is what a resource holds for a parameter: one row of an index. Which
// fields are set follows from the parameter's type. A value that is present but
// has nothing to compare (a reference by identifier only) has all fields empty,
// so that :missing still sees it.
type Value struct {
	System, Code string         // token, quantity
	Reference    fhir.Reference // reference, local
	URL          string         // reference that is not local; uri
	Low, High    int64          // date, Unix milliseconds, both included
	Norm, Exact  string         // string
	From, To     string         // number, quantity: sortable decimals; From above To: nothing
	Unit         string         // quantity
}

// Indexed is a value with the parameter it belongs to.
type Indexed struct {
	Parameter Parameter
	Value     Value
	// Element numbers the element that holds the value, for composites; 0: it is a
	// value of the resource.
	Element int
}

// Extract returns the values of the parameter in a resource. base is the FHIR
// base whose absolute references count as local; it may be empty.
func (p Parameter) Extract(r fhir.Resource, base string) []Value { return p.extract(r.Root(), base) }

func (p Parameter) extract(root fhir.Node, base string) []Value {
	var list []Value
	for i := range p.paths {
		p.paths[i].walk(root, func(value fhir.Node, fhirType string) {
			list = p.appendValues(list, value, fhirType, base)
		})
	}
	return list
}

// References calls found for each value of a reference parameter in a resource: a local
// reference without its version, or the zero value for what is none.
func (p Parameter) References(r fhir.Resource, base string, found func(fhir.Reference)) {
	root := r.Root()
	for i := range p.paths {
		p.paths[i].walk(root, func(value fhir.Node, _ string) {
			text, _ := referenceText(value)
			ref, _ := localReference(text, base)
			found(ref)
		})
	}
}

// ExtractAll returns the values of all parameters of the resource's type, of the
// identifiers of its references, and of the elements that composites look at.
func ExtractAll(r fhir.Resource, base string) []Indexed {
	var list []Indexed
	for _, p := range index()[r.Type()].sorted {
		values := p.Extract(r, base)
		for _, v := range values {
			list = append(list, Indexed{Parameter: p, Value: v})
		}
		if p.Type != TypeReference || len(values) == 0 {
			continue
		}
		own := p.Identifiers()
		for _, v := range own.Extract(r, base) {
			list = append(list, Indexed{Parameter: own, Value: v})
		}
	}
	return appendElements(list, r, base)
}

func (p Parameter) appendValues(list []Value, value fhir.Node, fhirType, base string) []Value {
	if p.identifiers {
		return appendIdentifier(list, value)
	}
	switch p.Type {
	case TypeToken:
		return appendTokens(list, value, fhirType)
	case TypeReference:
		return appendReferences(list, value, base)
	case TypeDate:
		return appendDates(list, value)
	case TypeString:
		return appendStrings(list, value)
	case TypeNumber:
		return appendNumber(list, value)
	case TypeQuantity:
		return appendQuantity(list, value)
	case TypeURI:
		if s := value.Text(); s != "" {
			list = append(list, Value{URL: s})
		}
	}
	return list
}

func str(object fhir.Node, name string) string { return object.Member(name).Text() }

// appendTokens covers code, boolean, Coding, CodeableConcept, Identifier and
// ContactPoint (R4 search §3.1.1.4.10).
func appendTokens(list []Value, v fhir.Node, fhirType string) []Value {
	switch v.Kind() {
	case '"':
		return append(list, Value{Code: v.Text()})
	case 't':
		return append(list, Value{Code: "true"})
	case 'f':
		return append(list, Value{Code: "false"})
	case '0':
		return append(list, Value{Code: v.Number()})
	case '{':
		switch fhirType {
		case "Identifier":
			return append(list, Value{System: str(v, "system"), Code: str(v, "value")})
		case "ContactPoint":
			return append(list, Value{Code: str(v, "value")})
		case "CodeableConcept":
			return appendCodings(list, v)
		}
		if v.Member("coding").Kind() != 0 {
			return appendCodings(list, v)
		}
		return append(list, Value{System: str(v, "system"), Code: str(v, "code")})
	}
	return list
}

func appendCodings(list []Value, concept fhir.Node) []Value {
	n := len(list)
	if codings := concept.Member("coding"); codings.Kind() == '[' {
		for coding := range codings.Values() {
			if coding.Kind() == '{' {
				list = append(list, Value{System: str(coding, "system"), Code: str(coding, "code")})
			}
		}
	}
	if len(list) == n {
		list = append(list, Value{}) // text only: present, nothing to compare
	}
	return list
}

// appendReferences covers Reference, canonical, uri and Attachment.
func appendReferences(list []Value, value fhir.Node, base string) []Value {
	text, understood := referenceText(value)
	if !understood {
		return append(list, Value{}) // present, that is all
	}
	if ref, local := localReference(text, base); local {
		return append(list, Value{Reference: ref})
	}
	if text == "" || strings.HasPrefix(text, "#") {
		return append(list, Value{})
	}
	list = append(list, Value{URL: text})
	if canonical, _, versioned := strings.Cut(text, "|"); versioned {
		list = append(list, Value{URL: canonical})
	}
	return list
}

// referenceText is what a reference says; false: it cannot be understood.
func referenceText(value fhir.Node) (text string, understood bool) {
	switch value.Kind() {
	case '{':
		if text = str(value, "reference"); text == "" {
			text = str(value, "url")
		}
		return text, true
	case '"':
		return value.Text(), true
	}
	return "", false
}

// localReference is the resource that a reference is to, in whatever version.
func localReference(text, base string) (fhir.Reference, bool) {
	ref, local := fhir.ParseReference(text, base)
	if !local {
		return fhir.Reference{}, false
	}
	ref.Version = ""
	return ref, true
}

// appendDates covers date, dateTime, instant, Period and Timing.
func appendDates(list []Value, v fhir.Node) []Value {
	switch v.Kind() {
	case '"':
		if low, high, ok := parseDate(v.Text()); ok {
			list = append(list, Value{Low: low, High: high})
		}
	case '{':
		if events := v.Member("event"); events.Kind() == '[' {
			for e := range events.Values() {
				list = appendDates(list, e)
			}
			return list
		}
		if repeat := v.Member("repeat"); repeat.Kind() == '{' {
			if v = repeat.Member("boundsPeriod"); v.Kind() != '{' {
				return list
			}
		}
		if period, ok := periodValue(v); ok {
			list = append(list, period)
		}
	}
	return list
}

func periodValue(v fhir.Node) (Value, bool) {
	period := Value{Low: minInstant, High: maxInstant}
	start, end := str(v, "start"), str(v, "end")
	if start != "" {
		low, _, ok := parseDate(start)
		if !ok {
			return Value{}, false
		}
		period.Low = low
	}
	if end != "" {
		_, high, ok := parseDate(end)
		if !ok {
			return Value{}, false
		}
		period.High = high
	}
	return period, start != "" || end != ""
}

// stringParts are the parts of HumanName and Address that strings search
// (R4 search §3.1.1.4.9).
var stringParts = []string{"text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country"}

func appendStrings(list []Value, v fhir.Node) []Value {
	switch v.Kind() {
	case '"':
		return appendString(list, v)
	case '{':
		for _, name := range stringParts {
			part := v.Member(name)
			if part.Kind() != '[' {
				list = appendString(list, part)
				continue
			}
			for item := range part.Values() {
				list = appendString(list, item)
			}
		}
	}
	return list
}

func appendString(list []Value, v fhir.Node) []Value {
	if text := v.Text(); text != "" {
		list = append(list, Value{Norm: Normalize(text), Exact: text})
	}
	return list
}

func appendNumber(list []Value, v fhir.Node) []Value {
	if d, ok := ParseDecimal(v.Number()); ok {
		list = append(list, Value{From: d.Sortable(), To: d.Sortable()})
	}
	return list
}

// appendQuantity covers Quantity and its kinds, Money and Range.
func appendQuantity(list []Value, v fhir.Node) []Value {
	if v.Kind() != '{' {
		return list
	}
	if !v.Member("low").Absent() || !v.Member("high").Absent() {
		return appendRange(list, v)
	}
	n := v.Member("value")
	if n.Kind() != '0' {
		return append(list, Value{From: maxDecimal, To: minDecimal}) // present, compares with nothing
	}
	d, ok := ParseDecimal(n.Number())
	if !ok {
		return list
	}
	q := Value{From: d.Sortable(), To: d.Sortable(), System: str(v, "system"), Code: str(v, "code"), Unit: str(v, "unit")}
	if currency := str(v, "currency"); currency != "" {
		q.System, q.Code = "urn:iso:std:iso:4217", currency
	}
	switch str(v, "comparator") {
	case "<", "<=":
		q.From = minDecimal
	case ">", ">=":
		q.To = maxDecimal
	}
	return append(list, q)
}

func appendRange(list []Value, v fhir.Node) []Value {
	q := Value{From: minDecimal, To: maxDecimal}
	high, low := v.Member("high"), v.Member("low")
	if d, ok := decimalOf(low); ok {
		q.From = d.Sortable()
	}
	if d, ok := decimalOf(high); ok {
		q.To = d.Sortable()
	}
	unit := low // both ends have the same one (R4 datatypes, Range)
	if unit.Kind() != '{' {
		unit = high
	}
	q.System, q.Code, q.Unit = str(unit, "system"), str(unit, "code"), str(unit, "unit")
	return append(list, q)
}

func decimalOf(quantity fhir.Node) (Decimal, bool) {
	return ParseDecimal(quantity.Member("value").Number())
}
