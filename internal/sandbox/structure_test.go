package sandbox_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// element is what the table of definitions says of one element.
type element struct {
	Path    string   `json:"path"`
	Min     int      `json:"min"`
	Max     string   `json:"max"`
	Types   []string `json:"types"`
	Content string   `json:"contentReference"`
}

// definitions are the elements of each R4 type, by the path of their parent.
type definitions map[string][]element

func readDefinitions(t *testing.T) definitions {
	t.Helper()
	dir := os.Getenv("EMBERLATCH_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	f, err := os.Open(dir + "/definitions/r4/elements.ndjson.gz")
	if err != nil {
		t.Skip("the table of R4 elements is not here; set EMBERLATCH_DATA to the folder of test data")
	}
	defer f.Close()
	gz, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	d := definitions{}
	lines := bufio.NewScanner(gz)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var kind struct {
			Elements []element `json:"elements"`
		}
		if err := json.Unmarshal(lines.Bytes(), &kind); err != nil {
			t.Fatal(err)
		}
		for _, e := range kind.Elements {
			if cut := strings.LastIndexByte(e.Path, '.'); cut > 0 {
				d[e.Path[:cut]] = append(d[e.Path[:cut]], e)
			}
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return d
}

// find returns the element that a member stands for, and its type.
func (d definitions) find(parent, member string) (element, string, bool) {
	for _, e := range d[parent] {
		name := e.Path[len(parent)+1:]
		if name == member {
			return e, strings.Join(e.Types, "|"), true
		}
		stem, choice := strings.CutSuffix(name, "[x]")
		if !choice || !strings.HasPrefix(member, stem) {
			continue
		}
		for _, t := range e.Types {
			if strings.EqualFold(member[len(stem):], t) {
				return e, t, true
			}
		}
	}
	return element{}, "", false
}

// check returns what is wrong with an object at a path of the definitions.
func (d definitions) check(at string, object map[string]any) (wrong []string) {
	seen := map[string]int{}
	for member, value := range object {
		if member == "resourceType" {
			continue
		}
		e, kind, known := d.find(at, member)
		if !known {
			wrong = append(wrong, at+": unknown element "+member)
			continue
		}
		seen[e.Path]++
		list, repeated := value.([]any)
		if repeated != (e.Max != "1") {
			wrong = append(wrong, e.Path+": a list where one value belongs, or the reverse")
		}
		if !repeated {
			list = []any{value}
		}
		if len(list) == 0 {
			wrong = append(wrong, e.Path+": an empty list")
		}
		for _, item := range list {
			wrong = append(wrong, d.value(e, kind, item)...)
		}
	}
	for _, e := range d[at] {
		if e.Min > 0 && seen[e.Path] == 0 {
			wrong = append(wrong, e.Path+": is required and missing")
		}
		if seen[e.Path] > 1 {
			wrong = append(wrong, e.Path+": more than one choice of type")
		}
	}
	return wrong
}

func (d definitions) value(e element, kind string, item any) []string {
	inner := e.Path
	switch {
	case e.Content != "":
		inner = strings.TrimPrefix(e.Content, "#")
	case len(d[e.Path]) == 0:
		inner = kind
	}
	object, isObject := item.(map[string]any)
	switch {
	case isObject && len(d[inner]) == 0:
		return []string{e.Path + ": an object where a " + kind + " belongs"}
	case isObject && len(object) == 0:
		return []string{e.Path + ": an empty object"}
	case isObject:
		return d.check(inner, object)
	case kind != "" && kind[0] >= 'A' && kind[0] <= 'Z' && !strings.HasPrefix(kind, "System."):
		return []string{fmt.Sprintf("%s: %v where a %s belongs", e.Path, item, kind)}
	case item == "":
		return []string{e.Path + ": empty text"}
	}
	return nil
}

// Sample records are R4: no unknown element, none missing, lists where lists belong.
func TestRecordsFollowTheDefinitions(t *testing.T) {
	d := readDefinitions(t)
	findings := map[string]int{}
	for _, r := range parsed(t, generate(t, 40)) {
		for _, w := range d.check(r["resourceType"].(string), r) {
			findings[w]++
		}
	}
	for w, n := range findings {
		t.Errorf("%s (%d times)", w, n)
	}
}

// The check itself finds what it is for.
func TestDefinitionsCatchBrokenRecords(t *testing.T) {
	d := readDefinitions(t)
	for name, c := range map[string]struct{ json, want string }{
		"unknown element":   {`{"resourceType":"Group","type":"person","actual":true,"colour":"red"}`, "Group: unknown element colour"},
		"required element":  {`{"resourceType":"Group","type":"person"}`, "Group.actual: is required and missing"},
		"cardinality":       {`{"resourceType":"Group","type":["person"],"actual":true}`, "Group.type: a list where one value belongs, or the reverse"},
		"nested":            {`{"resourceType":"Group","type":"person","actual":true,"member":[{"inactive":true}]}`, "Group.member.entity: is required and missing"},
		"datatype":          {`{"resourceType":"Group","type":"person","actual":true,"code":"x"}`, "Group.code: x where a CodeableConcept belongs"},
		"two of one choice": {`{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueString":"a","valueBoolean":true}`, "Observation.value[x]: more than one choice of type"},
	} {
		t.Run(name, func(t *testing.T) {
			var r map[string]any
			if err := json.Unmarshal([]byte(c.json), &r); err != nil {
				t.Fatal(err)
			}
			if got := d.check(r["resourceType"].(string), r); !slices.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
