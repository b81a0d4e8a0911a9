package sensitive

import (
	"errors"
	"strings"
)

// Code is a code of a system. As what a category holds, one that ends in * stands for all
// that begin so, and * alone for every code of the system.
type Code struct{ System, Code string }

// String is system|code.
func (c Code) String() string { return c.System + "|" + c.Code }

// ErrCode: a text is not system|code.
var ErrCode = errors.New("write it as system|code, such as http://hl7.org/fhir/sid/icd-10-cm|F10*")

// ParseCode reads system|code.
func ParseCode(text string) (Code, error) {
	system, code, ok := strings.Cut(text, "|")
	c := Code{system, code}
	star := strings.IndexByte(code, '*')
	if !ok || system == "" || code == "" || strings.ContainsAny(system, " \t\r\n") || strings.Contains(code, "|") ||
		strings.TrimSpace(code) != code || star >= 0 && star < len(code)-1 {
		return Code{}, ErrCode
	}
	return c, nil
}

// ParseLabel reads a label: one code of a system.
func ParseLabel(text string) (Code, error) {
	c, err := ParseCode(text)
	if err == nil && strings.HasSuffix(c.Code, "*") {
		return Code{}, errors.New("a label is one code: write it as system|code, without *")
	}
	return c, err
}

// table finds the categories of codes. Codes are compared without case: a spelling that a
// system does not know protects all the same.
type table struct {
	exact    map[Code][]string
	prefixes map[string][]prefix // by system
	// anywhere are the codes of all systems: what stands without one may be of any.
	anywhere    map[string][]string
	allPrefixes []prefix
}

type prefix struct{ text, category string }

func newTable() table {
	return table{exact: map[Code][]string{}, prefixes: map[string][]prefix{}, anywhere: map[string][]string{}}
}

func (t *table) add(c Code, category string) {
	code, begins := strings.CutSuffix(strings.ToUpper(c.Code), "*")
	if begins {
		t.prefixes[c.System] = append(t.prefixes[c.System], prefix{code, category})
		if code != "" { // else every code without a system would be one
			t.allPrefixes = append(t.allPrefixes, prefix{code, category})
		}
		return
	}
	key := Code{c.System, code}
	t.exact[key] = append(t.exact[key], category)
	t.anywhere[code] = append(t.anywhere[code], category)
}

// find adds the categories of a code. A name of ours that nobody defines is of a category
// that was defined once.
func (t *table) find(found []string, system, code string) []string {
	code = strings.ToUpper(code)
	same, begin := t.exact[Code{system, code}], t.prefixes[system]
	switch system {
	case "":
		same, begin = t.anywhere[code], t.allPrefixes
	case System:
		if len(same) == 0 {
			same = []string{Unlisted}
		}
	}
	found = append(found, same...)
	for _, p := range begin {
		if strings.HasPrefix(code, p.text) {
			found = append(found, p.category)
		}
	}
	return found
}
