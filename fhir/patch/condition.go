package patch

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// conditions reads what where() asks for: path = literal, and more of them after
// "and".
func (r *pathReader) conditions(nesting int) []condition {
	if nesting == maxNesting {
		r.fail("fewer conditions in conditions")
		return nil
	}
	var list []condition
	for {
		p := r.path(nesting + 1)
		r.want("=")
		list = append(list, condition{p, r.literal()})
		if r.blank(); !strings.HasPrefix(r.rest, "and") || len(r.rest) > 3 && (isLetter(r.rest[3]) || isDigit(r.rest[3])) {
			return list
		}
		r.rest = r.rest[3:]
	}
}

// literal reads a text, true, false or a whole number.
func (r *pathReader) literal() any {
	r.blank()
	switch {
	case strings.HasPrefix(r.rest, "'"):
		return r.text()
	case r.rest != "" && isLetter(r.rest[0]):
		before := r.rest
		if word := r.word(); word == "true" || word == "false" {
			return word == "true"
		}
		r.rest = before
	default:
		minus := ""
		if r.take("-") {
			minus = "-"
		}
		if digits := r.digits(); digits != "" && !strings.HasPrefix(r.rest, ".") && (digits == "0" || digits[0] != '0') {
			return json.Number(minus + digits)
		}
	}
	r.fail("a text in quotes, true, false or a whole number")
	return nil
}

// escapes are the characters of a text that stand for others (FHIRPath N1 §4.1.2).
var escapes = map[byte]string{'\'': "'", '"': `"`, '`': "`", '\\': `\`, '/': "/", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t"}

// text reads a text in quotes.
func (r *pathReader) text() string {
	r.want("'")
	var b strings.Builder
	for r.rest != "" {
		c := r.rest[0]
		r.rest = r.rest[1:]
		switch c {
		case '\'':
			return b.String()
		case '\\':
			b.WriteString(r.escaped())
		default:
			b.WriteByte(c)
		}
	}
	r.fail("a quote at the end of the text")
	return ""
}

// escaped reads what follows a backslash.
func (r *pathReader) escaped() string {
	if r.rest == "" {
		return ""
	}
	c := r.rest[0]
	if c == 'u' && len(r.rest) > 4 {
		n, err := strconv.ParseUint(r.rest[1:5], 16, 16)
		if err == nil && utf8.ValidRune(rune(n)) {
			r.rest = r.rest[5:]
			return string(rune(n))
		}
	}
	meant, known := escapes[c]
	if !known {
		r.fail("a sign that may follow a backslash")
		return ""
	}
	r.rest = r.rest[1:]
	return meant
}
