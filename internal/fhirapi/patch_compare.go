package fhirapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
)

// errTest says that a test does not hold.
var errTest = errors.New("fhirapi: a test of a patch does not hold")

// tests reports whether a step is a test (RFC 6902 §4.6). The library's own compares
// no list that holds null, which FHIR has (json §2.6.2.3), so tests are made here.
func tests(step jsonpatch.Operation) bool { return step.Kind() == "test" }

// testable: a test says what it compares.
func testable(step jsonpatch.Operation) bool {
	_, hasValue := step["value"]
	path, err := step.Path()
	return err == nil && hasValue && (path == "" || path[0] == '/')
}

// holds reports whether the value at the path of a test is the one it names. Numbers
// are compared as they are written.
func holds(step jsonpatch.Operation, document any) bool {
	path, err := step.Path()
	if err != nil {
		return false
	}
	found, ok := pointed(document, path)
	if !ok {
		return false
	}
	raw := step["value"]
	if raw == nil { // null
		return found == nil
	}
	want, err := decoded(*raw)
	return err == nil && reflect.DeepEqual(found, want)
}

// decoded is JSON as maps, lists, texts and json.Number.
func decoded(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

var unescaped = strings.NewReplacer("~1", "/", "~0", "~")

// pointed is what stands at a JSON pointer (RFC 6901 §4).
func pointed(v any, pointer string) (any, bool) {
	if pointer == "" {
		return v, true
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		switch in := v.(type) {
		case map[string]any:
			member, ok := in[unescaped.Replace(token)]
			if !ok {
				return nil, false
			}
			v = member
		case []any:
			n, err := strconv.Atoi(token)
			if err != nil || n < 0 || n >= len(in) || strconv.Itoa(n) != token {
				return nil, false
			}
			v = in[n]
		default:
			return nil, false
		}
	}
	return v, true
}
