package search

import (
	"encoding/json"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// treePath reads a path in the tree of a resource, as Parameter.Extract reads it in the
// bytes: the plain way, which the quick one is held against.
type treePath struct{ path }

// extractOfTree is what a parameter finds in a tree.
func extractOfTree(p Parameter, tree fhir.Object, base string) []Value {
	var list []Value
	for _, path := range p.paths {
		treePath{path}.into(tree, path.steps, func(value any, fhirType string) {
			list = appendOfTree(p, list, value, fhirType, base)
		})
	}
	return list
}

func appendOfTree(p Parameter, list []Value, value any, fhirType, base string) []Value {
	switch p.Type {
	case TypeToken:
		return treeAppendTokens(list, value, fhirType)
	case TypeReference:
		return treeAppendReferences(list, value, base)
	case TypeDate:
		return treeAppendDates(list, value)
	case TypeString:
		return treeAppendStrings(list, value)
	case TypeNumber:
		return treeAppendNumber(list, value)
	case TypeQuantity:
		return treeAppendQuantity(list, value)
	case TypeURI:
		if s, ok := value.(string); ok && s != "" {
			list = append(list, Value{URL: s})
		}
	}
	return list
}

func (p treePath) into(at any, steps []step, found func(any, string)) {
	if list, ok := at.([]any); ok {
		for _, item := range list {
			p.into(item, steps, found)
		}
		return
	}
	object, ok := at.(fhir.Object)
	if !ok {
		return
	}
	if len(steps) == 0 {
		p.values(object, found)
		return
	}
	switch s := steps[0]; s.kind {
	case 'f':
		p.into(object[s.name], steps[1:], found)
	case 'w':
		if object[s.name] == s.value {
			p.into(object, steps[1:], found)
		}
	}
}

func (p treePath) values(object fhir.Object, found func(any, string)) {
	if len(p.after) == 1 && p.after[0].kind == 'x' {
		p.exists(object, found)
		return
	}
	for _, prop := range p.leaf {
		switch value := object[prop.name].(type) {
		case nil:
		case []any:
			for _, item := range value {
				p.keep(item, prop.fhirType, found)
			}
		default:
			p.keep(value, prop.fhirType, found)
		}
	}
}

func (p treePath) keep(value any, fhirType string, found func(any, string)) {
	for _, s := range p.after {
		object, _ := value.(fhir.Object)
		switch s.kind {
		case 'w':
			if object[s.name] != s.value {
				return
			}
		case 'r':
			if !treePointsTo(object, s.name) {
				return
			}
		}
	}
	if value != nil {
		found(value, fhirType)
	}
}

// treePointsTo decides `resolve() is T` from the reference itself: its text, or the
// type it states (FHIR R4 references §2.3.0).
func treePointsTo(reference fhir.Object, t string) bool {
	text, _ := reference["reference"].(string)
	if text == "" {
		stated, _ := reference["type"].(string)
		return stated == t
	}
	segments := strings.Split(text, "/")
	for i := len(segments) - 2; i >= 0; i-- {
		if _, known := fhir.ParseResourceType(segments[i]); known {
			return segments[i] == t
		}
	}
	return false
}

func (p treePath) exists(object fhir.Object, found func(any, string)) {
	for _, prop := range p.leaf {
		if value, ok := object[prop.name]; ok && value != false && value != nil {
			found(true, "boolean")
			return
		}
	}
	found(false, "boolean")
}

func treeStr(o fhir.Object, name string) string {
	s, _ := o[name].(string)
	return s
}

func treeAppendTokens(list []Value, value any, fhirType string) []Value {
	switch v := value.(type) {
	case string:
		return append(list, Value{Code: v})
	case bool:
		if v {
			return append(list, Value{Code: "true"})
		}
		return append(list, Value{Code: "false"})
	case json.Number:
		return append(list, Value{Code: v.String()})
	case fhir.Object:
		switch fhirType {
		case "Identifier":
			return append(list, Value{System: treeStr(v, "system"), Code: treeStr(v, "value")})
		case "ContactPoint":
			return append(list, Value{Code: treeStr(v, "value")})
		case "CodeableConcept":
			return treeAppendCodings(list, v)
		}
		if _, concept := v["coding"]; concept {
			return treeAppendCodings(list, v)
		}
		return append(list, Value{System: treeStr(v, "system"), Code: treeStr(v, "code")})
	}
	return list
}

func treeAppendCodings(list []Value, concept fhir.Object) []Value {
	codings, _ := concept["coding"].([]any)
	n := len(list)
	for _, c := range codings {
		if coding, ok := c.(fhir.Object); ok {
			list = append(list, Value{System: treeStr(coding, "system"), Code: treeStr(coding, "code")})
		}
	}
	if len(list) == n {
		list = append(list, Value{}) // text only: present, nothing to compare
	}
	return list
}

func treeAppendReferences(list []Value, value any, base string) []Value {
	text, ok := value.(string)
	if object, isObject := value.(fhir.Object); isObject {
		text, ok = treeStr(object, "reference"), true
		if text == "" {
			text = treeStr(object, "url")
		}
	}
	if !ok {
		return append(list, Value{}) // present, and not understood
	}
	if ref, local := fhir.ParseReference(text, base); local {
		ref.Version = ""
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

func treeAppendDates(list []Value, value any) []Value {
	switch v := value.(type) {
	case string:
		if low, high, ok := parseDate(v); ok {
			list = append(list, Value{Low: low, High: high})
		}
	case fhir.Object:
		if events, timing := v["event"].([]any); timing {
			for _, e := range events {
				list = treeAppendDates(list, e)
			}
			return list
		}
		if repeat, timing := v["repeat"].(fhir.Object); timing {
			bounds, ok := repeat["boundsPeriod"].(fhir.Object)
			if !ok {
				return list
			}
			v = bounds
		}
		if period, ok := treePeriodValue(v); ok {
			list = append(list, period)
		}
	}
	return list
}

func treePeriodValue(v fhir.Object) (Value, bool) {
	period := Value{Low: minInstant, High: maxInstant}
	start, end := treeStr(v, "start"), treeStr(v, "end")
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

func treeAppendStrings(list []Value, value any) []Value {
	switch v := value.(type) {
	case string:
		if v != "" {
			list = append(list, Value{Norm: Normalize(v), Exact: v})
		}
	case fhir.Object:
		for _, part := range stringParts {
			switch text := v[part].(type) {
			case string:
				list = treeAppendStrings(list, text)
			case []any:
				for _, item := range text {
					if s, ok := item.(string); ok {
						list = treeAppendStrings(list, s)
					}
				}
			}
		}
	}
	return list
}

func treeAppendNumber(list []Value, value any) []Value {
	if n, ok := value.(json.Number); ok {
		if d, ok := ParseDecimal(n.String()); ok {
			list = append(list, Value{From: d.Sortable(), To: d.Sortable()})
		}
	}
	return list
}

func treeAppendQuantity(list []Value, value any) []Value {
	v, ok := value.(fhir.Object)
	if !ok {
		return list
	}
	if v["low"] != nil || v["high"] != nil {
		return treeAppendRange(list, v)
	}
	n, ok := v["value"].(json.Number)
	if !ok {
		return append(list, Value{From: maxDecimal, To: minDecimal}) // present, compares with nothing
	}
	d, ok := ParseDecimal(n.String())
	if !ok {
		return list
	}
	q := Value{From: d.Sortable(), To: d.Sortable(), System: treeStr(v, "system"), Code: treeStr(v, "code"), Unit: treeStr(v, "unit")}
	if currency := treeStr(v, "currency"); currency != "" {
		q.System, q.Code = "urn:iso:std:iso:4217", currency
	}
	switch treeStr(v, "comparator") {
	case "<", "<=":
		q.From = minDecimal
	case ">", ">=":
		q.To = maxDecimal
	}
	return append(list, q)
}

func treeAppendRange(list []Value, v fhir.Object) []Value {
	q := Value{From: minDecimal, To: maxDecimal}
	high, _ := v["high"].(fhir.Object)
	low, _ := v["low"].(fhir.Object)
	if d, ok := treeDecimalOf(low); ok {
		q.From = d.Sortable()
	}
	if d, ok := treeDecimalOf(high); ok {
		q.To = d.Sortable()
	}
	unit := low // both ends have the same one (R4 datatypes, Range)
	if unit == nil {
		unit = high
	}
	q.System, q.Code, q.Unit = treeStr(unit, "system"), treeStr(unit, "code"), treeStr(unit, "unit")
	return append(list, q)
}

func treeDecimalOf(quantity fhir.Object) (Decimal, bool) {
	n, _ := quantity["value"].(json.Number)
	return ParseDecimal(n.String())
}
