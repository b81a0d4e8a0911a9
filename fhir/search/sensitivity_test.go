package search_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// attack: GW-40
func TestWhatNobodyHasLookedAtIsFreeOfNothing(t *testing.T) {
	one := search.NewCategories("hiv")
	for name, c := range map[string]struct {
		has  search.Sensitivity
		of   search.Categories
		want bool
	}{
		"nothing is withheld":         {search.Sensitivity{}, search.Categories{}, true},
		"nobody has looked":           {search.Sensitivity{}, one, false},
		"free":                        {search.Classified(), one, true},
		"of another category":         {search.Classified("hi", "hivx"), one, true},
		"of this one":                 {search.Classified("abuse", "hiv"), one, false},
		"derived from what is":        {search.Classified().And(search.Classified("hiv")), one, false},
		"derives this one as well":    {search.Classified("hiv").And(search.Classified("abuse")), one, false},
		"of both, free of a third":    {search.Classified("hiv").And(search.Classified("abuse")), search.NewCategories("x"), true},
		"derived from what is unread": {search.Classified().And(search.Sensitivity{}), one, false},
	} {
		if got := c.has.Free(c.of); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestSensitivityIsReadAsItWasWritten(t *testing.T) {
	for _, s := range []search.Sensitivity{{}, search.Classified(), search.Classified("a"), search.Classified("b", "a", "a")} {
		if got := search.ReadSensitivity(s.String()); got.String() != s.String() || got.Looked() != s.Looked() || !got.Of().Equal(s.Of()) {
			t.Errorf("%q: read as %q", s, got)
		}
	}
	if s := search.Classified("b", "a", "a").Of(); s.Len() != 2 || s.List()[0] != "a" {
		t.Errorf("%v", s.List())
	}
}

func TestOneRecordHasOtherCategoriesWithheld(t *testing.T) {
	r, err := fhir.ParseResource([]byte(`{"resourceType":"Observation","id":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	e := search.Cleared{Withheld: search.NewCategories("x", "y"), Own: "a", OwnWithheld: search.NewCategories("y")}
	for name, c := range map[string]struct {
		owners []string
		has    search.Sensitivity
		want   bool
	}{
		"own":              {[]string{"a"}, search.Classified("x"), true},
		"own, withheld":    {[]string{"a"}, search.Classified("y"), false},
		"of another":       {[]string{"b"}, search.Classified("x"), false},
		"own and another":  {[]string{"a", "b"}, search.Classified("x"), false},
		"of nobody":        {nil, search.Classified("x"), false},
		"of another, free": {[]string{"b"}, search.Classified(), true},
		"not looked at":    {[]string{"a"}, search.Sensitivity{}, false},
	} {
		if got := search.Match(e, r, search.Owners{Required: c.owners, Sensitivity: c.has}, ""); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
