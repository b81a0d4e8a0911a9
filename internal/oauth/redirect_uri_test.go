package oauth_test

import (
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

const registered = "https://app.example.org/cb"

// hostileRedirects are values that some lazy comparison takes for the registered
// one. Those that are another proper URI may be registered by whoever owns it.
var hostileRedirects = []struct {
	row, uri     string
	registerable bool
}{
	{"RU-01", "https://app.example.org/cb.evil.test", true},
	{"RU-03", "https://app.example.org.evil.test/cb", true},
	{"RU-04", "https://evilapp.example.org/cb", true},
	{"RU-06", "https://x.app.example.org/cb", true},
	{"RU-07", "https://example.org/cb", true},
	{"RU-09", "https://evil.test/?https://app.example.org/cb", true},
	{"RU-10", "https://evil.test/#https://app.example.org/cb", false},
	{"RU-12", "https://app.example.org:443@evil.test/cb", false},
	{"RU-13", "https://app.example.org@x@evil.test/cb", false},
	{"RU-15", "https://@app.example.org/cb", false},
	{"RU-16", "https://app.example.org%40evil.test/cb", false},
	{"RU-18", `https://evil.test\.app.example.org/cb`, false},
	{"RU-19", `https:\\app.example.org/cb`, false},
	{"RU-21", "https://app.example.org/cb%5c..%5cevil", false},
	{"RU-22", "https:///app.example.org/cb", false},
	{"RU-24", "https:app.example.org/cb", false},
	{"RU-25", "//app.example.org/cb", false},
	{"RU-27", "https://app.example.org/x/../cb", false},
	{"RU-28", "https://app.example.org/cb/../steal", false},
	{"RU-30", "https://app.example.org/cb/%252e%252e/steal", false},
	{"RU-31", "https://app.example.org/cb/..;/steal", true},
	{"RU-33", "https://app.example.org/cb/", true},
	{"RU-34", "https://app.example.org//cb", true},
	{"RU-36", "https://app.example.org%2fcb", false},
	{"RU-37", "https://app.example.org/%63b", false},
	{"RU-39", "https://APP.example.org/cb", false},
	{"RU-40", "HTTPS://app.example.org/cb", false},
	{"RU-42", "https://app.example.org:443/cb", false},
	{"RU-43", "https://app.example.org:/cb", false},
	{"RU-45", "https://app.example.org:443.evil.test/cb", false},
	{"RU-46", "https://app.example.org:0443/cb", false},
	{"RU-48", "https://app.example.org/cb?x=1", true},
	{"RU-49", "https://app.example.org/cb?", true},
	{"RU-51", "https://app.example.org/cb?state=x&iss=y", true},
	{"RU-52", "https://app.example.org/cb%3fcode=x", true},
	{"RU-54", "https://app.example.org/cb#", false},
	{"RU-55", "https://evil.test#@app.example.org/cb", false},
	{"RU-57", "https://evil.test?.app.example.org/cb", true},
	{"RU-58", " https://app.example.org/cb", false},
	{"RU-60", "https://app.example.org/\tcb", false},
	{"RU-61", "https://app.exa\tmple.org/cb", false},
	{"RU-63", "https://app.example.org/cb%0d%0aSet-Cookie:x=1", false},
	{"RU-64", "https://app.example.org/cb\r\nX: y", false},
	{"RU-66", "https://app.example.org/cb%00", false},
	{"RU-67", "https://app.example.org%00.evil.test/cb", false},
	{"RU-69", "https://app.example.org\u3002evil.test/cb", false},
	{"RU-70", "https://evil.test\uff0f.app.example.org/cb", false},
	{"RU-72", "https://evil.test\u2100.app.example.org/cb", false},
	{"RU-73", "https://app.example.org/cb\u212a", false},
	{"RU-75", "https://xn--app-.example.org/cb", true},
	{"RU-76", "https://app.exam\u00adple.org/cb", false},
	{"RU-78", "https://app.example.org/\u202ebc", false},
	{"RU-79", "https://app.example.org/cb%ff", false},
	{"RU-81", "javascript:alert(1)//app.example.org/cb", false},
	{"RU-82", "JaVaScRiPt://app.example.org/cb%0aalert(1)", false},
	{"RU-84", "vbscript:msgbox(1)", false},
	{"RU-85", "file:///app.example.org/cb", false},
	{"RU-87", "view-source:https://app.example.org/cb", false},
	{"RU-88", "intent://app.example.org/cb#Intent;scheme=https;end", false},
	{"RU-90", "https://2130706433/cb", false},
	{"RU-91", "https://[app.example.org]/cb", false},
	{"RU-93", "https://*.example.org/cb", false},
	{"RU-94", "ftp://app.example.org/cb", false},
	{"RU-96", "", false},
	{"RU-97", "null", false},
}

// spec: AUTHZ-12
// attack: RU-01, RU-03, RU-04, RU-06, RU-07, RU-09, RU-10, RU-12, RU-13, RU-15, RU-16, RU-18, RU-19, RU-21, RU-22, RU-24, RU-25, RU-27, RU-28, RU-30, RU-31, RU-33, RU-34, RU-36, RU-37, RU-39, RU-40, RU-42, RU-43, RU-45, RU-46, RU-48, RU-49, RU-51, RU-52, RU-54, RU-55, RU-57, RU-58, RU-60, RU-61, RU-63, RU-64, RU-66, RU-67, RU-69, RU-70, RU-72, RU-73, RU-75, RU-76, RU-78, RU-79, RU-81, RU-82, RU-84, RU-85, RU-87, RU-88, RU-90, RU-91, RU-93, RU-94, RU-96, RU-97
func TestRedirectIsComparedByteForByte(t *testing.T) {
	if !oauth.MatchRedirectURI([]string{registered}, false, registered) || !oauth.MatchRedirectURI([]string{registered}, true, registered) {
		t.Fatal("the registered URI itself does not match")
	}
	for _, test := range hostileRedirects {
		t.Run(test.row, func(t *testing.T) {
			for _, native := range []bool{false, true} {
				if oauth.MatchRedirectURI([]string{registered}, native, test.uri) {
					t.Errorf("native %v: %q matches", native, test.uri)
				}
			}
			err := oauth.CheckRedirectURI(test.uri, false)
			if accepted := err == nil; accepted != test.registerable {
				t.Errorf("registration of %q: %v, want accepted %v", test.uri, err, test.registerable)
			}
		})
	}
}

// spec: AUTHZ-12
func TestRedirectNeighboursStayApart(t *testing.T) {
	list := []string{"https://a.example/cb", "https://a.example/cb/more", "https://a.example/x+y", "https://a.example/x%20y", "https://a.example/x%2By"}
	for _, uri := range list {
		others := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == uri })
		if !oauth.MatchRedirectURI(list, true, uri) || oauth.MatchRedirectURI(others, true, uri) {
			t.Errorf("%s is not compared as it stands", uri)
		}
	}
}

// spec: AUTHZ-13
// attack: LB-01, LB-02, LB-04, LB-05, LB-07, LB-08, LB-10, LB-11, LB-14
func TestLoopbackRedirectOfNativeClients(t *testing.T) {
	for _, test := range []struct {
		row, uri string
		want     bool
	}{
		{"LB-01", "http://127.0.0.1:49152/cb", true},
		{"LB-01 lowest port", "http://127.0.0.1:1/cb", true},
		{"LB-01 highest port", "http://127.0.0.1:65535/cb", true},
		{"LB-01 other path", "http://127.0.0.1:49152/cb2", false},
		{"LB-02", "http://127.0.0.1:49152/cb?x=1", false},
		{"LB-04", "http://[::1]:49152/cb", false},
		{"LB-04 mapped", "http://[::ffff:127.0.0.1]:49152/cb", false},
		{"LB-05", "http://localhost:49152/cb", false},
		{"LB-05 upper case", "http://LOCALHOST/cb", false},
		{"LB-05 final dot", "http://localhost.:49152/cb", false},
		{"LB-07", "http://127.0.0.1:80@evil.test/cb", false},
		{"LB-07 no port", "http://127.0.0.1@evil.test/cb", false},
		{"LB-08 short", "http://127.1:49152/cb", false},
		{"LB-08 number", "http://2130706433/cb", false},
		{"LB-08 hex", "http://0x7f.1/cb", false},
		{"LB-08 octal", "http://0177.0.0.1/cb", false},
		{"LB-08 longer", "http://127.0.0.10/cb", false},
		{"LB-10", "https://127.0.0.1:49152/cb", false},
		{"LB-11 zero", "http://127.0.0.1:0/cb", false},
		{"LB-11 too high", "http://127.0.0.1:99999/cb", false},
		{"LB-11 just too high", "http://127.0.0.1:65536/cb", false},
		{"LB-11 negative", "http://127.0.0.1:-1/cb", false},
		{"LB-11 letter", "http://127.0.0.1:80a/cb", false},
		{"LB-11 leading zero", "http://127.0.0.1:049152/cb", false},
		{"LB-11 empty", "http://127.0.0.1:/cb", false},
		{"LB-14", "http://127.0.0.1:49152/cb#x", false},
	} {
		t.Run(test.row, func(t *testing.T) {
			if got := oauth.MatchRedirectURI([]string{"http://127.0.0.1/cb"}, true, test.uri); got != test.want {
				t.Errorf("native: %q matches %v, want %v", test.uri, got, test.want)
			}
			if oauth.MatchRedirectURI([]string{"http://127.0.0.1/cb"}, false, test.uri) {
				t.Errorf("%q matches for a client that is not native", test.uri)
			}
		})
	}
	for _, own := range []string{"http://[::1]/cb", "http://localhost/cb", "http://localhost:8080/cb"} {
		other := regexp.MustCompile(`(:8080)?/cb$`).ReplaceAllString(own, ":50000/cb")
		if !oauth.MatchRedirectURI([]string{own}, true, other) {
			t.Errorf("AUTHZ-13: %s does not match %s", other, own)
		}
	}
}

// spec: AUTHZ-14, AUTHZ-15
// attack: CU-01, CU-03, CU-04, CU-06
func TestPrivateSchemeRedirects(t *testing.T) {
	const own = "org.example.app:/cb"
	if !oauth.MatchRedirectURI([]string{own}, true, own) {
		t.Error("CU-01: the registered URI does not match")
	}
	for _, uri := range []string{"ORG.example.app:/cb", "org.example.app:/cb?x", "org.example.app:/cb#x", "org.example.app:/../cb", "org.example.app:cb"} {
		if oauth.MatchRedirectURI([]string{own}, true, uri) {
			t.Errorf("CU-03, CU-04: %s matches", uri)
		}
	}
	for _, test := range []struct {
		row, uri string
		native   bool
		want     bool
	}{
		{"CU-01", own, true, true},
		{"AUTHZ-14", "com.example.app:/oauth/callback", true, true},
		{"AUTHZ-14 not native", "com.example.app:/cb", false, false},
		{"AUTHZ-14 one word", "myapp:/cb", true, false},
		{"CU-03", "ORG.example.app:/cb", true, false},
		{"CU-04 fragment", "org.example.app:/cb#x", true, false},
		{"CU-04 dots", "org.example.app:/../cb", true, false},
		{"CU-04 host", "org.example.app://host/cb", true, false},
		{"CU-04 opaque", "org.example.app:cb", true, false},
		{"CU-06 app", "app:/cb", true, false},
		{"CU-06 http", "http:/cb", true, false},
		{"CU-06 mailto", "mailto:/cb", true, false},
		{"CU-06 tel", "tel:1", true, false},
		{"CU-06 about", "about:blank", true, false},
		{"CU-06 chrome", "chrome:/cb", true, false},
		{"CU-06 ms-word", "ms-word:/cb", true, false},
		{"CU-06 empty label", "org..app:/cb", true, false},
		{"CU-06 hyphen", "org.-app:/cb", true, false},
		{"AUTHZ-15", "http://host.example/cb", false, false},
		{"AUTHZ-15 native", "http://host.example/cb", true, false},
		{"AUTHZ-15 like loopback", "http://127.0.0.1.evil.test/cb", true, false},
		{"AUTHZ-13 other loopback", "http://127.0.0.2/cb", true, false},
		{"AUTHZ-13", "http://127.0.0.1/cb", true, true},
		{"AUTHZ-13 web without port", "http://127.0.0.1/cb", false, false},
		{"AUTHZ-16", "https://app.example.org/cb?x=1", false, true},
		{"oob", oauth.OutOfBand, true, true},
		{"oob not native", oauth.OutOfBand, false, false},
		{"final dot", "https://app.example.org./cb", false, false},
		{"port out of range", "https://app.example.org:70000/cb", false, false},
		{"other port", "https://app.example.org:8443/cb", false, true},
	} {
		t.Run(test.row, func(t *testing.T) {
			if err := oauth.CheckRedirectURI(test.uri, test.native); (err == nil) != test.want {
				t.Errorf("%q: %v, want accepted %v", test.uri, err, test.want)
			}
		})
	}
}

// loopbackForm is RFC 8252 §7.3 as one expression, to judge by other means.
var loopbackForm = regexp.MustCompile(`^(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?((?:[/?][!-~]*)?)$`)

func sameButPort(a, b string) bool {
	x, y := loopbackForm.FindStringSubmatch(a), loopbackForm.FindStringSubmatch(b)
	return x != nil && y != nil && x[1] == y[1] && x[3] == y[3]
}

// spec: AUTHZ-12, AUTHZ-13
func TestRedirectPropertyNothingButThePortOfLoopbackVaries(t *testing.T) {
	part := rapid.SampledFrom([]string{"http://", "https://", "127.0.0.1", "[::1]", "localhost", ":", "80", "65536", "065", "/cb", "/", "?", "x", "#", "@", "\\", "%2f", ".", " ", "evil.test"})
	uri := rapid.Custom(func(t *rapid.T) string {
		s := ""
		for _, p := range rapid.SliceOfN(part, 1, 7).Draw(t, "parts") {
			s += p
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		own, asked, native := uri.Draw(t, "registered"), uri.Draw(t, "requested"), rapid.Bool().Draw(t, "native")
		if oauth.MatchRedirectURI([]string{own}, native, asked) && own != asked && (!native || !sameButPort(own, asked)) {
			t.Fatalf("%q matches registered %q, native %v", asked, own, native)
		}
	})
}

// A host has one spelling: an encoded or foreign letter looks like another host to
// those who read it otherwise.
//
// spec: AUTHZ-12
func TestHostsOfRegisteredRedirects(t *testing.T) {
	for uri, want := range map[string]bool{
		"https://app.example.org/cb": true, "https://xn--bcher-kva.example/cb": true, "https://app_1.example.org:8443/cb": true,
		"https://192.0.2.7/cb": true, "https://[2001:db8::7]/cb": true, "https://a/cb": true,
		"https://%d0%B0": false, "https://%d0%b0pp.example.org/cb": false, "https://%C3%A4.example/cb": false,
		"https://app.example.org;evil.test/cb": false, "https://app.example.org,evil.test/cb": false, "https://a(b).example/cb": false,
		"https://app~.example/cb": false, "https://app..example/cb": false, "https://.example/cb": false, "https://-a.example/cb": false,
		"https://[2001:DB8::7]/cb": false, "https://[2001:db8:0::7]/cb": false, "https://[::ffff:192.0.2.7]/cb": false,
	} {
		if err := oauth.CheckRedirectURI(uri, false); (err == nil) != want {
			t.Errorf("%s: %v, want good %v", uri, err, want)
		}
	}
}

func FuzzMatchRedirectURI(f *testing.F) {
	f.Add("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb", true)
	f.Add("http://localhost:1/cb?x", "http://localhost:2/cb?x", true)
	for _, test := range hostileRedirects {
		f.Add(registered, test.uri, false)
	}
	f.Fuzz(func(t *testing.T, own, asked string, native bool) {
		if oauth.MatchRedirectURI([]string{own}, native, asked) && own != asked && (!native || !sameButPort(own, asked)) {
			t.Fatalf("%q matches registered %q, native %v", asked, own, native)
		}
	})
}

func FuzzCheckRedirectURI(f *testing.F) {
	for _, test := range hostileRedirects {
		f.Add(test.uri, false)
	}
	f.Add("org.example.app:/cb", true)
	f.Add("http://[::1]:5/cb", true)
	f.Add("https://%d0%B0", false)
	accepted := regexp.MustCompile(`^(https://([a-z0-9\-._]+|\[[0-9a-f:]+\])(:[0-9]+)?([/?].*)?|http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]+)?([/?].*)?|[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+:/.*|urn:ietf:wg:oauth:2\.0:oob)$`)
	f.Fuzz(func(t *testing.T, uri string, native bool) {
		if oauth.CheckRedirectURI(uri, native) == nil && !accepted.MatchString(uri) {
			t.Fatalf("%q may be registered", uri)
		}
	})
}
