package authorize_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Odd requests: what the app is told, and with which state.
//
// spec: AUTHZ-05, AUTHZ-38, AUTHZ-41, AUTHZ-44, AUTHZ-47, ERR-20
// attack: AZ-06, AZ-09, AZ-11, AZ-14, AZ-17, AZ-20, AZ-21, AZ-34, SL-01, SL-18
func TestOddRequests(t *testing.T) {
	long := strings.Repeat("s", 2049)
	for _, row := range []struct {
		name  string
		pairs []string
		want  string
		state string
	}{
		{"AUTHZ-44 hints of every kind", []string{"login_hint", "maria", "ui_locales", "es xx", "claims_locales", "de", "display", "page", "acr_values", "x"}, "/login", "st"},
		{"AUTHZ-47 claims", []string{"claims", `{"userinfo":{"email":null}}`}, "/login", "st"},
		{"AZ-34 claims that are no JSON", []string{"claims", "{"}, "/login", "st"},
		{"AUTHZ-38 a secret", []string{"client_secret", "secret"}, "/login", "st"},
		{"AZ-06 none", []string{"response_type", "none"}, "unsupported_response_type", "st"},
		{"AZ-06 upper case", []string{"response_type", "CODE"}, "unsupported_response_type", "st"},
		{"AZ-06 twice the word", []string{"response_type", "code code"}, "unsupported_response_type", "st"},
		{"AZ-06 a space", []string{"response_type", "code "}, "unsupported_response_type", "st"},
		{"AZ-09 no method", []string{"code_challenge_method", ""}, "invalid_request", "st"},
		{"AZ-11 lower case", []string{"code_challenge_method", "s256"}, "invalid_request", "st"},
		{"AZ-11 a list", []string{"code_challenge_method", "S256,plain"}, "invalid_request", "st"},
		{"AZ-11 a space", []string{"code_challenge_method", "S256 "}, "invalid_request", "st"},
		{"AZ-14 a no-break space", []string{"scope", "openid\u00a0fhirUser"}, "invalid_scope", "st"},
		{"AZ-14 a quote", []string{"scope", `openid "`}, "invalid_scope", "st"},
		{"AZ-14 a backslash", []string{"scope", `openid \`}, "invalid_scope", "st"},
		{"AZ-14 a byte order mark", []string{"scope", "\ufeffopenid"}, "invalid_scope", "st"},
		{"AZ-14 duplicates collapse", []string{"scope", "openid openid user/Patient.rs user/Patient.rs"}, "/login", "st"},
		{"AZ-17 negative", []string{"max_age", "-1"}, "invalid_request", "st"},
		{"AZ-17 a word", []string{"max_age", "abc"}, "invalid_request", "st"},
		{"AZ-17 beyond all ages", []string{"max_age", "1e20"}, "invalid_request", "st"},
		{"AZ-17 longer than anybody lives", []string{"max_age", "99999999999"}, "/login", "st"},
		{"AZ-17 longer than a number of 64 bits", []string{"max_age", "99999999999999999999"}, "/login", "st"},
		{"AZ-17 a sign", []string{"max_age", "+5"}, "invalid_request", "st"},
		{"SCOPE-44 nothing to share, for a long time", []string{"scope", "offline_access"}, "invalid_scope", "st"},
		{"SCOPE-44 a patient and nothing of theirs", []string{"scope", "launch/patient offline_access"}, "invalid_scope", "st"},
		{"AZ-20 too long", []string{"state", long}, "invalid_request", ""},
		{"AZ-20 as long as may be", []string{"state", long[1:], "scope", "none/such"}, "invalid_scope", long[1:]},
		{"AZ-20 quotes and pictures", []string{"state", `"'<>😀&=+%25 `, "scope", "none/such"}, "invalid_scope", `"'<>😀&=+%25 `},
		{"AZ-36 a nonce too long", []string{"nonce", long[:513]}, "invalid_request", "st"},
		{"AZ-36 a hint too long", []string{"login_hint", long[:257]}, "invalid_request", "st"},
		{"AZ-36 languages too long", []string{"ui_locales", long[:257]}, "invalid_request", "st"},
		{"AZ-36 all as long as may be", []string{"nonce", long[:512], "login_hint", long[:256], "ui_locales", long[:256]}, "/login", "st"},
		{"AZ-21 request", []string{"request", "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported", "st"},
		{"AZ-21 request_uri", []string{"request_uri", "https://evil.example.org/r"}, "request_uri_not_supported", "st"},
		{"SL-01 launch of 10 KiB", []string{"launch", strings.Repeat("l", 7000)}, "invalid_request", "st"},
		{"AUTHZ-41 a list of prompts", []string{"prompt", "login consent"}, "/login", "st"},
		{"AUTHZ-41 two spaces between prompts", []string{"prompt", "login  consent"}, "invalid_request", "st"},
		{"AUTHZ-41 a space before a prompt", []string{"prompt", " login"}, "invalid_request", "st"},
		{"AUTHZ-41 a space after a prompt", []string{"prompt", "none "}, "invalid_request", "st"},
		{"AUTHZ-41 another space between prompts", []string{"prompt", "login\u00a0consent"}, "invalid_request", "st"},
		{"AUTHZ-41 nothing but a space", []string{"prompt", " "}, "invalid_request", "st"},
		{"AUTHZ-41 a prompt in capitals", []string{"prompt", "LOGIN"}, "invalid_request", "st"},
		{"AUTHZ-41 a prompt twice", []string{"prompt", "login login"}, "/login", "st"},
		{"SL-18 system scopes", []string{"scope", "system/*.rs"}, "invalid_scope", "st"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			a := e.begin(e.values("browser", "openid user/Patient.rs", row.pairs...))
			if a.outcome() != row.want || a.status != http.StatusSeeOther {
				t.Fatalf("got %d %s, want %s", a.status, a.outcome(), row.want)
			}
			if row.want == "/login" {
				return
			}
			if a.query("state") != row.state || a.query("iss") != issuer || a.location.Fragment != "" || len(e.store.requests) != 0 {
				t.Errorf("answer %v, %d requests stored", a.location, len(e.store.requests))
			}
		})
	}
}

// Control characters never reach an app, not even in an error.
//
// attack: AZ-20, AZ-14
func TestControlCharactersAreAPage(t *testing.T) {
	for _, pair := range []string{"state=a%0d%0ab", "state=%00", "scope=openid%09fhirUser", "scope=a%0ab", "scope=%ff", "state=%zz", "state=a;b"} {
		t.Run(pair, func(t *testing.T) {
			e := newEnv(t)
			name, _, _ := strings.Cut(pair, "=")
			v := e.values("web", "openid", name, "")
			a := e.serve(e.door.ServeHTTP, httptest.NewRequest(http.MethodGet, issuer+"/authorize?"+v.Encode()+"&"+pair, nil))
			if a.outcome() != "page" || a.status != http.StatusBadRequest {
				t.Errorf("%d %s", a.status, a.outcome())
			}
		})
	}
}

// Methods other than GET and POST begin nothing, and HEAD is safe.
//
// spec: AUTHZ-56
// attack: AZ-33
func TestMethods(t *testing.T) {
	for method, want := range map[string]int{
		http.MethodHead: http.StatusOK, http.MethodPut: http.StatusMethodNotAllowed, http.MethodDelete: http.StatusMethodNotAllowed,
		http.MethodPatch: http.StatusMethodNotAllowed, http.MethodTrace: http.StatusMethodNotAllowed, http.MethodOptions: http.StatusMethodNotAllowed,
	} {
		t.Run("AZ-33 "+method, func(t *testing.T) {
			e := newEnv(t)
			e.signIn("maria")
			e.store.remembered = *before(nil) // a GET would give a code at once
			a := e.serve(e.door.ServeHTTP, httptest.NewRequest(method, issuer+"/authorize?"+e.values("web", patientScopes).Encode(), nil))
			if a.status != want || len(e.store.requests)+len(e.store.issued) != 0 {
				t.Errorf("%d, %d requests, %d codes", a.status, len(e.store.requests), len(e.store.issued))
			}
			if want == http.StatusMethodNotAllowed && a.header.Get("Allow") != "GET, HEAD, POST" {
				t.Errorf("Allow %q", a.header.Get("Allow"))
			}
		})
	}
}

// The answer has exactly its parameters, beside the query that was registered.
//
// spec: AUTHZ-16, AUTHZ-18, AUTHZ-21
// attack: AZ-30, AZ-31, AZ-39
func TestTheExactAnswer(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	e.store.remembered = *before(nil)
	a := e.begin(e.values("web", patientScopes))
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.location.String(), "https://web.example.org/cb?keep=1&") {
		t.Fatalf("%d %v", a.status, a.location)
	}
	var names []string
	for name, list := range a.location.Query() {
		names = append(names, name)
		if len(list) != 1 {
			t.Errorf("%s occurs %d times", name, len(list))
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"code", "iss", "keep", "state"}) {
		t.Errorf("parameters %v", names)
	}
	if a.header.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(a.header.Get("Cache-Control"), "no-store") {
		t.Errorf("headers %v", a.header)
	}
}

// An approval that was remembered smaller than asked stays smaller.
//
// spec: CONS-16
func TestAReducedChoiceStaysReduced(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	e.store.remembered = *before(nil)
	if got := e.begin(e.values("web", patientScopes)).outcome(); got != "code" {
		t.Fatal(got)
	}
	if got := e.store.promised[0].Grant.Scopes; !sameScopes(got, "launch/patient patient/Condition.rs openid") {
		t.Errorf("scopes %v", got)
	}
}

// ours reports whether a place is on this server, or below a redirect URI that
// the client of the request has registered.
func ours(e *env, id, to string) bool {
	u, err := url.Parse(to)
	if err != nil {
		return false
	}
	if u.Scheme == "" && u.Host == "" {
		return u.Path == flow.ContinuePath
	}
	for _, uri := range e.clients[store.ClientID(id)].RedirectURIs {
		registered, err := url.Parse(uri)
		if err != nil || u.Scheme != registered.Scheme || u.User != nil || u.Fragment != "" {
			continue
		}
		loopback := registered.Hostname() == "127.0.0.1" && u.Hostname() == "127.0.0.1"
		if (u.Host == registered.Host || loopback) && u.Path == registered.Path && u.Opaque == registered.Opaque {
			return true
		}
	}
	return false
}

// Whatever a request says, nothing leaves but to a registered redirect URI.
//
// spec: AUTHZ-11, AUTHZ-12, E-15
// attack: AZ-01, LP-02, LP-05, LP-09, LP-12, LP-17, LP-21, LP-24
func FuzzNothingLeavesButToARegisteredURI(f *testing.F) {
	complete := "response_type=code&scope=openid&state=s&aud=" + url.QueryEscape(base) + "&code_challenge=" + challenge + "&code_challenge_method=S256&"
	for _, uri := range []string{
		"https://web.example.org/cb?keep=1", "///evil.test", `\\evil.test`, "https://evil.test", "/.//evil.test", "/%09/evil.test",
		"javascript:alert(1)", "/@evil.test", "https://web.example.org@evil.test/cb?keep=1", "https://web.example.org/cb?keep=1#x",
		"https://web.example.org/cb?keep=1&x=1", "HTTPS://web.example.org/cb?keep=1", "https://web.example.org:443/cb?keep=1",
	} {
		f.Add("web", complete+"redirect_uri="+url.QueryEscape(uri))
	}
	for _, uri := range []string{
		"http://127.0.0.1:9/cb", "http://127.0.0.1:9@evil.test/cb", "http://127.0.0.1.evil.test/cb", "org.example.app:/cb",
		"http://127.0.0.1:99999999/cb", "http://127.0.0.1:/cb", "http://127.0.0.1:9/cb?x", "http://0177.0.0.1/cb", "http://127.0.0.1:+9/cb",
	} {
		f.Add("native", complete+"redirect_uri="+url.QueryEscape(uri))
	}
	f.Add("web", complete+"redirect_uri=a&redirect_uri=b")
	f.Add("nobody", complete)
	f.Fuzz(func(t *testing.T, id, rest string) {
		e := newEnv(t)
		r := httptest.NewRequest(http.MethodGet, issuer+"/authorize", nil)
		r.URL.RawQuery = "client_id=" + url.QueryEscape(id) + "&" + rest
		a := e.serve(e.door.ServeHTTP, r)
		to := a.header.Get("Location")
		if to == "" {
			if a.status < 400 {
				t.Errorf("no answer and no error: %d", a.status)
			}
			return
		}
		if !ours(e, id, to) {
			t.Errorf("%q sends to %q", rest, to)
		}
	})
}
