package fhirsql_test

import (
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"
)

// holds evaluates name=value on one resource as R4 search says.
func (u *universe) holds(r *thing, name, value string) bool {
	code, modifier, _ := strings.Cut(name, ":")
	alternatives := strings.Split(value, ",")
	if code == "_id" {
		return slices.Contains(alternatives, r.id)
	}
	switch {
	case u.defs[r.kind][code].parts != nil:
		return slices.ContainsFunc(alternatives, func(wanted string) bool { return u.defs.composed(r, code, wanted) })
	case code == "_source":
		return source(r, modifier, value)
	}
	found := u.defs.values(r, code)
	if modifier == "identifier" {
		return identified(found, alternatives)
	}
	if modifier == "missing" {
		return (value == "true") == (len(found) == 0)
	}
	some := slices.ContainsFunc(found, func(v any) bool {
		return slices.ContainsFunc(alternatives, func(wanted string) bool {
			return compare(u.defs[r.kind][code].kind, modifier, v, wanted)
		})
	})
	return some != (modifier == "not")
}

func compare(kind, modifier string, v any, wanted string) bool {
	switch kind {
	case "token":
		return token(v, wanted)
	case "reference":
		return reference(v, modifier, wanted)
	case "date":
		return date(v, wanted)
	case "quantity":
		return quantity(v, wanted)
	}
	return slices.ContainsFunc(texts(v), func(s string) bool {
		switch modifier {
		case "exact":
			return s == wanted
		case "contains":
			return strings.Contains(plain(s), plain(wanted))
		}
		return strings.HasPrefix(plain(s), plain(wanted))
	})
}

// plain knows the accents that the universe uses.
func plain(s string) string {
	return strings.NewReplacer("é", "e", "í", "i", "ñ", "n").Replace(strings.ToLower(s))
}

func texts(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	var all []string
	for _, name := range []string{"family", "given", "text"} {
		for _, part := range step(v, name, "") {
			all = append(all, part.(string))
		}
	}
	return all
}

func token(v any, wanted string) bool {
	system, code, both := strings.Cut(wanted, "|")
	fits := func(s, c string) bool {
		if !both {
			return c == wanted
		}
		return s == system && (code == "" || c == code)
	}
	if s, ok := v.(string); ok {
		return fits("", s)
	}
	codings := step(v, "coding", "")
	if _, concept := v.(object)["coding"]; !concept {
		codings = []any{v}
	}
	return slices.ContainsFunc(codings, func(c any) bool {
		s, _ := c.(object)["system"].(string)
		k, _ := c.(object)["code"].(string)
		return k != "" && fits(s, k)
	})
}

func reference(v any, modifier, wanted string) bool {
	kind, id, ok := local(referenceText(v))
	if !ok {
		return false
	}
	if wantedKind, wantedID, typed := local(wanted); typed {
		return kind == wantedKind && id == wantedID && (modifier == "" || modifier == kind)
	}
	return id == wanted && (modifier == "" || modifier == kind)
}

// span is the milliseconds a date covers, the end excluded.
func span(s string) (low, high int64) {
	for _, form := range []struct {
		layout              string
		years, months, days int
		more                time.Duration
	}{
		{"2006", 1, 0, 0, 0}, {"2006-01", 0, 1, 0, 0}, {"2006-01-02", 0, 0, 1, 0}, {time.RFC3339, 0, 0, 0, time.Second},
	} {
		if t, err := time.Parse(form.layout, s); err == nil {
			end := t.AddDate(form.years, form.months, form.days).Add(form.more)
			if strings.Contains(s, ".") {
				end = t.Add(time.Millisecond)
			}
			return t.UnixMilli(), end.UnixMilli()
		}
	}
	panic("the universe has no such date: " + s)
}

func spanOf(v any) (low, high int64) {
	if s, ok := v.(string); ok {
		return span(s)
	}
	low, high = math.MinInt64, math.MaxInt64
	if s, ok := v.(object)["start"].(string); ok {
		low, _ = span(s)
	}
	if s, ok := v.(object)["end"].(string); ok {
		_, high = span(s)
	}
	return low, high
}

func prefix(s string) (word, rest string) {
	if len(s) > 2 && s[0] >= 'a' && s[0] <= 'z' {
		return s[:2], s[2:]
	}
	return "eq", s
}

func date(v any, wanted string) bool {
	word, rest := prefix(wanted)
	from, to := span(rest)
	low, high := spanOf(v)
	inside := from <= low && high <= to
	switch word {
	case "ne":
		return !inside
	case "gt":
		return high > to
	case "lt":
		return low < from
	case "ge":
		return high > to || inside
	case "le":
		return low < from || inside
	case "sa":
		return low >= to
	case "eb":
		return high <= from
	}
	return inside
}

func quantity(v any, wanted string) bool {
	o := v.(object)
	parts := strings.Split(wanted, "|")
	if len(parts) == 3 && (parts[1] != "" && o["system"] != parts[1] || o["code"] != parts[2] && (parts[1] != "" || o["unit"] != parts[2])) {
		return false
	}
	if o["value"] == nil {
		return false // there, and no number to compare
	}
	word, digits := prefix(parts[0])
	n, ok := new(big.Rat).SetString(string(o["value"].(json.Number)))
	want, wantOK := new(big.Rat).SetString(digits)
	if !ok || !wantOK {
		panic("the universe has no such number")
	}
	_, fraction, _ := strings.Cut(digits, ".")
	half := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Mul(big.NewInt(2), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction))), nil)))
	inside := n.Cmp(new(big.Rat).Sub(want, half)) >= 0 && n.Cmp(new(big.Rat).Add(want, half)) < 0
	switch word {
	case "ne":
		return !inside
	case "gt", "sa":
		return n.Cmp(want) > 0
	case "lt", "eb":
		return n.Cmp(want) < 0
	case "ge":
		return n.Cmp(want) >= 0
	case "le":
		return n.Cmp(want) <= 0
	}
	return inside
}

// question is a search as the oracle understands it.
type question struct {
	Kind       string
	Where      [][2]string
	Sort       string // one code, perhaps with a minus
	Include    string
	RevInclude string
	More       [][2]string // further includes: the parameter's name, and its value
}

// answer lists the matches in their order, out of what a grant finds.
func (u *universe) answer(g grant, q question) []*thing {
	var found []*thing
	for _, r := range u.things {
		if r.kind == q.Kind && u.sees(g, r, "s") &&
			!slices.ContainsFunc(q.Where, func(w [2]string) bool { return !u.fulfils(g, r, w[0], w[1]) }) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b *thing) int {
		if c := u.order(q, a, b); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	return found
}

// order compares by the sort key; who has none comes last.
func (u *universe) order(q question, a, b *thing) int {
	code, down := strings.CutPrefix(q.Sort, "-")
	switch code {
	case "":
		return 0
	case "_id":
		c := strings.Compare(a.id, b.id)
		if down {
			return -c
		}
		return c
	}
	x, y := u.defs.values(a, code), u.defs.values(b, code)
	if len(x) == 0 || len(y) == 0 {
		return min(len(y), 1) - min(len(x), 1)
	}
	if u.defs[q.Kind][code].kind == "date" {
		xl, xh := spanOf(x[0])
		yl, yh := spanOf(y[0])
		switch {
		case down && xh != yh:
			return map[bool]int{true: -1, false: 1}[xh > yh]
		case !down && xl != yl:
			return map[bool]int{true: -1, false: 1}[xl < yl]
		}
		return 0
	}
	c := strings.Compare(plain(x[0].(string)), plain(y[0].(string)))
	if down {
		return -c
	}
	return c
}
