package smart_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/smart"
)

// meets is what a database tells of a scope that is asked for.
func meets(h smart.Holding, asked smart.Scope) bool { return h.Meets(asked.Demand()) }

// conditional draws a scope with conditions of every kind that a scope may have, in
// several spellings of the same.
func conditional() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		conditions := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
			"category=a", "category=a,b", "category=s|a", "category=s|", "category=|a", "category=s|a,b",
			"date=ge2024", "date=2024", "date=eq2024", "date=2024-05-31T10:00:00Z", "date=2024-05-31T12:00:00+02:00", "date=2024-05-31T10:00:00.000Z",
			"subject=Patient/1", "subject=1", "subject=Patient/1/_history/2", "subject=http://elsewhere.example/Patient/1", "subject=Group/1",
			"value-string=Ab", "value-string=ab",
		}), 1, 3, rapid.ID).Draw(t, "conditions")
		text := "patient/Observation." + rapid.SampledFrom([]string{"r", "rs"}).Draw(t, "permissions") + "?"
		for i, c := range conditions {
			if i > 0 {
				text += "&"
			}
			text += c
		}
		return text
	})
}

// The words of a holding tell what Covers tells, and nothing else.
//
// spec: RT-08
func TestAHoldingMeetsWhatTheSetCovers(t *testing.T) {
	texts := rapid.OneOf(scopeText(), conditional(), conditional())
	met := 0
	rapid.Check(t, func(t *rapid.T) {
		granted := smart.NewScopeSet(rapid.SliceOfN(texts, 0, 6).Draw(t, "granted"))
		asked, err := smart.ParseScope(texts.Draw(t, "asked"))
		if err != nil {
			t.Skip()
		}
		if got := meets(granted.Holding(), asked); got != granted.Covers(asked) {
			t.Fatalf("%q meets %s: %v", granted, asked, got)
		} else if got {
			met++
		}
	})
	if met == 0 {
		t.Error("nothing was met: the test shows nothing")
	}
}

// FuzzHolding: the same for whatever can be written.
func FuzzHolding(f *testing.F) {
	f.Add("patient/Observation.rs?category=a,b&date=ge2024", "patient/Observation.r?category=a&date=ge2024")
	f.Add("patient/*.rs?_tag=a patient/Observation.cruds", "patient/Observation.rs?_tag=s|a")
	f.Add("user/Observation.rs?subject=Patient/1", "user/Observation.rs?subject=1")
	f.Fuzz(func(t *testing.T, have, want string) {
		granted, err := smart.ParseScopes(have)
		if err != nil {
			return
		}
		asked, err := smart.ParseScope(want)
		if err != nil {
			return
		}
		if got := meets(granted.Holding(), asked); got != granted.Covers(asked) {
			t.Fatalf("%q meets %s: %v", granted, asked, got)
		}
	})
}

// Every kind of parameter has words of its own, whatever the spelling.
func TestWordsOfEveryKind(t *testing.T) {
	for _, row := range []struct {
		granted, asked string
		want           bool
	}{
		{"date=2024-05-31T10:00:00Z", "date=eq2024-05-31T12:00:00+02:00", true},
		{"date=ge2024", "date=gt2024", false},
		{"subject=Patient/1", "subject=Patient/1/_history/2", true},
		{"subject=1", "subject=Patient/1", false},
		{"subject=http://elsewhere.example/Patient/1", "subject=http://elsewhere.example/Patient/1", true},
		{"value-string=Ab", "value-string=ab", false},
	} {
		granted, asked := set(t, "patient/Observation.rs?"+row.granted), set(t, "patient/Observation.r?"+row.asked)
		if got := meets(granted.Holding(), asked.Clinical()[0]); got != row.want || granted.Covers(asked.Clinical()[0]) != got {
			t.Errorf("%s meets %s: %v", row.granted, row.asked, got)
		}
	}
	for asked, want := range map[string]bool{"http://a.example": true, "http://b.example": false} {
		list := set(t, "patient/ValueSet.r?url="+asked).Clinical()
		if got := meets(set(t, "patient/ValueSet.r?url=http://a.example").Holding(), list[0]); got != want {
			t.Errorf("%s: %v", asked, got)
		}
	}
}

func TestNothingHoldsNothing(t *testing.T) {
	asked, err := smart.ParseScope("patient/Patient.r")
	if err != nil {
		t.Fatal(err)
	}
	var zero smart.Scope
	if meets(smart.Holding{}, asked) || (smart.Holding(nil)).Meets(smart.Demand{}) || set(t, "patient/*.cruds").Holding().Meets(zero.Demand()) {
		t.Error("nothing meets something")
	}
}
