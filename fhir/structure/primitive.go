package structure

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxText is how long a string may be (FHIR R4 datatypes §2.24.0.1: string).
const maxText = 1 << 20

// form is the format of a primitive type: what it is called, and who is one.
type form struct {
	expected string
	is       func(v any) bool
}

const zone = `(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))`

// forms are the primitive types (FHIR R4 datatypes §2.24.0.1).
var forms = map[string]form{
	"boolean":      {"true or false", func(v any) bool { _, ok := v.(bool); return ok }},
	"integer":      {"a whole number of 32 bits", whole(-1<<31, 1<<31-1)},
	"unsignedInt":  {"a whole number, 0 or more", whole(0, 1<<31-1)},
	"positiveInt":  {"a whole number, 1 or more", whole(1, 1<<31-1)},
	"decimal":      {"a number of at most 400 digits, with an exponent of at most 400", decimal},
	"string":       {"a text that is not blank, without control characters", text(nil, prose)},
	"markdown":     {"a text that is not blank, without control characters", text(nil, prose)},
	"code":         {"a code, without blanks around it", text(regexp.MustCompile(`^[^\s]+(\s[^\s]+)*$`), nil)},
	"uri":          {"a URI without blanks", text(nil, unbroken)},
	"url":          {"a URL without blanks", text(nil, unbroken)},
	"canonical":    {"a canonical URL without blanks", text(nil, unbroken)},
	"oid":          {"urn:oid: and an OID", text(regexp.MustCompile(`^urn:oid:[0-2](\.(0|[1-9][0-9]*))+$`), nil)},
	"uuid":         {"urn:uuid: and a UUID in lower case", text(regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`), nil)},
	"id":           {"1 to 64 letters, digits, '-' or '.'", text(regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`), nil)},
	"base64Binary": {"base64", text(nil, base64Text)},
	"date":         {"a date: YYYY, YYYY-MM or YYYY-MM-DD", text(regexp.MustCompile(`^\d{4}(-\d\d(-\d\d)?)?$`), calendar)},
	"dateTime": {"a date, or a date and time with a zone", text(regexp.MustCompile(
		`^\d{4}(-\d\d(-\d\d(T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?`+zone+`)?)?)?$`), calendar)},
	"instant": {"a date and time to the second with a zone", text(regexp.MustCompile(
		`^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?`+zone+`$`), calendar)},
	"time":  {"a time of the day: HH:MM:SS", text(regexp.MustCompile(`^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?$`), nil)},
	"xhtml": {"a div of XHTML, with formatting only and nothing that runs or is fetched", text(nil, harmless)},
}

func primitive(fhirType string) bool { _, ok := forms[fhirType]; return ok }

// format returns what was expected of a value of a primitive type; empty: it is one.
func format(fhirType string, v any) string {
	if f := forms[fhirType]; !f.is(v) {
		return f.expected
	}
	return ""
}

// Bounds of a decimal: what searches understand. R4 sets none, but a number that one
// reader keeps and the next one rounds or refuses is not one number (row 77 of the leak
// catalogue).
const (
	maxDigits   = 400
	maxExponent = 400
)

func decimal(v any) bool {
	number, ok := v.(json.Number)
	if !ok {
		return false
	}
	mantissa, power, scientific := strings.Cut(strings.ToLower(number.String()), "e")
	exponent := 0
	if scientific {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil {
			return false
		}
	}
	digits := len(strings.NewReplacer("-", "", ".", "").Replace(mantissa))
	return digits <= maxDigits && -maxExponent <= exponent && exponent <= maxExponent
}

func whole(least, most int64) func(any) bool {
	return func(v any) bool {
		number, ok := v.(json.Number)
		if !ok {
			return false
		}
		n, err := strconv.ParseInt(number.String(), 10, 64)
		return err == nil && n >= least && n <= most && number != "-0"
	}
}

func text(pattern *regexp.Regexp, and func(string) bool) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && s != "" && len(s) <= maxText*8 && (pattern == nil || pattern.MatchString(s)) && (and == nil || and(s))
	}
}

func prose(s string) bool {
	return len(s) <= maxText && strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r'
	})
}

func unbroken(s string) bool {
	return len(s) <= maxText && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

func base64Text(s string) bool {
	bare := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	_, err := base64.StdEncoding.DecodeString(bare)
	return err == nil && bare != ""
}

// calendar: the day exists, and so does the month (the year 0000 does not).
func calendar(s string) bool {
	day, _, _ := strings.Cut(s, "T")
	layout := "2006-01-02"[:len(day)]
	t, err := time.Parse(layout, day)
	return err == nil && t.Year() > 0
}
