package sensitive_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

func TestValueSetsAreRead(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"composed":      {`{"resourceType":"ValueSet","compose":{"include":[{"system":"s","concept":[{"code":"a"},{"code":"b"}]},{"system":"t"}]}}`, "[s|a s|b t|*]"},
		"expanded":      {`{"resourceType":"ValueSet","compose":{"include":[{"system":"s","filter":[{}]}]},"expansion":{"contains":[{"system":"s","code":"a","contains":[{"system":"s","code":"b"}]},{"abstract":true,"contains":[{"system":"t","code":"c"}]}]}}`, "[s|a s|b t|c]"},
		"not a set":     {`{"resourceType":"CodeSystem"}`, "line 1: this is not a ValueSet"},
		"a list":        {`[]`, "line 1: this is not a ValueSet"},
		"no JSON":       {"{\n\"resourceType\":\n\"ValueSet\",\n}", "line 3: this is not one JSON object"},
		"a name twice":  {"{\"resourceType\":\"ValueSet\",\n\"resourceType\":\"ValueSet\"}", "line 1: this is not one JSON object"},
		"two documents": {"{\"resourceType\":\"ValueSet\"}\n{}", "line 2: this is not one JSON object"},
		"too deep":      {strings.Repeat("[", 200), "nested more than 100 levels"},
		"cut off":       {`{"resourceType":"ValueSet","compose":{"include":[`, "not one JSON object"},
		"no codes":      {`{"resourceType":"ValueSet"}`, "line 1: the ValueSet has no codes"},
		"a filter":      {"{\"resourceType\":\"ValueSet\",\"compose\":{\"include\":[\n{\"system\":\"s\",\n\"filter\":[{}]}]}}", "line 3: filter is not worked out here; use an expanded ValueSet"},
		"another set":   {`{"resourceType":"ValueSet","compose":{"include":[{"valueSet":["x"]}]}}`, "line 1: valueSet is not worked out here"},
		"an exclusion":  {`{"resourceType":"ValueSet","compose":{"include":[{"system":"s"}],"exclude":[{"system":"s"}]}}`, "exclude is not worked out here"},
		"no system":     {`{"resourceType":"ValueSet","compose":{"include":[{"concept":[{"code":"a"}]}]}}`, "there is no system"},
		"no code":       {"{\"resourceType\":\"ValueSet\",\"compose\":{\"include\":[{\"system\":\"s\",\"concept\":[\n\n{\"display\":\"a\"}]}]}}", "line 3: a concept has no system or no code"},
		"a star":        {`{"resourceType":"ValueSet","expansion":{"contains":[{"system":"s","code":"a*"}]}}`, "a concept has no system or no code that can be compared"},
	} {
		list, err := sensitive.ReadValueSet([]byte(c.text))
		got := fmt.Sprint(list)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestCodesAreRead(t *testing.T) {
	for _, good := range []string{"s|a", "urn:x|F10*", "s|*", "http://a/b|one two"} {
		if c, err := sensitive.ParseCode(good); err != nil || c.String() != good {
			t.Errorf("%q: %v %v", good, c, err)
		}
	}
	for _, bad := range []string{"", "a", "|a", "s|", "s|a*b", "s|**", "s t|a", "s|a|b", "s| a", "s|a\n"} {
		if _, err := sensitive.ParseCode(bad); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	if _, err := sensitive.ParseLabel("s|a*"); err == nil {
		t.Error("a label with * is read")
	}
}

func FuzzValueSet(f *testing.F) {
	f.Add(`{"resourceType":"ValueSet","compose":{"include":[{"system":"s","concept":[{"code":"a"}]}]}}`)
	f.Add(`{"resourceType":"ValueSet","expansion":{"contains":[{"system":"s","code":"a","contains":[]}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		list, err := sensitive.ReadValueSet([]byte(text))
		if (err == nil) != (len(list) > 0) {
			t.Errorf("%d codes, %v", len(list), err)
		}
		for _, c := range list {
			if again, err := sensitive.ParseCode(c.String()); err != nil || again != c {
				t.Errorf("%v is no code: %v", c, err)
			}
		}
	})
}

func TestDefinitionsAreChecked(t *testing.T) {
	words := map[string]string{"en": "x", "es": "y"}
	code := []sensitive.Code{{System: "s", Code: "a"}}
	good := sensitive.Definition{Name: "hiv", Words: words, Codes: code, Readers: []access.Reader{{Audience: access.AudiencePatient, Apps: []string{"*"}}}}
	with := func(change func(d *sensitive.Definition)) sensitive.Definition {
		d := good
		change(&d)
		return d
	}
	for name, c := range map[string]struct {
		list []sensitive.Definition
		want string
	}{
		"good":           {[]sensitive.Definition{good}, "[]"},
		"a name":         {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Name = "H I V" })}, `0.name: "H I V" is not made of small letters`},
		"twice":          {[]sensitive.Definition{good, good}, `1.name: "hiv" is defined twice`},
		"words":          {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Words = map[string]string{"en": "x"} })}, `0.words: there are none in the language "es"`},
		"empty":          {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Codes = nil })}, `0.name: "hiv" has neither codes`},
		"unlisted":       {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Name = "unlisted" })}, `0.name: "unlisted" is what has a label that is not listed`},
		"label twice":    {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Labels = code }), with(func(d *sensitive.Definition) { d.Name, d.Labels = "b", code })}, `1.labels: s|a means "hiv" already`},
		"label ordinary": {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Labels = []sensitive.Code{{System: "o", Code: "o"}} })}, `0.labels: o|o stands among`},
		"audience":       {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Readers = []access.Reader{{Audience: "nurse", Apps: []string{"a"}}} })}, `0.readers[0]: the audience "nurse" is not`},
		"no apps":        {[]sensitive.Definition{with(func(d *sensitive.Definition) { d.Readers = []access.Reader{{Audience: "patient"}} })}, `0.readers[0]: apps: name the client ids`},
		"every and one": {[]sensitive.Definition{with(func(d *sensitive.Definition) {
			d.Readers = []access.Reader{{Audience: "patient", Apps: []string{"*", "a"}}}
		})}, `0.readers[0]: apps: name client ids, or "*" alone`},
		"words of unknown": {[]sensitive.Definition{{Name: "unlisted", Words: words}}, "[]"},
	} {
		wrong := sensitive.Check(c.list, []sensitive.Code{{System: "o", Code: "o"}}, []string{"en", "es"}, func(n int, part string) string { return fmt.Sprint(n, ".", part) })
		if got := fmt.Sprint(wrong); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if wrong := sensitive.Check(make([]sensitive.Definition, 51), nil, nil, func(n int, part string) string { return fmt.Sprint(n, part) }); !strings.Contains(fmt.Sprint(wrong), "there may be 50") {
		t.Error("any number may be defined")
	}
}
