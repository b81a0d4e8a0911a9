package testenv_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// askInForm: a token in a form is told apart from none, and is no second one beside
// the header (RFC 6750 §2, §2.2).
func askInForm(t *testing.T, env *testenv.Env, token string) {
	t.Helper()
	for _, row := range []struct{ name, media, body, header, want string }{
		{"in a form", "application/x-www-form-urlencoded", "access_token=" + token, "", "400 invalid_request"},
		{"in a form and in the header", "application/x-www-form-urlencoded", "access_token=" + token, "Bearer " + token, "400 invalid_request"},
		{"twice in a form", "application/x-www-form-urlencoded", "access_token=x&access_token=" + token, "", "400 invalid_request"},
		{"in a form that is too large", "application/x-www-form-urlencoded", "a=" + strings.Repeat("x", 1<<20), "Bearer " + token, "413 invalid_request"},
		{"in the header, with an empty form", "application/x-www-form-urlencoded", "", "Bearer " + token, "200 "},
		{"in the header, with a form of something else", "application/x-www-form-urlencoded", "schema=openid", "Bearer " + token, "200 "},
		{"in what is no form", "text/plain", "access_token=" + token, "", "401 "},
	} {
		req, err := http.NewRequest(http.MethodPost, env.URL+"/userinfo", strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", row.media)
		if row.header != "" {
			req.Header.Set("Authorization", row.header)
		}
		got := env.Send(req)
		if text := strconv.Itoa(got.Status) + " " + got.String("error"); text != row.want {
			t.Errorf("%s: %s, want %s", row.name, text, row.want)
		}
		if challenge := got.Header.Get("WWW-Authenticate"); (challenge != "") != (got.Status == 400 || got.Status == 401) {
			t.Errorf("%s: challenge %q", row.name, challenge)
		}
	}
}
