package oauth_test

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// attack: E-12
func TestJSONIsReadInOneWay(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		good bool
	}{
		"an object":    {`{"iss":"a","other":[1]}`, true},
		"a name twice": {`{"iss":"a","iss":"b"}`, false}, "a name twice, inside": {`{"x":{"a":1,"a":2}}`, false},
		"something behind it": {`{} {}`, false}, "cut off": {`{"iss":`, false}, "nothing": {"", false},
		"bad UTF-8": {"{\"iss\":\"\xff\"}", false}, "another type": {`{"iss":1}`, false},
		"deep": {strings.Repeat(`{"x":`, 32) + "1" + strings.Repeat("}", 32), true}, "too deep": {strings.Repeat(`{"x":`, 33) + "1" + strings.Repeat("}", 33), false},
	} {
		var into struct {
			Issuer string `json:"iss"`
		}
		if err := oauth.ReadJSON([]byte(row.text), &into); (err == nil) != row.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	var into struct {
		Issuer string `json:"iss"`
	}
	if err := oauth.ReadJSON([]byte(`{"ISS":"a","ſub":"b"}`), &into); err != nil || into.Issuer != "" {
		t.Errorf("a name in another case is another name: %q, %v", into.Issuer, err)
	}
}

func TestNumericDates(t *testing.T) {
	for text, want := range map[string]int64{"1700000000": 1700000000, "1700000000.5": 1700000000, "1.7e9": 1700000000} {
		if got, ok := oauth.NumericDate(jsontext.Value(text)); !ok || got.Unix() != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for _, text := range []string{"", "null", `"1700000000"`, "0", "-1", "1e300", "true", "[1]"} {
		if got, ok := oauth.NumericDate(jsontext.Value(text)); ok {
			t.Errorf("%s: %v", text, got)
		}
	}
}
