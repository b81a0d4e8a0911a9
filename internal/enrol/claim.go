package enrol

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"unicode"

	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// claim is what a person says about themselves.
type claim struct{ given, family, birthDate, code string }

// maxInput bounds one input, in bytes.
const maxInput = 200

// read takes the form apart. birth_date may come as one value or as three.
func read(typed url.Values) (page.Identify, claim) {
	get := func(name string) string {
		s := strings.TrimSpace(typed.Get(name))
		if len(s) > maxInput {
			return ""
		}
		return s
	}
	p := page.Identify{
		Given: get("given"), Family: get("family"), OneName: typed.Get("one_name") != "", Code: get("code"),
		Year: get("birth_date-year"), Month: get("birth_date-month"), Day: get("birth_date-day"),
	}
	if whole := get("birth_date"); whole != "" && p.Year == "" {
		if parts := strings.Split(whole, "-"); len(parts) == 3 {
			p.Year, p.Month, p.Day = parts[0], parts[1], parts[2]
		}
	}
	date, ok := account.BirthDate(p.Year, p.Month, p.Day)
	for _, check := range []struct {
		bad            bool
		field, message string
	}{
		{p.Given == "" && (!p.OneName || p.Family == ""), "given", "identify.given-missing"},
		{p.Family == "" && !p.OneName, "family", "identify.family-missing"},
		{!ok, "birth_date-year", "identify.date-wrong"}, {canonical(p.Code) == "", "code", "identify.code-missing"},
	} {
		if check.bad {
			p.Problems = append(p.Problems, page.FieldProblem{Field: check.field, Message: check.message})
		}
	}
	return p, claim{p.Given, p.Family, date, p.Code}
}

// canonical is a code without spaces and hyphens, in capitals.
func canonical(code string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, code)
}

// plain is a name without case, accents, punctuation and spaces.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, search.Normalize(name))
}

// maxTries is how often one invitation may be tried.
const maxTries = 5

// matches compares a claim with the invitation and the record. The try is counted
// before; an unknown code costs a look at a record as well.
func (d *Door) matches(ctx context.Context, c claim) (patient string, codeHash []byte, ok bool, err error) {
	codeHash = CodeHash(c.code)
	invitation, err := d.deps.Store.TryInvitation(ctx, codeHash, maxTries)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", nil, false, err
	}
	id := invitation.Patient
	if !known {
		id = "nobody"
	}
	record, err := d.deps.Patients.Patient(ctx, id)
	found := err == nil
	if err != nil && !errors.Is(err, reach.ErrNotFound) {
		return "", nil, false, err
	}
	name := sameName(record.Family, c.family)&givenMatches(record.Given, c.given) | onlyName(record.Only, c)
	same := equal(record.BirthDate, c.birthDate) & name
	return invitation.Patient, codeHash, known && found && same == 1, nil
}

func equal(a, b string) int { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) }

// sameName compares what is left of two names; nothing matches nothing.
func sameName(record, typed string) int {
	return equal(plain(record), plain(typed)) & (1 - equal(plain(record), ""))
}

// givenMatches: all given names of the record, or the first of them.
func givenMatches(record, typed string) int {
	first, _, _ := strings.Cut(record, " ")
	return sameName(record, typed) | sameName(first, typed)
}

// onlyName: the one name of the record, wherever it was typed.
func onlyName(record string, c claim) int {
	return sameName(record, c.given+c.family) | sameName(record, c.given)&sameName(record, c.family)
}
