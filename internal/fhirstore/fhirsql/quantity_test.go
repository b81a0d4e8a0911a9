package fhirsql_test

import (
	"context"
	"net/url"
	"slices"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// A quantity without a number, or a range that ends before it begins, is there and
// compares with nothing; the store says what search.Match says.
func TestQuantitiesWithoutNumber(t *testing.T) {
	all := map[string]string{
		"none":     `"onsetAge":{"unit":"a","system":"http://unitsofmeasure.org","code":"a"}`,
		"inverted": `"onsetRange":{"low":{"value":80,"code":"a"},"high":{"value":20,"code":"a"}}`,
		"forty":    `"onsetAge":{"value":40,"unit":"a","code":"a"}`,
		"open":     `"onsetRange":{"low":{"value":40,"code":"a"}}`,
	}
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			resources := map[string]fhir.Resource{}
			for id, onset := range all {
				text := `{"resourceType":"Condition","id":"` + id + `","subject":{"reference":"Patient/a"},` + onset + `}`
				load(t, s, of(text))
				r, err := fhir.ParseResource([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				resources[id] = r
			}
			for value, want := range map[string][]string{
				"40": {"forty"}, "eq40": {"forty"}, "eq40||a": {"forty"}, "eq30": nil, "ne40": {"open"}, "ne30": {"forty", "open"},
				"gt30": {"forty", "open"}, "lt50": {"forty", "open"}, "ge40": {"forty", "open"}, "le40": {"forty", "open"},
				"sa30": {"forty", "open"}, "sa40": nil, "eb50": {"forty"}, "eb10": nil, "ap40": {"forty", "open"}, "ap39": {"forty", "open"},
			} {
				q, err := search.Parse("Condition", url.Values{"onset-age": {value}}, base)
				if err != nil {
					t.Fatal(err)
				}
				page, err := s.Search(context.Background(), access.System("test", base), q)
				if err != nil {
					t.Fatal(err)
				}
				var found, matched []string
				for _, m := range page.Matches {
					found = append(found, m.Resource.ID())
				}
				for id, r := range resources {
					if search.Match(q.Expr(), r, search.Owners{}, base) {
						matched = append(matched, id)
					}
				}
				slices.Sort(matched)
				if !slices.Equal(found, want) || !slices.Equal(matched, want) {
					t.Errorf("onset-age=%s: the store finds %v, Match %v, want %v", value, found, matched, want)
				}
			}
			there, err := search.Parse("Condition", url.Values{"onset-age:missing": {"false"}}, base)
			if err != nil {
				t.Fatal(err)
			}
			if page, err := s.Search(context.Background(), access.System("test", base), there); err != nil || len(page.Matches) != len(all) {
				t.Errorf("%d are there, %v", len(page.Matches), err)
			}
		})
	}
}
