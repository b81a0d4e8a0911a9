package oauth_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Every byte by itself: what a value may hold and what becomes of it, and what a token
// may hold (RFC 6750 §2.1).
func TestEveryCharacter(t *testing.T) {
	token := regexp.MustCompile(`^[A-Za-z0-9\-._~+/]+=*$`)
	for i := range 256 {
		text := "x" + string([]byte{byte(i)}) + "y"
		p, refused := oauth.ParseParameters("a=" + text)
		want, err := url.QueryUnescape(text)
		if i < 0x20 || i == 0x7f || i == ';' || i > 0x7f {
			err = url.EscapeError("not in a value")
		}
		if i == '&' { // ends the value
			want = "x"
		}
		if (refused != nil) != (err != nil) || err == nil && p.Get("a") != want {
			t.Errorf("%q: %q %v, want %q %v", text, p.Get("a"), refused, want, err)
		}
		if i == ' ' || i == ',' || i == '\t' { // end the token
			continue
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+text)
		_, got, refused := oauth.Presented(r)
		if good := token.MatchString(text); good != (refused == nil) || good && got != text {
			t.Errorf("%q as a token: %q %v", text, got, refused)
		}
	}
}
