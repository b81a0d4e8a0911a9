package search_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/fhir/search"
)

// A number is read to its end, or not at all.
func TestParseDecimal(t *testing.T) {
	for text, good := range map[string]bool{
		"5": true, "-5.40": true, "1e5": true, "1E-5": true, "1e+5": true, "0.1e400": true, "007": true,
		"": false, "-": false, ".5": false, "1e": false, "1e5x": false, "1e5 ": false, "1e 5": false, "1e5.0": false, "1e0x5": false, "1e1_0": false,
		"1e401": false, "1e-401": false, "1e99999999999": false, "1x": false, "1 ": false, "+1": false, "1.-2": false, "1..2": false, "1,5": false,
		"--1": false, "0x10": false, "1_0": false, "٥": false,
	} {
		if _, ok := search.ParseDecimal(text); ok != good {
			t.Errorf("%q: understood %v, want %v", text, ok, good)
		}
	}
}
