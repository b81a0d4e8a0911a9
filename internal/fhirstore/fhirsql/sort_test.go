package fhirsql_test

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Texts sort by their beginning, in the store as in search.SortKey, and a position
// is never longer than it may be, whatever the texts are.
//
// attack: B.47
func TestLongTextsSort(t *testing.T) {
	beginnings := map[string]string{
		"a": strings.Repeat("a", 199), "b": strings.Repeat("ü", 210), "c": strings.Repeat("😀", 210), "d": strings.Repeat("\u0001", 210),
		"e": strings.Repeat("<", 210), "f": strings.Repeat("\u2028x", 110), "g": strings.Repeat("aé", 2500),
	}
	var all []fhir.Resource
	var texts []string
	for name, text := range beginnings {
		for i, end := range []string{"z", "y", "x", ""} { // behind the beginning, but for "a"
			text := fmt.Sprintf(`{"resourceType":"Patient","id":"%s%d","active":true,"name":[{"family":%q}],"address":[{"city":%q,"country":%q}],"telecom":[{"value":%q}]}`,
				name, i, text+end, text, text+end, text+end)
			text = strings.NewReplacer(`\x01`, `\u0001`, `\U0001f600`, "😀").Replace(text)
			r, err := fhir.ParseResource([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			all, texts = append(all, r), append(texts, text)
		}
	}
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			load(t, s, of(texts...))
			for _, keys := range []string{"family", "-family", "address-city,-address-country,telecom,family", "-telecom,family", "active,-family"} {
				q, err := search.Parse("Patient", url.Values{"_sort": {keys}, "_count": {"3"}}, base)
				if err != nil {
					t.Fatal(err)
				}
				var want, got []string
				ordered := slices.Clone(all)
				slices.SortFunc(ordered, func(x, y fhir.Resource) int {
					for _, k := range q.Sort {
						if c := k.Compare(k.Of(x, base), k.Of(y, base)); c != 0 {
							return c
						}
					}
					return cmp.Compare(x.ID(), y.ID())
				})
				for _, r := range ordered {
					want = append(want, r.ID())
				}
				for {
					page, err := s.Search(context.Background(), access.System("test", base), q)
					if err != nil {
						t.Fatal(err)
					}
					for _, m := range page.Matches {
						got = append(got, m.Resource.ID())
					}
					if len(page.Next) > fhirstore.MaxPosition(q) {
						t.Errorf("_sort=%s: a position of %d bytes, at most %d are promised", keys, len(page.Next), fhirstore.MaxPosition(q))
					}
					if q.Cursor = page.Next; q.Cursor == "" {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("_sort=%s:\n got %v\nwant %v", keys, got, want)
				}
			}
		})
	}
}
