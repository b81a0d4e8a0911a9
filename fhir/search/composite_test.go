package search_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// What a composite asks holds of one element; an identifier is that of the reference;
// URLs lie below others name by name.
//
// attack: B.25
func TestConditionsWithParts(t *testing.T) {
	for content, rows := range map[string]map[string]bool{
		`{"resourceType":"Observation","id":"o","code":{"coding":[{"system":"l","code":"8480"}]},"valueQuantity":{"value":7,"code":"mm"},
		"subject":{"identifier":{"system":"u","value":"n"}},"performer":[{"type":"Patient","identifier":{"value":"m"}}],
		"component":[{"code":{"coding":[{"code":"sys"}]},"valueQuantity":{"value":120}},{"code":{"coding":[{"code":"dia"}]},"valueQuantity":{"value":80}}]}`: {
			"code-value-quantity=8480$7": true, "code-value-quantity=l|8480$gt6||mm": true, "code-value-quantity=8480$8": false, "code-value-quantity=sys$7": false, "code-value-quantity=x$1,8480$7": true,
			"component-code-value-quantity=sys$120": true, "component-code-value-quantity=sys$80": false, "component-code-value-quantity=8480$7": false,
			"combo-code-value-quantity=sys$120": true, "combo-code-value-quantity=8480$7": true, "combo-code-value-quantity=8480$120": false,
			"subject:identifier=u|n": true, "subject:identifier=n": true, "subject:identifier=u|": true, "subject:identifier=|n": false, "subject:identifier=m": false, "subject=n": false,
			"patient:identifier=n": false, "performer:identifier=m": true,
		},
		`{"resourceType":"DocumentReference","id":"d","relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/a"}},{"code":"signs","target":{"reference":"DocumentReference/b"}}]}`: {
			"relationship=replaces$DocumentReference/a": true, "relationship=replaces$a": true, "relationship=replaces$b": false, "relationship=signs$DocumentReference/b": true,
		},
		`{"resourceType":"MolecularSequence","id":"m","referenceSeq":{"chromosome":{"coding":[{"code":"1"}]},"windowStart":5,"windowEnd":9},"variant":[{"start":1,"end":2},{"start":3,"end":4}]}`: {
			"chromosome-variant-coordinate=1$ge3$le4": true, "chromosome-variant-coordinate=1$1$4": false, "chromosome-variant-coordinate=2$3$4": false, "chromosome-window-coordinate=1$5$9": true, "chromosome-window-coordinate=1$5$8": false,
		},
		`{"resourceType":"ValueSet","id":"v","url":"http://a.org/fhir/ValueSet/x","useContext":[{"code":{"code":"age"},"valueRange":{"low":{"value":3},"high":{"value":6}}},{"code":{"code":"focus"},"valueCodeableConcept":{"coding":[{"code":"f"}]}}]}`: {
			"context-type-quantity=age$gt5": true, "context-type-quantity=focus$gt5": false, "context-type-value=focus$f": true, "context-type-value=age$f": false,
			"url:below=http://a.org/fhir": true, "url:below=http://a.org/fhir/": true, "url:below=http://a.org/fhi": false, "url:below=http://a.org/fhir/ValueSet/x/y": false, "url:below=http://a.org/fhir/ValueSet/x": true,
			"url:above=http://a.org/fhir/ValueSet/x/_history/5": true, "url:above=http://a.org/fhir/ValueSet/xy": false, "url:above=http://a.org/fhir/ValueSet": false, "url=http://a.org/fhir": false,
		},
	} {
		r, err := fhir.ParseResource([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		for query, want := range rows {
			name, value, _ := strings.Cut(query, "=")
			q, err := search.Parse(r.Type(), url.Values{name: {value}}, "")
			if err != nil {
				t.Errorf("%s: %v", query, err)
				continue
			}
			if got := search.Match(q.Expr(), r, search.Owners{}, ""); got != want {
				t.Errorf("%s?%s: %v", r.Type(), query, got)
			}
			name, value = q.Where[0].Canonical()
			again, err := search.Parse(r.Type(), url.Values{name: {value}}, "")
			if err != nil || search.Match(again.Expr(), r, search.Owners{}, "") != want {
				t.Errorf("%s is printed as %s=%s: %v", query, name, value, err)
			}
		}
	}
	for kind, queries := range map[fhir.ResourceType][]string{"ValueSet": {"url:above=urn:oid:1.2.3", "url:below=x/y", "url:below=", "url:in=http://a"}, "Observation": {"code:above=x", "code:below=x"}} {
		for _, query := range queries {
			name, value, _ := strings.Cut(query, "=")
			if _, err := search.Parse(kind, url.Values{name: {value}}, ""); err == nil {
				t.Error(query, "is understood")
			}
		}
	}
}

// Every composite of the table is made of parts that can be asked.
func TestCompositesHaveParts(t *testing.T) {
	n := 0
	for _, kind := range fhir.ResourceTypes() {
		for _, p := range search.Parameters(kind) {
			if p.Type != search.TypeComposite {
				continue
			}
			n++
			good := false
			for _, value := range []string{"1$1", "1$1$1", "1$2020", "a$b"} {
				_, err := search.Parse(kind, url.Values{p.Code: {value}}, "")
				good = good || err == nil
			}
			if !good {
				t.Errorf("%s understands nothing", p.Name())
			}
		}
	}
	if n < 70 {
		t.Error("composites:", n)
	}
}
