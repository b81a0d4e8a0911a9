package oauth

import "testing"

// attack: JW-16
func TestASignedTextHasOneSpelling(t *testing.T) {
	for text, want := range map[string]bool{
		"eyJ9.e30.AQ":     true,
		"eyJ9.e30.AR":     false, // spare bits
		"eyJ9.e31.AQ":     false,
		"eyJ9.e3\n0.AQ":   false,
		"eyJ9.e30.AQ\r\n": false,
		"eyJ9.e30.AQ==":   false,
		"eyJ9.e30.A+":     false,
		"eyJ9.e30.A/":     false,
		" eyJ9.e30.AQ":    false,
		"eyJ9.e30.":       false,
		"eyJ9..AQ":        false,
		"eyJ9.e30":        false,
		"eyJ9.e30.AQ.AQ":  false,
		"":                false,
	} {
		if got := IsCompactJWS(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
