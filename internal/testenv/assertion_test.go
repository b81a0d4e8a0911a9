package testenv_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/testenv"
)

// newKey makes a private key for an algorithm.
func newKey(t testing.TB, algorithm, kid string) *jose.JSONWebKey {
	t.Helper()
	k := &jose.JSONWebKey{KeyID: kid, Algorithm: algorithm, Use: "sig"}
	var err error
	switch algorithm {
	case "ES384":
		k.Key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES256":
		k.Key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		k.Key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func keySetOf(keys ...*jose.JSONWebKey) jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for _, k := range keys {
		set.Keys = append(set.Keys, k.Public())
	}
	return set
}

// service is the metadata of a backend service.
func service(scope string, members ...any) map[string]any {
	m := map[string]any{"token_endpoint_auth_method": "private_key_jwt", "grant_types": []string{"client_credentials"}, "scope": scope}
	for i := 0; i+1 < len(members); i += 2 {
		m[members[i].(string)] = members[i+1]
	}
	return m
}

var everybody = map[string]any{"all": true}

// An app that people use proves itself by its key in the whole flow: code, refresh,
// introspection, revocation. Each assertion is good once, at whichever endpoint.
//
// spec: CAUTH-12, CAUTH-20, CAUTH-31, AUTHZ-18
// attack: CA-14, CA-29
func TestAnAppWithAKey(t *testing.T) {
	env := testenv.Start(t)
	c, a := env.Token("sandbox-asymmetric", readAll, "maria", "")
	if a.String("patient") != "maria" || a.String("id_token") == "" {
		t.Fatalf("%s", a.Raw)
	}
	next := c.Refresh(a.String("refresh_token"))
	if next.Status != 200 || next.String("refresh_token") == a.String("refresh_token") {
		t.Fatalf("refresh: %d %s", next.Status, next.Raw)
	}
	token := next.String("access_token")
	if got := c.Post("/introspect", url.Values{"token": {token}}); got.Body["active"] != true || got.String("client_id") != c.ID {
		t.Errorf("introspection: %d %s", got.Status, got.Raw)
	}
	with := func(assertion string, form url.Values) url.Values {
		form.Set("client_assertion_type", testenv.AssertionType)
		form.Set("client_assertion", assertion)
		return form
	}
	used := c.Assertion()
	if got := c.Post("/introspect", with(used, url.Values{"token": {token}})); got.Body["active"] != true {
		t.Fatalf("%d %s", got.Status, got.Raw)
	}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {next.String("refresh_token")}}
	for path, form := range map[string]url.Values{"/introspect": {"token": {token}}, "/revoke": {"token": {token}}, "/token": refresh} {
		if got := c.Post(path, with(used, form)); got.Status/100 != 4 || got.String("error") != "invalid_client" {
			t.Errorf("a used assertion at %s: %d %s", path, got.Status, got.Raw)
		}
	}
	if env.Get(token, "Patient/maria").Status != 200 {
		t.Error("a used assertion revoked a token")
	}
	if got := env.Get(c.Assertion("aud", env.FHIR), "Patient/maria"); got.Status != http.StatusUnauthorized {
		t.Errorf("an assertion as an access token: %d %s", got.Status, got.Raw)
	}
	t.Log("a used assertion leaves a good code as it is")
	r := c.Request(readAll)
	exchange := url.Values{
		"grant_type": {"authorization_code"}, "code": {env.Browser().Code(c, r, "maria", "")}, "redirect_uri": {c.RedirectURI}, "code_verifier": {r.Verifier},
	}
	if got := c.Post("/token", with(used, exchange)); got.Status != 400 || got.String("error") != "invalid_client" {
		t.Errorf("a used assertion with a good code: %d %s", got.Status, got.Raw)
	}
	if got := c.Post("/token", with(c.Assertion(), exchange)); got.Status != 200 {
		t.Errorf("the code after that: %d %s", got.Status, got.Raw)
	}
	t.Log("a request that is refused for another reason spends its assertion as well")
	spent := c.Assertion()
	if got := c.Post("/token", with(spent, url.Values{"grant_type": {"authorization_code"}})); got.String("error") != "invalid_request" {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
	if got := c.Post("/token", with(spent, refresh)); got.String("error") != "invalid_client" {
		t.Errorf("spent by a refused request: %d %s", got.Status, got.Raw)
	}
	for name, text := range map[string]string{
		"aud": c.Assertion("aud", "https://elsewhere.example/token"), "exp": c.Assertion("exp", time.Now().Add(time.Hour).Unix()), "sub": c.Assertion("sub", "sandbox-backend"),
		"ID token": a.String("id_token"), "access token": token,
	} {
		for _, path := range []string{"/token", "/introspect", "/revoke"} {
			form := url.Values{"token": {token}, "grant_type": {"refresh_token"}, "refresh_token": {next.String("refresh_token")}}
			if got := c.Post(path, with(text, form)); got.String("error") != "invalid_client" || got.Status != 400 && got.Status != 401 {
				t.Errorf("%s at %s: %d %s", name, path, got.Status, got.Raw)
			}
		}
	}
	for name, body := range map[string]string{"no proof": "", "a secret": "&client_secret=x"} {
		if got := send(t, env, "/token", form, "grant_type=refresh_token&refresh_token="+next.String("refresh_token")+"&client_id="+c.ID+body); got.String("error") != "invalid_client" {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
	}
	if got := c.Refresh(next.String("refresh_token")); got.Status != 200 {
		t.Fatalf("the family ended by what was refused: %s", got.Raw)
	}
	if got := c.Post("/revoke", url.Values{"token": {next.String("refresh_token")}}); got.Status != 200 || got.Raw != "" {
		t.Errorf("revocation: %d %s", got.Status, got.Raw)
	}
	if env.Get(token, "Patient/maria").Status != http.StatusUnauthorized {
		t.Error("a token of a revoked grant lives")
	}
}

// A backend service: what it is given, what it is refused, and how each error reads.
//
// spec: BS-01, BS-02, BS-03, BS-04, BS-05, BS-06, BS-07, BS-08, BS-09, BS-10, BS-14, SCOPE-23, RT-31, ERR-33, DISC-07, REG-04
// attack: TK-25, TK-26
func TestBackendService(t *testing.T) {
	env := testenv.Start(t)
	c := env.Client("sandbox-backend")
	key := newKey(t, "ES384", "1")
	narrow := env.RegisterKeyed(service("system/Observation.rs system/Patient.read", "jwks", keySetOf(key), "emberlatch_data", everybody), key)
	writer := env.RegisterKeyed(service("system/Observation.cruds", "jwks", keySetOf(key), "emberlatch_data", everybody), key)
	for _, row := range []struct {
		name        string
		client      *testenv.Client
		scope, want string // want: the scopes granted, or an error code
	}{
		{"BS-04 version 2", c, "system/*.rs", "system/*.rs"},
		{"BS-04 version 1", c, "system/*.read", "system/*.read"},
		{"one type", c, "system/Patient.r", "system/Patient.r"},
		{"granular", c, "system/Observation.rs?category=laboratory", "system/Observation.rs?category=laboratory"},
		{"BS-03 what is not offered", c, "system/CareTeam.cruds", "system/CareTeam.rs"},
		{"BS-03 what is not offered, version 1", c, "system/CareTeam.* system/*.write", "system/CareTeam.read"},
		{"TK-26 wider", narrow, "system/*.rs", "system/Observation.rs system/Patient.rs"},
		{"TK-26 wider, version 1", narrow, "system/*.read", "system/Observation.read system/Patient.read"},
		{"TK-26 beside", narrow, "system/Observation.rs system/Condition.rs", "system/Observation.rs"},
		{"TK-26 nothing is left", narrow, "system/Condition.rs", "invalid_scope"},
		{"a type that nobody reaches", c, "system/Group.rs system/Patient.rs", "system/Patient.rs"},
		{"only a type that nobody reaches", c, "system/Group.rs", "invalid_scope"},
		{"BS-03 writing only", c, "system/*.cud", "invalid_scope"},
		{"BS-03 writing, as registered", writer, "system/*.cud", "system/Observation.cud"},
		{"BS-03 writing of what no app writes", c, "system/CareTeam.cud", "invalid_scope"},
		{"BS-02 missing", c, "", "invalid_scope"},
		{"ERR-33 malformed", c, "system/*.rs  system/Patient.rs", "invalid_scope"},
		{"ERR-33 quoted", c, `"system/*.rs"`, "invalid_scope"},
		{"ERR-33 not understood", c, "system/Nonsense.zz", "invalid_scope"},
		{"one that is not understood beside one that is", c, "system/Patient.rs system/Nonsense.zz", "system/Patient.rs"},
		{"TK-25 patient", c, "patient/*.rs", "invalid_scope"},
		{"TK-25 user", c, "user/*.rs", "invalid_scope"},
		{"TK-25 openid", c, "openid", "invalid_scope"},
		{"TK-25 launch", c, "launch", "invalid_scope"},
		{"TK-25 offline_access beside", c, "system/*.rs offline_access", "invalid_scope"},
		{"SCOPE-23 patient beside", c, "system/*.rs patient/*.rs", "invalid_scope"},
		{"too many for a token", c, manyScopes(), "invalid_scope"},
	} {
		got := row.client.Service(row.scope)
		if strings.HasPrefix(row.want, "invalid_") {
			if got.Status != 400 || got.String("error") != row.want || got.String("error_description") == "" || got.Body["access_token"] != nil {
				t.Errorf("%s: %d %s", row.name, got.Status, got.Raw)
			}
			checkTokenHeaders(t, got)
			continue
		}
		if got.Status != 200 || got.String("scope") != row.want || !strings.EqualFold(got.String("token_type"), "bearer") || got.Body["expires_in"] != 300.0 {
			t.Errorf("%s: %d %s", row.name, got.Status, got.Raw)
		}
		if len(got.Body) != 4 { // access_token, token_type, expires_in, scope
			t.Errorf("%s: more than there should be: %s", row.name, got.Raw)
		}
		checkTokenHeaders(t, got)
	}
	t.Log("who may not, and what is not a grant type")
	app := env.Client("sandbox-asymmetric")
	if got := app.Service("system/*.rs"); got.Status != 400 || got.String("error") != "unauthorized_client" {
		t.Errorf("an app that people use: %d %s", got.Status, got.Raw)
	}
	if got := env.Client("sandbox-confidential").Service("system/*.rs"); got.Status != 400 || got.String("error") != "unauthorized_client" {
		t.Errorf("by Basic: %d %s", got.Status, got.Raw)
	}
	if got := env.Client("sandbox-native").Service("system/*.rs"); got.Status != 400 || got.String("error") != "unauthorized_client" {
		t.Errorf("public: %d %s", got.Status, got.Raw)
	}
	if got := send(t, env, "/token", form, "grant_type=client_credentials&scope=system%2F*.rs&client_id="+c.ID); got.Status != 400 || got.String("error") != "invalid_client" {
		t.Errorf("without proof: %d %s", got.Status, got.Raw)
	}
	if got := c.Service("system/*.rs", "grant_type", "not_a_grant_type"); got.Status != 400 || got.String("error") != "unsupported_grant_type" {
		t.Errorf("%d %s", got.Status, got.Raw)
	}
	if got := c.Service("system/*.rs", "grant_type", "refresh_token", "refresh_token", "x"); got.Status != 400 || got.String("error") != "unauthorized_client" {
		t.Errorf("a refresh by a service: %d %s", got.Status, got.Raw)
	}
	if got := c.Service("system/*.rs", "resource", "https://elsewhere.example/fhir"); got.Status != 400 || got.String("error") != "invalid_target" {
		t.Errorf("another resource: %d %s", got.Status, got.Raw)
	}
	if got := env.Browser().Open("/authorize?client_id=" + c.ID + "&response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcallback"); got.Status < 400 || got.Left != nil {
		t.Errorf("a service at the authorization endpoint: %d", got.Status)
	}
	t.Log("tokens are independent, and end at once")
	one, two := c.Service("system/*.rs").String("access_token"), c.Service("system/*.rs").String("access_token")
	reads := func(token string) int { return env.Get(token, "Patient/james").Status }
	if one == two || reads(one) != 200 || reads(two) != 200 {
		t.Errorf("two tokens: %d, %d", reads(one), reads(two))
	}
	if got := c.Post("/revoke", url.Values{"token": {one}}); got.Status != 200 || reads(one) != 401 || reads(two) != 200 {
		t.Errorf("revocation: %d, then %d and %d", got.Status, reads(one), reads(two))
	}
	if got := env.Admin(http.MethodPost, "/grants/revoke", `{"client":"`+c.ID+`"}`); got.Status != 200 || got.Body["revoked"] != 1.0 || reads(two) != 401 {
		t.Errorf("by an operator: %d %s, then %d", got.Status, got.Raw, reads(two))
	}
	if three := c.Service("system/*.rs").String("access_token"); reads(three) != 200 {
		t.Error("no access after that")
	} else if got := env.Admin(http.MethodPost, "/clients/"+c.ID+"/disable", ""); got.Status != 200 || reads(three) != 401 {
		t.Errorf("disabled: %d %s, then %d", got.Status, got.Raw, reads(three))
	}
	if got := c.Service("system/*.rs"); got.Status != 400 || got.String("error") != "invalid_client" {
		t.Errorf("a disabled service: %d %s", got.Status, got.Raw)
	}
}

// manyScopes do not fit into a token.
func manyScopes() string {
	var list []string
	for _, kind := range []string{"AllergyIntolerance", "CarePlan", "CareTeam", "Condition", "Coverage", "Device", "DiagnosticReport", "DocumentReference"} {
		for _, letters := range []string{"r", "s", "rs"} {
			for _, tag := range []string{"one", "two", "three", "four"} {
				list = append(list, "system/"+kind+"."+letters+"?_tag=http://example.org/tags|"+tag)
			}
		}
	}
	return strings.Join(list, " ")
}

// What a service sees: within its scopes, and whose records the operator named. It
// needs no patient in the search, and nobody's name stands in its token.
//
// spec: BS-11
func TestABackendServiceReads(t *testing.T) {
	env := testenv.Start(t)
	token := env.Client("sandbox-backend").Service("system/*.rs").String("access_token")
	all := sees(t, env, token, "Patient?_count=1000")
	if len(all) < 8 {
		t.Errorf("everybody: %v", all)
	}
	if got := sees(t, env, token, "Observation?_count=1000"); len(got) < 100 {
		t.Errorf("%d observations of everybody", len(got))
	}
	if got := env.Get(token, "Group/dr-chen-panel"); got.Status != 403 {
		t.Errorf("a closed type: %d %s", got.Status, got.Raw)
	}
	key := newKey(t, "RS384", "k")
	register := func(scope string, data any) string {
		m := service(scope, "jwks", keySetOf(key))
		if data != nil {
			m["emberlatch_data"] = data
		}
		a := env.RegisterKeyed(m, key).Service(scope)
		if a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Raw)
		}
		return a.String("access_token")
	}
	labs := register("system/Observation.rs?category=laboratory", everybody)
	if got := env.Get(labs, "Patient/maria"); got.Status != 403 || !strings.Contains(got.Header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("a type outside of its scopes: %d %s", got.Status, got.Raw)
	}
	if got, every := sees(t, env, labs, "Observation?_count=1000&patient=maria"), sees(t, env, token, "Observation?_count=1000&patient=maria"); len(got) == 0 || len(got) >= len(every) {
		t.Errorf("%d of %d observations are laboratory ones", len(got), len(every))
	}
	panel := register("system/*.rs", map[string]any{"groups": []string{"Group/dr-silva-panel"}})
	mine := sees(t, env, panel, "Patient?_count=1000")
	if len(mine) == 0 || len(mine) >= len(all) {
		t.Errorf("a panel: %v of %v", mine, all)
	}
	for _, id := range all {
		want := 404
		for _, own := range mine {
			if own == id {
				want = 200
			}
		}
		if got := env.Get(panel, "Patient/"+id); got.Status != want {
			t.Errorf("Patient/%s by the panel: %d, want %d", id, got.Status, want)
		}
	}
	if got := env.Get(panel, "Practitioner/dr-chen"); got.Status != 200 {
		t.Errorf("the directory: %d", got.Status)
	}
	nobody := register("system/*.rs", nil)
	if got := env.Get(nobody, "Patient/maria"); got.Status != 403 {
		t.Errorf("a service about which nothing was said: %d %s", got.Status, got.Raw)
	}
	t.Log("nobody stands behind its token")
	if got := env.Get(token, "../userinfo"); got.Status == 200 {
		t.Errorf("userinfo: %s", got.Raw)
	}
	c := env.Client("sandbox-backend")
	info := c.Post("/introspect", url.Values{"token": {token}})
	if info.Body["active"] != true || info.String("sub") != c.ID || info.String("client_id") != c.ID || info.Body["username"] != nil || info.Body["patient"] != nil ||
		info.Body["fhirUser"] != nil || info.String("scope") != "system/*.rs" {
		t.Errorf("introspection: %s", info.Raw)
	}
	t.Log("a page link outlives the token that it was given to")
	first := env.Get(token, "Observation?_count=10")
	again := c.Service("system/*.rs").String("access_token")
	for _, l := range first.Body["link"].([]any) {
		if m := l.(map[string]any); m["relation"] == "next" {
			if got := env.Get(again, strings.TrimPrefix(m["url"].(string), env.FHIR+"/")); got.Status != 200 {
				t.Errorf("the next page with a new token: %d %s", got.Status, got.Raw)
			}
			if got := env.Get(panel, strings.TrimPrefix(m["url"].(string), env.FHIR+"/")); got.Status != 404 {
				t.Errorf("the next page for another service: %d", got.Status)
			}
		}
	}
}

// Each algorithm works, and each is good for its own kind of key.
//
// spec: CAUTH-12, CAUTH-14, DISC-15
func TestEachAlgorithm(t *testing.T) {
	env := testenv.Start(t)
	for _, algorithm := range []string{"RS384", "ES384", "PS384", "ES256"} {
		key := newKey(t, algorithm, "k")
		c := env.RegisterKeyed(service("system/Patient.rs", "jwks", keySetOf(key), "token_endpoint_auth_signing_alg", algorithm), key)
		if got := c.Service("system/Patient.rs"); got.Status != 200 {
			t.Errorf("%s: %d %s", algorithm, got.Status, got.Raw)
		}
		c.Key = newKey(t, algorithm, "k")
		if got := c.Service("system/Patient.rs"); got.Status != 400 || got.String("error") != "invalid_client" {
			t.Errorf("%s with another key: %d %s", algorithm, got.Status, got.Raw)
		}
	}
}

// Keys behind a URL: a new one works at once, a URL that is away is the client's
// fault, and nothing but the registered URL is ever asked.
//
// spec: CAUTH-15, CAUTH-22, CAUTH-24, CAUTH-25, BS-13
// attack: CA-06, CA-23, CA-24
func TestKeysByURL(t *testing.T) {
	env := testenv.Start(t)
	var mu sync.Mutex
	old := newKey(t, "ES384", "old")
	published, status := keySetOf(old), http.StatusOK
	var asked, strangers atomic.Int64
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/jwks" {
			strangers.Add(1)
		}
		asked.Add(1)
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Cache-Control", "max-age=600")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(published)
	}))
	defer host.Close()
	c := env.RegisterKeyed(service("system/Patient.rs", "jwks_uri", host.URL+"/jwks", "emberlatch_data", everybody), old)
	works := func(when string, want bool, fetches int64) {
		t.Helper()
		got := c.Service("system/Patient.rs")
		if (got.Status == 200) != want || !want && (got.Status != 400 || got.String("error") != "invalid_client") {
			t.Errorf("%s: %d %s", when, got.Status, got.Raw)
		}
		if n := asked.Load(); n != fetches {
			t.Errorf("%s: fetched %d times, want %d", when, n, fetches)
		}
	}
	works("at first", true, 1)
	works("again", true, 1)
	fresh := newKey(t, "ES384", "new")
	mu.Lock()
	published = keySetOf(fresh)
	mu.Unlock()
	c.Key = fresh
	works("after rotation", true, 2)
	c.Key = old
	works("with the old key", false, 2)
	for range 20 {
		c.Key = newKey(t, "ES384", "made-up")
		works("with a made-up kid", false, 2)
	}
	c.Key = fresh
	works("the good one", true, 2)
	other := env.RegisterKeyed(service("system/Patient.rs", "jwks_uri", host.URL+"/jwks?other"), fresh)
	mu.Lock()
	status = http.StatusInternalServerError
	mu.Unlock()
	if got := other.Service("system/Patient.rs"); got.Status != 400 || got.String("error") != "invalid_client" {
		t.Errorf("the URL is away: %d %s", got.Status, got.Raw)
	}
	works("of the other client, while its set lives", true, 3)
	host.Close()
	gone := env.RegisterKeyed(service("system/Patient.rs", "jwks_uri", host.URL+"/jwks?gone"), fresh)
	if got := gone.Service("system/Patient.rs"); got.Status != 400 || got.String("error") != "invalid_client" {
		t.Errorf("nobody is there: %d %s", got.Status, got.Raw)
	}
	if strangers.Load() > 0 {
		t.Error("another path was asked for")
	}
}

// What one node has seen, no other takes: an assertion is good once in the whole
// cluster, whatever it is brought for, and revoking reaches every node.
//
// spec: CAUTH-21, CAUTH-20
// attack: CA-14
func TestAnAssertionIsGoodOnceOnAllNodes(t *testing.T) {
	nodes := testenv.Nodes(t, 2)
	key := newKey(t, "ES384", "k")
	one := nodes[0].RegisterKeyed(service("system/Patient.rs", "jwks", keySetOf(key), "emberlatch_data", everybody), key)
	two := one.At(nodes[1])
	eventually(t, "a new client is known at the other node", func() bool { return two.Service("system/Patient.rs").Status == 200 })
	ask := func(c *testenv.Client, path, assertion string) testenv.Answer {
		return c.Post(path, url.Values{
			"grant_type": {"client_credentials"}, "scope": {"system/Patient.rs"}, "token": {"x"}, "client_assertion_type": {testenv.AssertionType}, "client_assertion": {assertion},
		})
	}
	for _, row := range []struct{ first, then string }{{"/token", "/token"}, {"/token", "/introspect"}, {"/introspect", "/token"}, {"/revoke", "/token"}} {
		assertion := one.Assertion()
		if got := ask(one, row.first, assertion); got.Status != 200 {
			t.Fatalf("%s: %d %s", row.first, got.Status, got.Raw)
		}
		if got := ask(two, row.then, assertion); got.String("error") != "invalid_client" || got.Status/100 != 4 {
			t.Errorf("%s at one node, then %s at the other: %d %s", row.first, row.then, got.Status, got.Raw)
		}
	}
	assertion := one.Assertion()
	var won atomic.Int64
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			if got := ask([]*testenv.Client{one, two}[n%2], "/token", assertion); got.Status == 200 {
				won.Add(1)
			} else if got.String("error") != "invalid_client" {
				t.Errorf("%d %s", got.Status, got.Raw)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of fifty at once on two nodes", won.Load())
	}
	token := one.Service("system/Patient.rs").String("access_token")
	if got := nodes[1].Get(token, "Patient/zoe"); got.Status != 200 {
		t.Fatalf("at the other node: %d %s", got.Status, got.Raw)
	}
	if got := two.Post("/revoke", url.Values{"token": {token}}); got.Status != 200 || nodes[1].Get(token, "Patient/zoe").Status != 401 {
		t.Errorf("revocation: %d %s", got.Status, got.Raw)
	}
	eventually(t, "the first node learns of a revocation", func() bool { return nodes[0].Get(token, "Patient/zoe").Status == 401 })
}
