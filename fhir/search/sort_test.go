package search_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

func parse(t *testing.T, text string) fhir.Resource {
	t.Helper()
	r, err := fhir.ParseResource([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A text sorts by its first 200 characters, and characters are not bytes.
func TestTextsSortByTheirBeginning(t *testing.T) {
	q, err := search.Parse("Patient", url.Values{"_sort": {"family"}}, base)
	if err != nil {
		t.Fatal(err)
	}
	key := func(family string) search.SortValue {
		return q.Sort[0].Of(parse(t, `{"resourceType":"Patient","id":"a","name":[{"family":"`+family+`"}]}`), base)
	}
	for name, row := range map[string]struct {
		a, b string
		want int
	}{
		"the last that counts":      {strings.Repeat("ж", 199) + "a", strings.Repeat("ж", 199) + "b", -1},
		"the first that does not":   {strings.Repeat("ж", 200) + "a", strings.Repeat("ж", 200) + "b", 0},
		"one ends there":            {strings.Repeat("a", 200), strings.Repeat("a", 200) + "b", 0},
		"one ends before":           {strings.Repeat("a", 199), strings.Repeat("a", 200), -1},
		"four bytes for each":       {strings.Repeat("😀", 200) + "a", strings.Repeat("😀", 200), 0},
		"short ones, as they stand": {"b", "a", 1},
	} {
		if got := q.Sort[0].Compare(key(row.a), key(row.b)); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}

// The ends of a range may be open; its unit is that of the lower end, or else of
// the higher one.
func TestRanges(t *testing.T) {
	for name, row := range map[string]struct {
		onset string
		want  map[string]bool
	}{
		"both ends":       {`{"low":{"value":20,"code":"a"},"high":{"value":40,"code":"mo"}}`, map[string]bool{"ge30||a": true, "le10||a": false, "gt40||a": false, "ge30||mo": false}},
		"no lower end":    {`{"high":{"value":40,"code":"a"}}`, map[string]bool{"lt1||a": true, "gt40||a": false}},
		"no higher end":   {`{"low":{"value":20,"code":"a"}}`, map[string]bool{"gt999||a": true, "lt20||a": false}},
		"an end is empty": {`{"low":{},"high":{"value":40}}`, map[string]bool{"lt1": true, "gt40": false}},
	} {
		r := parse(t, `{"resourceType":"Condition","id":"a","onsetRange":`+row.onset+`}`)
		for value, want := range row.want {
			q, err := search.Parse("Condition", url.Values{"onset-age": {value}}, base)
			if err != nil {
				t.Fatal(err)
			}
			if got := search.Match(q.Expr(), r, search.Owners{}, base); got != want {
				t.Errorf("%s: onset-age=%s: %v, want %v", name, value, got, want)
			}
		}
	}
}
