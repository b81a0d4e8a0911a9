package page

import (
	"fmt"
	"html/template"
	"log/slog"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// tongue is one language with its sentences and templates, parsed once.
type tongue struct {
	code     string
	tag      language.Tag
	messages map[string]string
	pages    map[string]*template.Template
	now      func() time.Time
	log      *slog.Logger
}

// pair hands two values to a part of a page.
type pair struct{ First, Second any }

// mistake is a mistake with the field where it can be put right.
type mistake struct{ Field, Text string }

// functions are what templates call.
func (l *tongue) functions() template.FuncMap {
	return template.FuncMap{
		"t": l.text, "n": l.counted, "has": l.has, "date": l.date, "day": l.day, "clock": clock, "minutes": l.minutes,
		"pair": func(first, second any) pair { return pair{first, second} }, "summary": l.summary, "ago": l.ago, "moment": l.moment, "groups": l.groups, "said": l.said, "waiting": l.waiting,
		"fullDate": func(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil },
		"kinds":    l.kinds, "mistake": func(field, text string) mistake { return mistake{field, text} },
		"style": func() string { return "/assets/" + styleFile }, "initial": initial, "external": external,
	}
}

func (l *tongue) has(key string) bool { return l.messages[key] != "" }

// text is a sentence with its {named} parts filled in, pairs of name and value.
// The parts are filled in at once: what a person wrote is never searched for more.
// A key without words shows itself and is logged.
func (l *tongue) text(key string, pairs ...any) string {
	s, ok := l.messages[key]
	if !ok {
		l.log.Warn("a page has no words for a key", "key", key, "language", l.code)
		return key
	}
	if len(pairs) == 0 {
		return s
	}
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		parts = append(parts, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(parts...).Replace(s)
}

// counted is a sentence about a number, in the plural form of the language (CLDR):
// key.one, key.other and so on, with {count}.
func (l *tongue) counted(key string, count int, pairs ...any) string {
	form := map[plural.Form]string{plural.Zero: ".zero", plural.One: ".one", plural.Two: ".two", plural.Few: ".few", plural.Many: ".many"}[plural.Cardinal.MatchPlural(l.tag, count, 0, 0, 0, 0)]
	if form == "" || !l.has(key+form) {
		form = ".other"
	}
	return l.text(key+form, append(pairs, "count", count)...)
}

// date writes a day as people of the language do.
func (l *tongue) date(t time.Time) string {
	return l.text("date.form", "day", t.Day(), "month", l.text(fmt.Sprintf("month.%d", int(t.Month()))), "year", t.Year())
}

// day writes a FHIR date; a partial one as it is.
func (l *tongue) day(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return l.date(t)
}

// clock writes a time of day. Pages run no script and do not know where the
// person is, so the zone is named.
func clock(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }

// minutes from now, rounded up; at least one.
func (l *tongue) minutes(t time.Time) int {
	return max(1, int((t.Sub(l.now())+time.Minute-1)/time.Minute))
}

// initial is the first letter of a name, for the mark beside it.
func initial(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r))
}

// external is an address of somebody else that a page may link to: https only.
func external(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return address
}
