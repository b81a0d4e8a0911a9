package catalogue_test

import (
	"fmt"
	"slices"
	"testing"
)

// numbers are all rows of the catalogue: 1 to 56 with 19a, 60 to 94, 100 to 116.
func numbers() []string {
	list := []string{"19a"}
	for _, span := range [][2]int{{1, 56}, {60, 94}, {100, 116}} {
		for n := span[0]; n <= span[1]; n++ {
			list = append(list, fmt.Sprint(n))
		}
	}
	return list
}

// Each of the 109 rows is asked here, once, and asks something.
func TestEveryRowIsHere(t *testing.T) {
	want := numbers()
	if len(want) != 109 {
		t.Fatalf("%d rows", len(want))
	}
	var got []string
	for _, r := range slices.Concat(readingOne, searchPatient, searchJoins, writes, operations, proxying) {
		if len(r.asks) == 0 && r.more == nil {
			t.Errorf("row %s asks nothing", r.number)
		}
		got = append(got, r.number)
	}
	for _, n := range want {
		if count := len(got) - len(slices.DeleteFunc(slices.Clone(got), func(g string) bool { return g == n })); count != 1 {
			t.Errorf("row %s is here %d times", n, count)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
	}
}
