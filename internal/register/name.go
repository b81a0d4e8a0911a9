package register

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// nameless is what a client is called that does not say.
const nameless = "An app without a name"

// maxName bounds a name that people read, in characters.
const maxName = 80

// oneSpelling gives what looks the same the same bytes.
func oneSpelling(name string) string { return norm.NFC.String(strings.TrimSpace(name)) }

// checkNames: what people read on a page has no characters that they cannot see
// or that turn the text around it (security DC-08).
func checkNames(m *metadata) *oauth.Error {
	for _, n := range []struct{ member, value string }{
		{"client_name", m.ClientName}, {"emberlatch_maker", m.Maker}, {"software_id", m.SoftwareID}, {"software_version", m.SoftwareVersion},
	} {
		if utf8.RuneCountInString(n.value) > maxName || strings.ContainsFunc(n.value, unseen) {
			return wrong(n.member, "at most 80 characters, each of which can be seen")
		}
	}
	if !strings.ContainsFunc(m.ClientName, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) }) {
		return wrong("client_name", "a name has letters")
	}
	return nil
}

// unseen characters are controls, marks of direction, joiners, separators of
// lines, spaces of odd width, and what Unicode has not assigned.
func unseen(r rune) bool {
	return r == utf8.RuneError || r != ' ' && !unicode.IsPrint(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// alike are scripts whose letters are taken for each other's (Unicode UTS #39 §5).
var alike = []*unicode.RangeTable{
	unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee, unicode.Coptic, unicode.Lisu,
}

// mixed reports whether a name mixes scripts that look alike.
func mixed(name string) bool {
	found := 0
	for _, script := range alike {
		if strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(script, r) }) {
			found++
		}
	}
	return found > 1
}

// bears reports whether a name has another one in it, for a reader who does not
// look at case, width and spaces.
func bears(name, other string) bool {
	other = folded(other)
	return other != "" && strings.Contains(folded(name), other)
}

// SameName reports whether people would take two names for one.
func SameName(a, b string) bool {
	a = folded(a)
	return a != "" && a == folded(b)
}

func folded(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(name))
}

// checkContacts: a few short lines.
func checkContacts(m *metadata) *oauth.Error {
	if len(m.Contacts) > 10 {
		return wrong("contacts", "at most ten")
	}
	for _, c := range m.Contacts {
		if c == "" || len(c) > 200 || strings.ContainsFunc(c, unseen) {
			return wrong("contacts", "each at most 200 characters, such as an e-mail address")
		}
	}
	return nil
}
