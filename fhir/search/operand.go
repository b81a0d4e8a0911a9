package search

import (
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
)

// Comparator is the prefix of an ordered value (R4 search §3.1.1.4.5).
type Comparator string

// The comparators; the zero value means Eq.
const (
	Eq Comparator = "eq"
	Ne Comparator = "ne"
	Gt Comparator = "gt"
	Lt Comparator = "lt"
	Ge Comparator = "ge"
	Le Comparator = "le"
	Sa Comparator = "sa"
	Eb Comparator = "eb"
	Ap Comparator = "ap"
)

// Operand is one alternative of a clause, parsed for its parameter's type.
type Operand struct {
	Comparator Comparator // date, number, quantity

	System, Code       string // token, quantity
	HasSystem, HasCode bool   // token: "|code" has an empty system, "system|" no code

	Reference fhir.Reference // reference; without Type: any type with that id
	URL       string         // reference elsewhere; uri

	Low, High         int64 // date: what the text covers
	NearLow, NearHigh int64 // date: the same, widened for ap

	Norm, Exact string // string

	From, To         string // number, quantity: [From, To) is the implied precision
	Value            string // number, quantity: the exact value
	NearFrom, NearTo string // number, quantity: for ap

	Missing bool // the modifier :missing
}

// maxOperand bounds one value of a query, in bytes; index rows hold no longer ones.
const maxOperand = 1024

// splitUnescaped splits at a separator that has no backslash before it.
func splitUnescaped(s string, sep byte) []string {
	var parts []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// unescape resolves \, \| \$ and \\ (R4 search §3.1.1.4.14); another backslash
// stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`,|$\`, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// parseOperand reads one alternative; the sentence says what was expected.
func parseOperand(c Clause, text, base string) (Operand, string) {
	if text == "" || len(text) > maxOperand {
		return Operand{}, "a value of 1 to 1024 characters"
	}
	if c.Modifier == "missing" {
		if text != "true" && text != "false" {
			return Operand{}, "true or false"
		}
		return Operand{Missing: text == "true"}, ""
	}
	if c.Modifier == "identifier" {
		return tokenOperand(text)
	}
	switch c.Parameter.Type {
	case TypeToken:
		return tokenOperand(text)
	case TypeReference:
		return referenceOperand(c, unescape(text), base)
	case TypeDate:
		return dateOperand(text)
	case TypeString:
		plain := unescape(text)
		o := Operand{Norm: Normalize(plain), Exact: plain}
		if o.Norm == "" && c.Modifier != "exact" {
			return o, "a text with at least one letter"
		}
		return o, ""
	case TypeNumber:
		return numberOperand(text)
	case TypeQuantity:
		return quantityOperand(text)
	}
	o := Operand{URL: unescape(text)}
	if c.Modifier != "" && !hierarchical(o.URL) {
		return o, "a URL such as http://example.org/fhir/; OIDs and UUIDs have nothing above or below them"
	}
	return o, ""
}

func tokenOperand(text string) (Operand, string) {
	parts := splitUnescaped(text, '|')
	switch len(parts) {
	case 1:
		return Operand{Code: unescape(text), HasCode: true}, ""
	case 2:
		o := Operand{System: unescape(parts[0]), HasSystem: true, Code: unescape(parts[1]), HasCode: parts[1] != ""}
		if o.System == "" && !o.HasCode {
			return o, "code, system|code, |code or system|"
		}
		return o, ""
	}
	return Operand{}, "code, system|code, |code or system|"
}

func referenceOperand(c Clause, text, base string) (Operand, string) {
	expected := "an id, Type/id or an absolute URL"
	if c.TypeModifier != "" {
		ref, ok := fhir.ParseReference(text, base)
		if !ok && fhir.ValidID(text) {
			ref, ok = fhir.Reference{Type: c.TypeModifier, ID: text}, true
		}
		if !ok || ref.Type != c.TypeModifier {
			return Operand{}, "the id of a " + string(c.TypeModifier)
		}
		return Operand{Reference: fhir.Reference{Type: ref.Type, ID: ref.ID}}, ""
	}
	if fhir.ValidID(text) {
		return Operand{Reference: fhir.Reference{ID: text}}, ""
	}
	if ref, ok := fhir.ParseReference(text, base); ok {
		ref.Version = ""
		return Operand{Reference: ref}, ""
	}
	if strings.Contains(text, ":") {
		return Operand{URL: text}, ""
	}
	return Operand{}, expected
}

// comparator takes a prefix off an ordered value.
func comparator(text string) (Comparator, string) {
	if len(text) > 2 {
		switch c := Comparator(text[:2]); c {
		case Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap:
			return c, text[2:]
		}
	}
	return Eq, text
}

// dayLength is the least widening of ap for dates, in milliseconds.
const dayLength = 24 * 60 * 60 * 1000

func dateOperand(text string) (Operand, string) {
	c, rest := comparator(text)
	low, high, ok := parseDate(rest)
	if !ok {
		return Operand{}, "a date such as 2024, 2024-05, 2024-05-31 or 2024-05-31T10:00:00Z, with eq ne gt lt ge le sa eb or ap before it"
	}
	width := max(high-low+1, dayLength)
	return Operand{Comparator: c, Low: low, High: high, NearLow: low - width, NearHigh: high + width}, ""
}

func numberOperand(text string) (Operand, string) {
	c, rest := comparator(text)
	d, ok := ParseDecimal(rest)
	if !ok {
		return Operand{}, "a number such as 5.40, with eq ne gt lt ge le sa eb or ap before it"
	}
	half, tenth := d.halfStep(), d.tenth()
	return Operand{
		Comparator: c, Value: d.Sortable(),
		From: d.sub(half).Sortable(), To: d.add(half).Sortable(),
		NearFrom: d.sub(tenth).Sortable(), NearTo: d.add(tenth).Sortable(),
	}, ""
}

func quantityOperand(text string) (Operand, string) {
	parts := splitUnescaped(text, '|')
	o, expected := numberOperand(parts[0])
	if expected != "" || len(parts) != 1 && len(parts) != 3 {
		return Operand{}, "a quantity: number, number|system|code or number||code"
	}
	if len(parts) == 3 {
		o.System, o.HasSystem = unescape(parts[1]), parts[1] != ""
		o.Code, o.HasCode = unescape(parts[2]), parts[2] != ""
	}
	return o, ""
}
