package search_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

const subsetted = `{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}`

// A part of a resource says that it is one (R4 search §3.1.1.5.9), as one tag
// among those it had, however they are written; every other byte stays.
func TestSubsettedTag(t *testing.T) {
	for name, row := range map[string]struct{ meta, want string }{
		"no meta":             {``, `{"tag":[` + subsetted + `]}`},
		"an empty meta":       {`"meta":{},`, `{"tag":[` + subsetted + `]}`},
		"no tags":             {`"meta":{"versionId":"1"},`, `{"versionId":"1","tag":[` + subsetted + `]}`},
		"a tag":               {`"meta":{"tag":[{"code":"x"}]},`, `{"tag":[{"code":"x"},` + subsetted + `]}`},
		"a tag and blanks":    {`"meta":{"tag":[ {"code":"x"} ] },`, `{"tag":[{"code":"x"},` + subsetted + `]}`},
		"an empty list":       {`"meta":{"tag":[]},`, `{"tag":[` + subsetted + `]}`},
		"an empty list, wide": {`"meta":{"tag":[ ],"source":"s"},`, `{"tag":[` + subsetted + `],"source":"s"}`},
		"null":                {`"meta":{"tag":null,"source":"s"},`, `{"tag":[` + subsetted + `],"source":"s"}`},
		"not a list":          {`"meta":{"tag":{"code":"x"}},`, `{"tag":[` + subsetted + `]}`},
		"a text":              {`"meta":{"tag":"x"},`, `{"tag":[` + subsetted + `]}`},
		"meta is null":        {`"meta":null,`, `{"tag":[` + subsetted + `]}`},
		"meta is a list":      {`"meta":["tag",{}],`, `{"tag":[` + subsetted + `]}`},
		"another name":        {`"meta":{"a\"b":1},`, `{"a\"b":1,"tag":[` + subsetted + `]}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := fhir.Stored("Patient", "a", []byte(`{"resourceType":"Patient","id":"a",`+row.meta+`"gender":"male","x\"y":[ 1.0 ],"text":{}}`))
			p, err := search.ParseProjection("Patient", url.Values{"_summary": {"data"}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Apply(r)
			if err != nil {
				t.Fatal(err)
			}
			if !jsontext.Value(got).IsValid() { // refuses a name that comes twice
				t.Fatalf("not JSON: %s", got)
			}
			var shown struct{ Meta json.RawMessage }
			if err := json.Unmarshal(got, &shown); err != nil || string(shown.Meta) != row.want {
				t.Errorf("meta %s, want %s, %v", shown.Meta, row.want, err)
			}
			if !strings.Contains(string(got), `"x\"y":[ 1.0 ]`) || strings.Contains(string(got), `"text"`) {
				t.Errorf("the rest: %s", got)
			}
		})
	}
}
