package fhir_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// Each resource of a document keeps its bytes; one that is none is told, and the next
// one is read all the same. What two readers would read differently ends the whole.
func TestReadDocument(t *testing.T) {
	document := `[ {"resourceType":"Patient","id":"a","x": 1.50} ,
 7, {"resourceType":"Nothing"}, null ,{"resourceType":"Patient","id":"../b"},{ "resourceType":"Observation" }]`
	root, err := fhir.ReadDocument([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for n := range root.Values() {
		r, err := n.Resource()
		if err != nil {
			got = append(got, "-")
			continue
		}
		got = append(got, string(r.JSON()))
	}
	want := `{"resourceType":"Patient","id":"a","x": 1.50} - - - - { "resourceType":"Observation" }`
	if text := strings.Join(got, " "); text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
	for _, document := range []string{`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":`, `{"a":"` + "\xff" + `"}`, strings.Repeat("[", 70) + strings.Repeat("]", 70), `{"a":"\u0000"}`, `{}{}`, ``, "\xef\xbb\xbf{}"} {
		if _, err := fhir.ReadDocument([]byte(document)); err == nil {
			t.Errorf("%.40s was read", document)
		}
	}
}

// A name that comes twice is found in small objects and in large ones, however it is
// spelled.
//
// attack: B.77
func TestNoNameTwice(t *testing.T) {
	for _, size := range []int{1, 2, 47, 48, 49, 50, 500} {
		var members []string
		for i := range size {
			members = append(members, fmt.Sprintf(`"n%d":[{"n%d":1}]`, i, i))
		}
		whole := `{"resourceType":"Patient",` + strings.Join(members, ",") + `}`
		if _, err := fhir.ParseResource([]byte(whole)); err != nil {
			t.Fatal(size, err)
		}
		for _, twice := range []string{`"resourceType":1`, `"resource\u0054ype":1`, members[0], members[size/2], members[size-1]} {
			if _, err := fhir.ParseResource([]byte(whole[:len(whole)-1] + "," + twice + "}")); err == nil {
				t.Errorf("%d members and %.30s once more were read", size, twice)
			}
		}
	}
}

// The two readers, that of bytes and that of trees, take the same documents and see the
// same in them; and what they take, encoding/json sees alike.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		`{"resourceType":"Patient","id":"a","x":[1,-0.5e+3,true,false,null,"\ud83d\ude00 \n\/"],"y":{"\u0061":"\\"}}`, `{"a":"\ud83d"}`, `{"a":01}`, `{"a":1.}`, `{"a":"\u0000"}`, `{"\u0000":1}`,
		`{"a":[1,]}`, `{"a":1,}`, `{"a" : { } , "b":[ ]}`, `{"":1,"":2}`, "{\"a\":\"\x1f\"}", `{"a":"\udc00\ud83d"}`, `{"a":tru`, `{"a":-}`, ` {} `, `{}x`, "{\"a\":\"\xed\xa0\x80\"}",
		`{"a":"12345678","12345678":"1234567\u0041","b":"123456é8","ccccccc":"c\"345678"}`, "{\"a\":\"1234567\x01\"}", "{\"a\":\"1234567\x80\"}", "{\"a\":1\x80}", `{"a":"1234567`, `{"a":"1234567\\`, `{"a":[}`, `{"a":{]}`,
		`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, `{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, `{"a":` + strings.Repeat("[", 64) + "1" + strings.Repeat("]", 64) + `}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		root, scanned := fhir.Scan(document)
		tree, err := fhir.ParseTree(document)
		if scanned != (err == nil) {
			t.Fatalf("%q: read from bytes: %v; as a tree: %v", document, scanned, err)
		}
		if !scanned {
			return
		}
		if got := treeOf(root); !reflect.DeepEqual(got, any(tree)) {
			t.Errorf("read from bytes %v, as a tree %v", got, tree)
		}
		var plain any
		d := json.NewDecoder(bytes.NewReader(document))
		d.UseNumber()
		if err := d.Decode(&plain); err != nil || !reflect.DeepEqual(plain, any(tree)) {
			t.Errorf("encoding/json reads %v, %v", plain, err)
		}
		for name := range tree {
			if root.Member(name).Kind() == 0 {
				t.Errorf("%q is not found", name)
			}
		}
	})
}

// treeOf builds a tree of what is read from the bytes.
func treeOf(n fhir.Node) any {
	switch n.Kind() {
	case '{':
		object := fhir.Object{}
		for name, v := range fhir.Named(n) {
			object[name] = treeOf(v)
		}
		return object
	case '[':
		list := []any{}
		for v := range n.Values() {
			list = append(list, treeOf(v))
		}
		return list
	case '"':
		return n.Text()
	case '0':
		return json.Number(n.Number())
	case 't':
		return true
	case 'f':
		return false
	}
	return nil
}
