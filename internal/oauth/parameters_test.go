package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// spec: AUTHZ-34
func TestParametersOccurOnce(t *testing.T) {
	p, err := oauth.ParseParameters("scope=a&state=1&scope=b")
	if err == nil || err.Code != oauth.InvalidRequest || err.Parameter != "scope" {
		t.Fatalf("got %v, want invalid_request about scope", err)
	}
	if !p.Repeated("scope") || p.Repeated("state") || p.Get("state") != "1" || p.Get("scope") != "a" {
		t.Errorf("what else was sent is lost: %v", p.Names())
	}
	if _, err := oauth.ParseParameters("redirect%5Furi=a&redirect_uri=a"); err == nil {
		t.Error("the same name in two spellings is taken for two names")
	}
}

// spec: AUTHZ-34
func TestParametersAreStrict(t *testing.T) {
	for name, raw := range map[string]string{
		"bad escape": "a=%zz", "cut escape": "a=%4", "invalid UTF-8": "a=%ff", "NUL": "a=%00", "line feed": "a=x%0ay",
		"DEL": "a=%7f", "semicolon": "a=1;b=2", "control in name": "a%0d=1", "raw control": "a=\x01",
		"too many": strings.TrimPrefix(strings.Repeat("&x", 101), "&"),
	} {
		if name == "too many" {
			var b strings.Builder
			for i := range 101 {
				b.WriteString("p" + strings.Repeat("i", i) + "=1&")
			}
			raw = b.String()
		}
		if _, err := oauth.ParseParameters(raw); err == nil || err.Code != oauth.InvalidRequest {
			t.Errorf("%s: got %v, want invalid_request", name, err)
		}
	}
}

func TestParametersDecode(t *testing.T) {
	p, err := oauth.ParseParameters("a=x+y%2Bz&&b=&c&d=%C3%A9")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, p.Names()); diff != "" {
		t.Error(diff)
	}
	if p.Get("a") != "x y+z" || p.Get("d") != "é" {
		t.Errorf("decoded %q and %q", p.Get("a"), p.Get("d"))
	}
	// RFC 6749 §3.1: sent without a value is not sent.
	if p.Has("b") || p.Has("c") || p.Has("nothing") {
		t.Error("a parameter without a value counts as sent")
	}
}

func form(method, target, media, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	return r
}

// spec: TOK-02
func TestBodyIsTheOnlyPlaceOfParameters(t *testing.T) {
	const media = "application/x-www-form-urlencoded"
	for _, test := range []struct {
		name   string
		r      *http.Request
		status int // 0: accepted
	}{
		{"plain", form("POST", "/token", media, "a=1"), 0},
		{"with charset", form("POST", "/token", media+"; charset=UTF-8", "a=1"), 0},
		{"GET", form("GET", "/token", media, "a=1"), 405},
		{"query", form("POST", "/token?a=1", media, "a=1"), 400},
		{"empty query", form("POST", "/token?", media, "a=1"), 400},
		{"JSON", form("POST", "/token", "application/json", `{"a":1}`), 400},
		{"no media type", form("POST", "/token", "", "a=1"), 400},
		{"other charset", form("POST", "/token", media+"; charset=utf-7", "a=1"), 400},
		{"too large", form("POST", "/token", media, "a="+strings.Repeat("x", 100)), 413},
		{"repeated", form("POST", "/token", media, "a=1&a=1"), 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := oauth.ParseBody(test.r, 64)
			switch {
			case test.status == 0 && (err != nil || p.Get("a") != "1"):
				t.Errorf("refused: %v", err)
			case test.status != 0 && (err == nil || err.HTTPStatus() != test.status):
				t.Errorf("got %v, want status %d", err, test.status)
			}
		})
	}
}

func FuzzParseParameters(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=%zz", "a=1&a=2", "a;b", "=", "&&", "%61=1&a=2", "a=%F0%9F%94%91"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, err := oauth.ParseParameters(raw)
		if err != nil {
			if strings.ContainsAny(err.Description, "\"\\\r\n") || !utf8.ValidString(err.Description) {
				t.Fatalf("the description may not hold %q", err.Description)
			}
			return
		}
		// What is accepted is what the standard library reads, one value a name.
		want, stdErr := url.ParseQuery(raw)
		if stdErr != nil {
			t.Fatalf("accepted, but not well-formed: %v", stdErr)
		}
		for _, name := range p.Names() {
			if values := want[name]; len(values) != 1 || values[0] != p.Get(name) || !utf8.ValidString(values[0]) {
				t.Fatalf("%q is %q, want %q", name, p.Get(name), values)
			}
		}
		if len(want) != len(p.Names()) {
			t.Fatalf("names %v, want %v", p.Names(), want)
		}
	})
}
