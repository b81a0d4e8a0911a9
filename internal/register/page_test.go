package register

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The page for developers names every member of a registration.
//
// spec: DOC-01
func TestThePageNamesEveryMember(t *testing.T) {
	page, err := os.ReadFile("../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	fields := reflect.VisibleFields(reflect.TypeFor[metadata]())
	if len(fields) < 25 {
		t.Fatalf("%d members", len(fields))
	}
	for _, f := range fields {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the page says nothing of %s", name)
		}
	}
}
