package upstream

import (
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/fhir/search"
)

// wording is a clause as it is sent. Of a date that is a year or a month, at whose
// beginning or end a range begins or ends, the day is said: it means the same (R4 search
// §3.1.1.4.5), and servers differ about the shorter one (HAPI FHIR 8.8 leaves 2020 out of
// ge2020).
func wording(c search.Clause) (name, value string) {
	name, value = c.Canonical()
	if c.Parameter.Type != search.TypeDate || c.Modifier != "" {
		return name, value
	}
	parts := strings.Split(value, ",")
	for i, part := range parts {
		parts[i] = toTheDay(part)
	}
	return name, strings.Join(parts, ",")
}

func toTheDay(value string) string {
	date, lower := strings.CutPrefix(value, "ge")
	if !lower {
		var upper bool
		if date, upper = strings.CutPrefix(value, "le"); !upper {
			return value
		}
	}
	for layout, next := range map[string]func(time.Time) time.Time{
		"2006":    func(t time.Time) time.Time { return t.AddDate(1, 0, 0) },
		"2006-01": func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
	} {
		first, err := time.Parse(layout, date)
		switch {
		case err != nil:
		case lower:
			return "ge" + first.Format(time.DateOnly)
		default:
			return "le" + next(first).AddDate(0, 0, -1).Format(time.DateOnly)
		}
	}
	return value
}
