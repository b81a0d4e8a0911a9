package register_test

import (
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

const ceiling = "launch/patient patient/*.rs openid fhirUser offline_access"

func strict(t testing.TB) *register.Registrar {
	t.Helper()
	r, err := register.New(register.Deps{
		Now: func() time.Time { return now }, Self: register.Policy{Scope: ceiling, Names: []string{"Valley Clinic"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// refusal is the protocol error of a registration that must fail.
func refusal(t *testing.T, err error) *oauth.Error {
	t.Helper()
	var refused *oauth.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a protocol error", err)
	}
	if !strings.HasPrefix(refused.Description, refused.Parameter) || refused.HTTPStatus() != 400 {
		t.Errorf("the sentence does not name the member: %v", refused)
	}
	return refused
}

// spec: REG-03, REG-10, REG-11, REG-14, REG-19
// attack: DC-10, DC-14
func TestAClientRegistersItself(t *testing.T) {
	c, secret, err := strict(t).RegisterSelf([]byte(`{"client_name":"Growth Tracker","redirect_uris":["https://app.example.org/cb"],
		"client_id":"mine","client_secret":"mine","trusted":true,"skip_consent":true,"tenant":"x","created_at":1,"id":"x","is_admin":true,
		"software_statement":"e30.e30.","checked":true,"self_registered":false,"disabled":false}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(secret) != 43 || len(c.ID) != 24 || c.ID == "mine" {
		t.Errorf("id %q, secret %q", c.ID, secret)
	}
	want := store.Client{
		ID: c.ID, Name: "Growth Tracker", ApplicationType: store.ApplicationWeb, AuthMethod: store.AuthSecretBasic, Scope: ceiling,
		Secrets:      []store.ClientSecret{{Hash: oauth.Hash(secret), CreatedAt: now}},
		RedirectURIs: []string{"https://app.example.org/cb"}, GrantTypes: []string{"authorization_code", "refresh_token"},
		IDTokenAlg: "RS256", SelfRegistered: true, CreatedAt: now, Review: store.Review{RegisteredAt: now, EnabledAt: now},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("more than the server's own defaults is stored (-want +got):\n%s", diff)
	}
	if _, _, err := registrar(t).RegisterSelf([]byte(`{` + redirects + `}`)); refusal(t, err).Parameter != "scope" {
		t.Errorf("without a policy: %v", err)
	}
}

// No command line takes an id for a flag.
//
// spec: REG-19
func TestIDsBeginWithALetterOrADigit(t *testing.T) {
	seen := map[store.ClientID]bool{}
	for range 300 {
		c, _ := registered(t, `{`+redirects+`}`)
		if strings.HasPrefix(string(c.ID), "-") || len(c.ID) != 24 || seen[c.ID] {
			t.Fatalf("id %q", c.ID)
		}
		seen[c.ID] = true
	}
}

// hostileAddresses may stand in no member.
var hostileAddresses = []string{
	"javascript:x", "JaVaScRiPt:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://a.example/x", "https://a.example/cb#x",
	"https://*.example.org/cb", "https://user@a.example/cb", "http://app.example.org/cb", "http://localhost.evil.test/cb",
	"http://127.0.0.1.evil.test/cb", "app:/cb", "/cb", "https:/cb", "https://", "gopher://a.example/", "https://a.example/\u202ecb", "https://2130706433/",
}

// One rule for every address, wherever it stands and whatever stands beside it.
//
// attack: DC-02, DC-03
func TestAddressesThatAreRefused(t *testing.T) {
	r := strict(t)
	quote := func(s string) string { b, _ := json.Marshal(s); return string(b) }
	for _, uri := range append(hostileAddresses, "") {
		_, _, err := r.RegisterSelf([]byte(`{"redirect_uris":["https://a.example/cb",` + quote(uri) + `]}`))
		if refused := refusal(t, err); refused.Code != oauth.InvalidRedirectURI || refused.Parameter != "redirect_uris" {
			t.Errorf("redirect_uris with %q: %v", uri, refused)
		}
	}
	for _, body := range []string{`"https://a.example/cb"`, `{}`, `[1]`, `[["https://a.example/cb"]]`, `[` + strings.Repeat(`"https://a.example/cb",`, 999) + `"https://a.example/cb"]`} {
		_, _, err := r.RegisterSelf([]byte(`{"redirect_uris":` + body + `}`))
		if refused := refusal(t, err); refused.Code != oauth.InvalidRedirectURI {
			t.Errorf("redirect_uris as %.40s: %v", body, refused)
		}
	}
	for _, member := range []string{
		"initiate_login_uri", "client_uri", "policy_uri", "tos_uri", "logo_uri", "sector_identifier_uri", "backchannel_logout_uri", "frontchannel_logout_uri",
		"post_logout_redirect_uris", "request_uris",
	} {
		for _, uri := range hostileAddresses {
			value := quote(uri)
			if strings.HasSuffix(member, "s") {
				value = `["https://a.example/",` + value + `]`
			}
			_, _, err := r.RegisterSelf([]byte(`{` + redirects + `,"` + member + `":` + value + `}`))
			if refused := refusal(t, err); refused.Code != oauth.InvalidClientMetadata || refused.Parameter != member {
				t.Errorf("%s with %q: %v", member, uri, refused)
			}
		}
	}
}

// spec: REG-03, REG-08, REG-13
// attack: DC-08, DC-10, DC-14, LB-13, AZ-31, CU-06
func TestWhatAStrangerMayNotRegister(t *testing.T) {
	const public = `"token_endpoint_auth_method":"none",`
	for _, test := range []struct{ row, body, parameter string }{
		{"LB-13", `{"application_type":"web","redirect_uris":["http://127.0.0.1:5000/cb"]}`, "redirect_uris"},
		{"LB-13 said to be on a server", `{` + public + `"application_type":"web","redirect_uris":["http://127.0.0.1:5000/cb"]}`, "redirect_uris"},
		{"AZ-31 state", `{"redirect_uris":["https://a.example/cb?state=x"]}`, "redirect_uris"},
		{"AZ-31 encoded", `{"redirect_uris":["https://a.example/cb?%63ode=x"]}`, "redirect_uris"},
		{"AZ-31 iss", `{"redirect_uris":["https://a.example/cb?keep=1&iss=https://evil.test"]}`, "redirect_uris"},
		{"REG-03 a page with a secret", `{"application_type":"browser",` + redirects + `}`, "token_endpoint_auth_method"},
		{"REG-08 oob of a page", `{` + public + `"application_type":"browser","redirect_uris":["urn:ietf:wg:oauth:2.0:oob"]}`, "redirect_uris"},
		{"REG-13", `{` + redirects + `,"grant_types":["implicit"],"response_types":["token"]}`, "grant_types"},
		{"REG-13 for nobody", `{` + redirects + `,"grant_types":["client_credentials"]}`, "grant_types"},
		{"DC-10 system", `{` + redirects + `,"scope":"system/*.cruds"}`, "scope"},
		{"DC-10 user", `{` + redirects + `,"scope":"openid user/*.cruds"}`, "scope"},
		{"DC-10 admin", `{` + redirects + `,"scope":"openid admin"}`, "scope"},
		{"DC-10 writing", `{` + redirects + `,"scope":"patient/Observation.cruds"}`, "scope"},
		{"DC-10 a name beyond", `{` + redirects + `,"scope":"openid online_access"}`, "scope"},
		{"DC-14 checked", `{` + redirects + `,"emberlatch_checked":true}`, "emberlatch_checked"},
		{"DC-14 preapproved", `{` + redirects + `,"emberlatch_preapproved":true}`, "emberlatch_preapproved"},
		{"DC-14 trusted", `{` + redirects + `,"emberlatch_trusted":true}`, "emberlatch_trusted"},
		{"DC-14 introspection", `{` + redirects + `,"emberlatch_may_introspect":true}`, "emberlatch_may_introspect"},
		{"DC-14 data", `{` + redirects + `,"emberlatch_data":{"all":true}}`, "emberlatch_data"},
		{"REG-13 a service", `{"token_endpoint_auth_method":"private_key_jwt","grant_types":["client_credentials"],"scope":"system/*.rs","jwks":{"keys":[]}}`, "grant_types"},
		{"DC-14 launches", `{` + redirects + `,"emberlatch_may_launch":true}`, "emberlatch_may_launch"},
		{"DC-14 PKCE", `{` + redirects + `,"emberlatch_pkce_optional":true}`, "emberlatch_pkce_optional"},
		{"DC-14 rotation", `{` + redirects + `,"emberlatch_keep_refresh_token":true}`, "emberlatch_keep_refresh_token"},
		{"DC-14 life", `{` + redirects + `,"emberlatch_refresh_life_seconds":157680000}`, "emberlatch_refresh_life_seconds"},
		{"DC-08 the portal", `{` + redirects + `,"client_name":"VALLEY  clinic Portal"}`, "client_name"},
		{"DC-08 the portal in wide letters", `{` + redirects + `,"client_name":"Ｖａｌｌｅｙ Clinic"}`, "client_name"},
		{"DC-08 made by the clinic", `{` + redirects + `,"client_name":"x","emberlatch_maker":"Valley-Clinic"}`, "emberlatch_maker"},
		{"DC-08 homoglyph", `{` + redirects + `,"client_name":"V\u0430lley Health"}`, "client_name"},
		{"DC-08 turned around", `{` + redirects + `,"client_name":"a\u202eb"}`, "client_name"},
		{"DC-08 zero width", `{` + redirects + `,"client_name":"a\u200bb"}`, "client_name"},
		{"DC-08 filler", `{` + redirects + `,"client_name":"a\u3164b"}`, "client_name"},
		{"DC-08 long", `{` + redirects + `,"client_name":"` + strings.Repeat("a", 5000) + `"}`, "client_name"},
		{"DC-08 line", `{` + redirects + `,"client_name":"a\nb"}`, "client_name"},
		{"DC-08 no letters", `{` + redirects + `,"client_name":"-- --"}`, "client_name"},
		{"contacts", `{` + redirects + `,"contacts":["a\u0000b"]}`, "contacts"},
		{"wrong type", `{` + redirects + `,"client_name":["x"]}`, "client_name"},
	} {
		t.Run(test.row, func(t *testing.T) {
			c, _, err := strict(t).RegisterSelf([]byte(test.body))
			if err == nil {
				t.Fatalf("registered: %+v", c)
			}
			if refused := refusal(t, err); refused.Parameter != test.parameter {
				t.Errorf("got %v about %q", refused, refused.Parameter)
			}
		})
	}
	for row, body := range map[string]string{
		"a native app with a secret of its own": `{"application_type":"native","redirect_uris":["http://127.0.0.1/cb"]}`,
		"a parameter of its own":                `{"redirect_uris":["https://a.example/cb?keep=1"]}`,
		"part of the scope":                     `{` + redirects + `,"scope":"patient/Observation.rs?category=laboratory openid"}`,
		"in the words of version 1":             `{` + redirects + `,"scope":"patient/*.read"}`,
		"markup is text":                        `{` + redirects + `,"client_name":"<b>x</b>"}`,
		"another script":                        `{` + redirects + `,"client_name":"Моё здоровье"}`,
		"two scripts that go together":          `{` + redirects + `,"client_name":"健康 App ノート"}`,
		"white space":                           " \n{" + redirects + "}\n",
	} {
		if _, _, err := strict(t).RegisterSelf([]byte(body)); err != nil {
			t.Errorf("%s: %v", row, err)
		}
	}
}

// attack: DC-12
func TestDocumentsThatAreNone(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": "", "null": "null", "list": "[]", "text": `"x"`, "number": "1", "deep": `{` + redirects + `,"x":` + strings.Repeat(`[`, 9000) + strings.Repeat("]", 9000) + `}`,
		"invalid UTF-8": "{" + redirects + ",\"client_name\":\"\xff\"}", "trailing": "{" + redirects + "}{}", "trailing text": "{" + redirects + "} x",
		"twice": `{` + redirects + `,` + redirects + `}`, "twice, spelt otherwise": `{` + redirects + `,"redirect\u005furis":[]}`,
		"twice inside of what is ignored": `{` + redirects + `,"x":{"a":1,"a":2}}`, "large": `{` + redirects + `,"x":"` + strings.Repeat("a", register.MaxDocument) + `"}`,
		"many": `{` + strings.Repeat(`"a":1,`, 9000) + redirects + `}`, "cut": `{` + redirects, "comment": `{/**/` + redirects + `}`, "BOM": "\ufeff{" + redirects + "}",
	} {
		if c, _, err := strict(t).RegisterSelf([]byte(body)); err == nil {
			t.Errorf("%s: registered %+v", name, c)
		} else if refused := refusal(t, err); refused.Code != oauth.InvalidClientMetadata {
			t.Errorf("%s: %v", name, refused)
		}
	}
}

// registered is a client that registered itself.
func registered(t *testing.T, body string) (store.Client, string) {
	t.Helper()
	c, secret, err := strict(t).RegisterSelf([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return c, secret
}

// The whole new state is judged, not the difference.
//
// spec: REG-15, REG-17, CAUTH-01
// attack: DC-15
func TestAClientChangesItself(t *testing.T) {
	was, secret := registered(t, `{`+redirects+`,"client_name":"A"}`)
	was.Version, was.RegistrationHash, was.RefreshLife, was.Checked, was.Trusted, was.RegisteredWith = 7, []byte("h"), time.Hour, true, true, "t"
	id := `"client_id":"` + string(was.ID) + `"`
	got, changed, err := strict(t).ReplaceSelf(was, []byte(`{`+id+`,"client_secret":"`+secret+`",`+redirects+`,"client_name":"A","scope":"openid patient/Goal.rs","contacts":["a@example.org"]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := was
	want.Scope, want.Contacts = "openid patient/Goal.rs", []string{"a@example.org"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(changed, []string{"contacts", "scope"}) {
		t.Errorf("changed: %v", changed)
	}
	// Another name is another app: nobody vouches for it.
	if got, _, err := strict(t).ReplaceSelf(was, []byte(`{`+id+`,`+redirects+`,"client_name":"B"}`)); err != nil || got.Checked {
		t.Errorf("checked under another name: %v, %v", got.Checked, err)
	}
	if got, _, err := strict(t).ReplaceSelf(was, []byte(`{`+id+`,"redirect_uris":["https://evil.test/cb"],"client_name":"A"}`)); err != nil || got.Checked || got.Trusted {
		t.Errorf("checked or trusted at another place: %v, %v, %v", got.Checked, got.Trusted, err)
	}
	if got, _, err := strict(t).ReplaceSelf(was, []byte(`{`+id+`,`+redirects+`,"client_name":"A","post_logout_redirect_uris":["https://evil.test/bye"]}`)); err != nil || got.Checked || got.Trusted {
		t.Errorf("checked or trusted with another place after logout: %v, %v, %v", got.Checked, got.Trusted, err)
	}
	wider := was
	wider.Scope = "openid user/*.rs"
	if got, _, err := strict(t).ReplaceSelf(wider, []byte(`{`+id+`,`+redirects+`,"scope":"user/Goal.rs patient/Goal.rs"}`)); err != nil || got.Scope != "user/Goal.rs patient/Goal.rs" {
		t.Errorf("within what the operator allowed: %v", err)
	}
	for _, test := range []struct{ row, body, parameter string }{
		{"another client", `{"client_id":"x",` + redirects + `}`, "client_id"},
		{"no client", `{` + redirects + `}`, "client_id"},
		{"a secret of its own", `{` + id + `,"client_secret":"x",` + redirects + `}`, "client_secret"},
		{"registration_access_token", `{` + id + `,"registration_access_token":"x",` + redirects + `}`, "registration_access_token"},
		{"registration_client_uri", `{` + id + `,"registration_client_uri":"x",` + redirects + `}`, "registration_client_uri"},
		{"client_id_issued_at", `{` + id + `,"client_id_issued_at":1,` + redirects + `}`, "client_id_issued_at"},
		{"client_secret_expires_at", `{` + id + `,"client_secret_expires_at":1,` + redirects + `}`, "client_secret_expires_at"},
		{"DC-15 to public", `{` + id + `,` + redirects + `,"token_endpoint_auth_method":"none"}`, "token_endpoint_auth_method"},
		{"DC-15 a bad redirect", `{` + id + `,"redirect_uris":["http://evil.test/cb"]}`, "redirect_uris"},
		{"DC-15 without the redirects", `{` + id + `}`, "redirect_uris"},
		{"DC-15 null", `{` + id + `,"redirect_uris":null}`, "redirect_uris"},
		{"DC-15 wider", `{` + id + `,` + redirects + `,"scope":"user/*.rs"}`, "scope"},
		{"DC-15 longer", `{` + id + `,` + redirects + `,"emberlatch_refresh_life_seconds":7200}`, "emberlatch_refresh_life_seconds"},
		{"DC-15 the portal", `{` + id + `,` + redirects + `,"client_name":"Valley Clinic"}`, "client_name"},
	} {
		if _, _, err := strict(t).ReplaceSelf(was, []byte(test.body)); err == nil || refusal(t, err).Parameter != test.parameter {
			t.Errorf("%s: %v", test.row, err)
		}
	}
	public, _ := registered(t, `{"token_endpoint_auth_method":"none",`+redirects+`}`)
	body := `{"client_id":"` + string(public.ID) + `",` + redirects + `,"token_endpoint_auth_method":"client_secret_basic"}`
	if _, _, err := strict(t).ReplaceSelf(public, []byte(body)); err == nil || refusal(t, err).Parameter != "token_endpoint_auth_method" {
		t.Errorf("DC-15 to confidential: %v", err)
	}
}

// What an operator granted to an app that asked for little does not hold for one that
// asks for more, nor for one that others hold the keys of; what lapses is told.
//
// spec: REG-17, CONS-22
// attack: DC-15
func TestWhatTheOperatorGrantedLapses(t *testing.T) {
	own, other := keySet(jwk(t, ecKey(t, elliptic.P384()).Public(), "a", nil)), keySet(jwk(t, ecKey(t, elliptic.P384()).Public(), "b", nil))
	was, _ := registered(t, `{`+redirects+`,"client_name":"A",`+byKey+own+`}`)
	was.Preapproved, was.Checked, was.MayIntrospect, was.MayLaunch, was.Scope = true, true, true, true, "openid patient/Goal.rs patient/Observation.rs"
	body := func(more string) []byte {
		return []byte(`{"client_id":"` + string(was.ID) + `",` + redirects + `,"client_name":"A",` + byKey + more + `}`)
	}
	all := []string{"emberlatch_checked", "emberlatch_may_introspect", "emberlatch_may_launch", "emberlatch_preapproved", "jwks"}
	for _, row := range []struct {
		name, more string
		changed    []string
	}{
		{"the same", own + `,"scope":"` + was.Scope + `"`, nil},
		{"less", own + `,"scope":"openid patient/Goal.r"`, []string{"scope"}},
		{"more types", own + `,"scope":"openid patient/*.rs"`, []string{"emberlatch_preapproved", "scope"}},
		{"another type", own + `,"scope":"openid patient/Condition.rs"`, []string{"emberlatch_preapproved", "scope"}},
		{"another name", own + `,"scope":"` + was.Scope + ` fhirUser"`, []string{"emberlatch_preapproved", "scope"}},
		{"what is left out is the usual, which is more", own, []string{"emberlatch_preapproved", "scope"}},
		{"other keys", other + `,"scope":"` + was.Scope + `"`, all},
	} {
		now, changed, err := strict(t).ReplaceSelf(was, body(row.more))
		if err != nil || !slices.Equal(changed, row.changed) {
			t.Errorf("%s: changed %v, want %v, %v", row.name, changed, row.changed, err)
		}
		lapsed := slices.Contains(row.changed, "emberlatch_preapproved")
		others := slices.Contains(row.changed, "jwks")
		if now.Preapproved == lapsed || now.Checked == others || now.MayIntrospect == others || now.MayLaunch == others {
			t.Errorf("%s: preapproved %t, checked %t, may introspect %t, may launch %t", row.name, now.Preapproved, now.Checked, now.MayIntrospect, now.MayLaunch)
		}
	}
}

// What an operator changes is laid over what is there, and judged as a whole.
//
// spec: REG-17, CAUTH-01
func TestAnOperatorChangesAClient(t *testing.T) {
	was, _ := registered(t, `{`+redirects+`,"client_name":"A","contacts":["a@example.org"]}`)
	got, changed, err := strict(t).Change(was, []byte(`{"emberlatch_checked":true,"contacts":null,"scope":"openid user/*.rs"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := was
	want.Checked, want.Contacts, want.Scope = true, nil, "openid user/*.rs"
	want.Ceiling, want.OperatorSet = store.Ceiling{Scope: "openid user/*.rs"}, true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(changed, []string{"contacts", "emberlatch_checked", "scope"}) {
		t.Errorf("changed: %v", changed)
	}
	for _, test := range []struct{ row, body, parameter string }{
		{"misspelt", `{"scopes":"openid"}`, "scopes"}, {"misspelt and null", `{"scopes":null}`, "scopes"}, {"redirects away", `{"redirect_uris":null}`, "redirect_uris"},
		{"kind", `{"token_endpoint_auth_method":"none"}`, "token_endpoint_auth_method"}, {"system", `{"scope":"system/*.rs"}`, "scope"},
		{"type", `{"contacts":"a"}`, "contacts"}, {"no object", `[]`, ""}, {"twice", `{"scope":"openid","scope":"openid"}`, ""},
	} {
		if _, _, err := strict(t).Change(was, []byte(test.body)); err == nil || refusal(t, err).Parameter != test.parameter {
			t.Errorf("%s: %v", test.row, err)
		}
	}
}

// Everything that can be registered can be looked up again.
//
// spec: REG-02
func TestWhatIsRegisteredComesBack(t *testing.T) {
	document := map[string]any{
		"client_name": "A", "client_uri": "https://a.example/", "logo_uri": "https://a.example/l.png", "policy_uri": "https://a.example/p", "tos_uri": "https://a.example/t",
		"initiate_login_uri": "https://a.example/launch", "contacts": []any{"a@example.org"}, "redirect_uris": []any{"https://a.example/cb"},
		"post_logout_redirect_uris": []any{"https://a.example/bye"},
		"backchannel_logout_uri":    "https://a.example/logout?x=1", "backchannel_logout_session_required": true,
		"token_endpoint_auth_method": "client_secret_post", "grant_types": []any{"authorization_code"}, "response_types": []any{"code"}, "scope": "openid user/*.rs",
		"application_type": "web", "id_token_signed_response_alg": "ES256", "introspection_signed_response_alg": "ES256", "software_id": "s", "software_version": "1", "require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true, "emberlatch_maker": "M",
		"emberlatch_origins": []any{"https://b.example"}, "emberlatch_pkce_optional": true, "emberlatch_keep_refresh_token": true,
		"emberlatch_refresh_life_seconds": 3600.0, "emberlatch_may_introspect": true, "emberlatch_may_launch": true, "emberlatch_fhir_context_references": true, "emberlatch_checked": true, "emberlatch_preapproved": true, "emberlatch_trusted": true,
	}
	raw, _ := json.Marshal(document)
	c, body, err := registrar(t).Register(raw)
	if err != nil {
		t.Fatal(err)
	}
	again, err := register.Describe(c, register.Once{})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"at registration": body, "later": again} {
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		for _, own := range []string{"client_id", "client_secret", "client_id_issued_at", "client_secret_expires_at"} {
			delete(got, own)
		}
		if diff := cmp.Diff(document, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// The others are those of keys and of services, which keys_test.go reads back.
	n := len(slices.DeleteFunc(reflect.VisibleFields(reflect.TypeFor[register.Metadata]()), func(f reflect.StructField) bool { return f.Anonymous }))
	if n != len(document)+4 {
		t.Errorf("%d members are registered here and %d exist", len(document), n)
	}
}

// Who registers an app by hand trusts it, unless the flag or the document says no.
//
// attack: AZ-29
func TestWhomAnOperatorTrusts(t *testing.T) {
	for _, row := range []struct {
		member        string
		trusted, want bool
	}{
		{"", true, true}, {"", false, false}, {`,"emberlatch_trusted":false`, true, false},
		{`,"emberlatch_trusted":true`, true, true}, {`,"emberlatch_trusted":true`, false, false},
	} {
		c, body, err := registrar(t).RegisterAs([]byte(`{`+redirects+row.member+`}`), row.trusted)
		if err != nil || c.Trusted != row.want || strings.Contains(string(body), `"emberlatch_trusted":true`) != row.want {
			t.Errorf("%q, %v: trusted %v, %v, %s", row.member, row.trusted, c.Trusted, err, body)
		}
		if again, _, err := registrar(t).Change(c, []byte(`{"client_name":"B"}`)); err != nil || again.Trusted != row.want {
			t.Errorf("%q, %v: another change makes it trusted %v, %v", row.member, row.trusted, again.Trusted, err)
		}
	}
}

// spec: REG-03
func TestANativeAppWithASecretIsWarned(t *testing.T) {
	_, body, err := registrar(t).Register([]byte(`{"redirect_uris":["urn:ietf:wg:oauth:2.0:oob"]}`))
	if err != nil || !strings.Contains(string(body), "emberlatch_warnings") {
		t.Errorf("%s, %v", body, err)
	}
}

// spec: CAUTH-10
func TestSecretsOverlap(t *testing.T) {
	at := now
	r, err := register.New(register.Deps{Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := r.Register([]byte(`{` + redirects + `}`))
	if err != nil {
		t.Fatal(err)
	}
	first := c.Secrets[0]
	at = at.Add(time.Hour)
	c, second, err := r.NewSecret(c, 24*time.Hour, 48*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	first.ExpiresAt = at.Add(24 * time.Hour)
	want := []store.ClientSecret{{Hash: oauth.Hash(second), CreatedAt: at, ExpiresAt: at.Add(48 * time.Hour)}, first}
	if diff := cmp.Diff(want, c.Secrets); diff != "" {
		t.Error(diff)
	}
	// A third one within the overlap: the first is gone, the second ends no later than before.
	at = at.Add(time.Hour)
	c, third, err := r.NewSecret(c, 80*24*time.Hour, 0)
	if err != nil || len(c.Secrets) != 2 || !c.Secrets[1].ExpiresAt.Equal(now.Add(49*time.Hour)) || string(c.Secrets[0].Hash) != string(oauth.Hash(third)) {
		t.Errorf("%+v, %v", c.Secrets, err)
	}
	at = at.Add(100 * 24 * time.Hour)
	c, _, err = r.NewSecret(c, 0, 0)
	if err != nil || len(c.Secrets) != 1 {
		t.Errorf("without overlap: %+v, %v", c.Secrets, err)
	}
	public, _, err := r.Register([]byte(`{"token_endpoint_auth_method":"none",` + redirects + `}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"public": onlyErr(r.NewSecret(public, 0, 0)), "overlap": onlyErr(r.NewSecret(c, register.LongestOverlap+1, 0)),
		"negative": onlyErr(r.NewSecret(c, -1, 0)), "life": onlyErr(r.NewSecret(c, 0, time.Minute)),
	} {
		if err == nil {
			t.Errorf("%s: given", name)
		}
	}
}

func onlyErr[A, B any](_ A, _ B, err error) error { return err }

// The line of a mistake, for files.
func TestLineOfAMistake(t *testing.T) {
	for name, test := range map[string]struct {
		raw  string
		want int
	}{
		"member":  {"{\n \"client_name\":\"x\",\n \"redirect_uris\":[]\n}", 3},
		"unknown": {"{\n \"redirect_uris\":[\"https://a.example/cb\"],\n \"x\":1\n}", 3}, "type": {"{\n \"client_name\":1\n}", 2},
		"syntax": {"{\n \"client_name\":\"x\"\n \"scope\":\"y\"\n}", 3}, "absent": {"{}", 0},
	} {
		_, _, err := registrar(t).Register([]byte(test.raw))
		if got := register.Line([]byte(test.raw), refusal(t, err)); got != test.want {
			t.Errorf("%s: line %d, want %d (%v)", name, got, test.want, err)
		}
	}
}

// What an operator has narrowed stays narrow whatever the app says later, and what an
// operator has widened stays within reach.
//
// spec: REG-17
// attack: DC-10, DC-15
func TestAnOperatorsCeilingBinds(t *testing.T) {
	was, _ := registered(t, `{`+redirects+`,"client_name":"A"}`)
	itself := func(c store.Client, more string) (store.Client, error) {
		now, _, err := strict(t).ReplaceSelf(c, []byte(`{"client_id":"`+string(c.ID)+`",`+redirects+`,"client_name":"A"`+more+`}`))
		return now, err
	}
	operator := func(c store.Client, patch string) store.Client {
		t.Helper()
		now, changed, err := strict(t).Change(c, []byte(patch))
		if err != nil || len(changed) == 0 || !now.OperatorSet {
			t.Fatalf("%s: %v, %v", patch, changed, err)
		}
		return now
	}
	narrow := operator(was, `{"scope":"openid patient/Goal.rs"}`)
	for _, more := range []string{`,"scope":"openid patient/*.rs"`, `,"scope":"patient/Goal.rs offline_access"`, `,"scope":"` + ceiling + `"`} {
		if now, err := itself(narrow, more); err == nil {
			t.Errorf("%s: it has %s again", more, now.Scope)
		} else if refused := refusal(t, err); refused.Parameter != "scope" {
			t.Errorf("%s: %v", more, refused)
		}
	}
	if now, err := itself(narrow, ""); err != nil || now.Scope != "patient/Goal.rs openid" { // the usual ones, within its own ceiling
		t.Errorf("without a scope: %q, %v", now.Scope, err)
	}
	less, err := itself(narrow, `,"scope":"openid"`)
	if err != nil || less.Scope != "openid" || !less.OperatorSet {
		t.Fatalf("less than it may: %+v, %v", less, err)
	}
	if now, err := itself(less, `,"scope":"openid patient/Goal.rs"`); err != nil || now.Scope != "openid patient/Goal.rs" {
		t.Errorf("back to what the operator allowed: %q, %v", now.Scope, err)
	}
	wide := operator(was, `{"scope":"openid user/Goal.rs"}`)
	if less, err = itself(wide, `,"scope":"openid"`); err != nil {
		t.Fatal(err)
	}
	if now, err := itself(less, `,"scope":"user/Goal.rs"`); err != nil || now.Scope != "user/Goal.rs" {
		t.Errorf("what the operator allowed beyond the policy: %q, %v", now.Scope, err)
	}
	if now, err := itself(operator(narrow, `{"scope":null}`), `,"scope":"openid patient/*.rs"`); err != nil || now.Scope != "openid patient/*.rs" {
		t.Errorf("after the operator took the ceiling away: %q, %v", now.Scope, err)
	}
	pinned := operator(was, `{"scope":"`+was.Scope+`"}`) // the same scope, said by the operator
	if pinned.Ceiling.Scope != was.Scope {
		t.Errorf("pinned: %+v", pinned.Ceiling)
	}
	for member, on := range map[string]func(store.Client) bool{
		"require_pushed_authorization_requests": func(c store.Client) bool { return c.RequirePushed },
		"dpop_bound_access_tokens":              func(c store.Client) bool { return c.DPoPBound },
	} {
		demanded := operator(was, `{"`+member+`":true}`)
		for _, more := range []string{"", `,"` + member + `":false`} {
			if now, err := itself(demanded, more); err != nil || !on(now) {
				t.Errorf("%s, %q: %v, %v", member, more, on(now), err)
			}
		}
		own, err := itself(was, `,"`+member+`":true`)
		if err != nil || !on(own) {
			t.Fatal(err)
		}
		if now, err := itself(own, ""); err != nil || on(now) {
			t.Errorf("%s, its own wish is its own to take back: %v, %v", member, on(now), err)
		}
		if now, err := itself(operator(demanded, `{"`+member+`":false}`), ""); err != nil || on(now) {
			t.Errorf("%s, after the operator took it back: %v, %v", member, on(now), err)
		}
	}
}

// A developer whom nobody let in registers for one patient at a time, and waits for an
// operator where the policy says so; another name, address or key is another app.
//
// spec: REG-04, REG-05, REG-06
// attack: DC-10, DC-15
func TestRegisteredByForm(t *testing.T) {
	at := now
	registrar := func(reviewed bool) *register.Registrar {
		r, err := register.New(register.Deps{Now: func() time.Time { return at }, Self: register.Policy{Scope: "openid offline_access patient/*.rs user/*.rs", Reviewed: reviewed}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, reviewed := range []bool{true, false} {
		r := registrar(reviewed)
		for _, scope := range []string{"user/Patient.rs", "patient/*.rs user/*.rs", "system/*.rs", "patient/*.cruds", "admin"} {
			if _, _, err := r.RegisterByForm([]byte(`{` + redirects + `,"scope":"` + scope + `"}`)); err == nil || refusal(t, err).Parameter != "scope" {
				t.Errorf("%s: %v", scope, err)
			}
		}
		was, secret, err := r.RegisterByForm([]byte(`{` + redirects + `,"client_name":"A","scope":"openid patient/*.rs"}`))
		if err != nil || secret == "" || was.RegisteredWith != store.RegisteredByForm || was.MayAsk() == reviewed || was.Review.RegisteredAt != at {
			t.Fatalf("%+v, %v", was, err)
		}
		itself := func(c store.Client, more string) (store.Client, []string) {
			t.Helper()
			now, changed, err := r.ReplaceSelf(c, []byte(`{"client_id":"`+string(c.ID)+`",`+redirects+more+`}`))
			if err != nil {
				t.Fatal(err)
			}
			return now, changed
		}
		if _, _, err := r.ReplaceSelf(was, []byte(`{"client_id":"`+string(was.ID)+`",`+redirects+`,"scope":"user/*.rs"}`)); err == nil {
			t.Error("beyond one patient by an update")
		}
		at = now.Add(time.Hour)
		if got, _ := itself(was, `,"client_name":"B"`); got.Review != was.Review {
			t.Errorf("the clock begins anew: %+v", got.Review)
		}
		was.Review.VerifiedAt, was.Review.EnabledAt, was.Checked, was.OperatorSet = now, now, true, true
		if got, _ := itself(was, `,"client_name":"A","scope":"openid"`); got.Review != was.Review || !got.Checked {
			t.Errorf("the same app with less: %+v", got)
		}
		got, changed := itself(was, `,"client_name":"B"`)
		want := store.Review{RegisteredAt: now, EnabledAt: now}
		if reviewed {
			want = store.Review{RegisteredAt: at}
		}
		if got.Review != want || got.Checked || got.MayAsk() == reviewed || !slices.Contains(changed, "review") {
			t.Errorf("another app, reviewed %t: %+v, changed %v", reviewed, got.Review, changed)
		}
		at = now
	}
	body, err := register.Describe(store.Client{SelfRegistered: true, Review: store.Review{RegisteredAt: now, DeclinedAt: now, Reason: "Nobody answers."}}, register.Once{})
	if err != nil || !strings.Contains(string(body), `"emberlatch_review":{"state":"declined","registered_at":"2026-03-01T12:00:00Z","declined_at":"2026-03-01T12:00:00Z","reason":"Nobody answers."}`) {
		t.Errorf("%s, %v", body, err)
	}
}

// FuzzRegisterSelf: nobody registers beyond the policy, whatever they send, and
// what was registered may be sent again.
func FuzzRegisterSelf(f *testing.F) {
	for _, s := range []string{
		`{` + redirects + `}`, `{"token_endpoint_auth_method":"none","redirect_uris":["org.example.app:/cb"],"scope":"openid patient/*.read"}`,
		`{` + redirects + `,"emberlatch_checked":true,"scope":"user/*.rs"}`, `{` + redirects + `,"client_name":"\u0430a","x":{"a":1,"a":1}}`, `null`,
		`{` + redirects + `,"post_logout_redirect_uris":["javascript:x"],"contacts":[""]}`,
		`{` + redirects + `,"post_logout_redirect_uris":[],"contacts":[]}`,
	} {
		f.Add([]byte(s))
	}
	r, limit := strict(f), smart.NewScopeSet(strings.Fields(ceiling))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, secret, err := r.RegisterSelf(raw)
		if err != nil {
			var refused *oauth.Error
			if !errors.As(err, &refused) {
				t.Fatalf("not a protocol error: %v", err)
			}
			register.Line(raw, refused)
			return
		}
		for _, scope := range smart.NewScopeSet(strings.Fields(c.Scope)).Clinical() {
			if !limit.Covers(scope) {
				t.Fatalf("%s is beyond the policy", scope)
			}
		}
		if c.Checked || c.Trusted || c.Preapproved || c.MayIntrospect || c.MayLaunch || c.PKCEOptional || c.KeepRefreshToken || c.RefreshLife != 0 || c.Disabled || !c.SelfRegistered || c.Public() != (secret == "") {
			t.Fatalf("registered %+v", c)
		}
		body, err := register.Describe(c, register.Once{})
		if err != nil {
			t.Fatal(err)
		}
		var again map[string]any
		if err := json.Unmarshal(body, &again); err != nil {
			t.Fatal(err)
		}
		delete(again, "client_id_issued_at")
		delete(again, "client_secret_expires_at")
		sent, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		same, changed, err := r.ReplaceSelf(c, sent)
		if err != nil || len(changed) > 0 || !cmp.Equal(c, same) {
			t.Fatalf("what was registered is another thing when it is sent again: %v, %v\n%s", changed, err, cmp.Diff(c, same))
		}
	})
}
