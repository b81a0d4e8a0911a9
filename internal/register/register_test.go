package register_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func nowIs() time.Time { return now }

func registrar(t testing.TB) *register.Registrar {
	t.Helper()
	r, err := register.New(register.Deps{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const redirects = `"redirect_uris":["https://app.example.org/cb"]`

// spec: REG-10, REG-19, CAUTH-01, CAUTH-09
func TestRegistrationAnswersWithAllThatIsRegistered(t *testing.T) {
	c, body, err := registrar(t).Register([]byte(`{"client_name":"App",` + redirects + `,"contacts":["a@example.org"],"post_logout_redirect_uris":["https://app.example.org/bye"],"logo_uri":"https://app.example.org/l.png"}`))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	secret, _ := got["client_secret"].(string)
	want := map[string]any{
		"client_id": string(c.ID), "client_secret": secret, "client_secret_expires_at": 0.0, "client_id_issued_at": float64(now.Unix()),
		"client_name": "App", "contacts": []any{"a@example.org"}, "logo_uri": "https://app.example.org/l.png",
		"redirect_uris": []any{"https://app.example.org/cb"}, "post_logout_redirect_uris": []any{"https://app.example.org/bye"}, "token_endpoint_auth_method": "client_secret_basic",
		"grant_types": []any{"authorization_code", "refresh_token"}, "response_types": []any{"code"}, "application_type": "web",
		"scope": "launch/patient patient/*.rs openid fhirUser offline_access", "id_token_signed_response_alg": "RS256", "emberlatch_trusted": true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(secret) != 43 || len(c.Secrets) != 1 || string(c.Secrets[0].Hash) != string(oauth.Hash(secret)) {
		t.Error("CAUTH-09: what is stored is not the hash of the secret of 256 bits")
	}
	stored, _ := json.Marshal(c)
	if strings.Contains(string(stored), secret) {
		t.Error("CAUTH-09: the secret is stored in clear")
	}
	if other, _, _ := registrar(t).Register([]byte(`{` + redirects + `}`)); other.ID == c.ID || len(c.ID) < 22 {
		t.Error("REG-19: the client id is not random")
	}
}

func TestPublicClientsHaveNoSecret(t *testing.T) {
	c, body, err := registrar(t).Register([]byte(`{"token_endpoint_auth_method":"none","redirect_uris":["org.example.app:/cb"]}`))
	if err != nil || len(c.Secrets) > 0 || strings.Contains(string(body), "client_secret\"") || strings.Contains(string(body), "expires_at") {
		t.Errorf("%s, %v", body, err)
	}
	if c.ApplicationType != store.ApplicationNative || !c.Public() {
		t.Errorf("application type %s", c.ApplicationType)
	}
}

// spec: REG-08, REG-09, REG-13, REG-14, AUTHZ-15, PKCE-08
// attack: CU-06, RU-39, RU-93
func TestMetadataThatIsRefused(t *testing.T) {
	const public = `"token_endpoint_auth_method":"none",`
	const redirect, metadata = oauth.InvalidRedirectURI, oauth.InvalidClientMetadata
	for _, test := range []struct {
		row, body string
		code      oauth.Code
		parameter string
	}{
		{"REG-08 none", `{}`, redirect, "redirect_uris"},
		{"REG-08 empty", `{"redirect_uris":[]}`, redirect, "redirect_uris"},
		{"AUTHZ-15", `{"redirect_uris":["http://host.example/cb"]}`, redirect, "redirect_uris"},
		{"REG-08 fragment", `{"redirect_uris":["https://a.example/cb#x"]}`, redirect, "redirect_uris"},
		{"RU-93", `{"redirect_uris":["https://*.example.org/cb"]}`, redirect, "redirect_uris"},
		{"RU-39", `{"redirect_uris":["https://APP.example.org/cb"]}`, redirect, "redirect_uris"},
		{"CU-06", `{` + public + `"redirect_uris":["app:/cb"]}`, redirect, "redirect_uris"},
		{"REG-08 oob of a web app", `{"application_type":"web","redirect_uris":["urn:ietf:wg:oauth:2.0:oob"]}`, redirect, "redirect_uris"},
		{"REG-08 second is bad", `{"redirect_uris":["https://a.example/cb","javascript:alert(1)"]}`, redirect, "redirect_uris"},
		{"post logout http", `{` + redirects + `,"post_logout_redirect_uris":["http://host.example/bye"]}`, metadata, "post_logout_redirect_uris"},
		{"post logout script", `{` + redirects + `,"post_logout_redirect_uris":["https://a.example/","javascript:alert(1)"]}`, metadata, "post_logout_redirect_uris"},
		{"post logout fragment", `{` + redirects + `,"post_logout_redirect_uris":["https://a.example/#x"]}`, metadata, "post_logout_redirect_uris"},
		{"post logout out of band", `{"application_type":"native",` + redirects + `,"post_logout_redirect_uris":["urn:ietf:wg:oauth:2.0:oob"]}`, metadata, "post_logout_redirect_uris"},
		{"post logout too many", `{` + redirects + `,"post_logout_redirect_uris":[` + strings.Repeat(`"https://a.example/",`, 20) + `"https://a.example/"]}`, metadata, "post_logout_redirect_uris"},
		{"REG-09 logo", `{` + redirects + `,"logo_uri":"http://a.example/l.png"}`, metadata, "logo_uri"},
		{"REG-09 script", `{` + redirects + `,"client_uri":"javascript:alert(1)"}`, metadata, "client_uri"},
		{"REG-09 policy", `{` + redirects + `,"policy_uri":"https://u@a.example/"}`, metadata, "policy_uri"},
		{"REG-09 terms", `{` + redirects + `,"tos_uri":"//a.example/"}`, metadata, "tos_uri"},
		{"REG-09 launch URL in clear", `{` + redirects + `,"initiate_login_uri":"http://app.example.org/launch"}`, metadata, "initiate_login_uri"},
		{"REG-09 launch URL on the machine of somebody", `{` + redirects + `,"initiate_login_uri":"http://127.0.0.1:9001/launch"}`, metadata, "initiate_login_uri"},
		{"REG-09 launch URL of a script", `{` + redirects + `,"initiate_login_uri":"javascript:alert(1)"}`, metadata, "initiate_login_uri"},
		{"REG-09 launch URL with a fragment", `{` + redirects + `,"initiate_login_uri":"https://app.example.org/launch#x"}`, metadata, "initiate_login_uri"},
		{"REG-13 implicit", `{` + redirects + `,"grant_types":["implicit"]}`, metadata, "grant_types"},
		{"REG-13 refresh alone", `{` + redirects + `,"grant_types":["refresh_token"]}`, metadata, "grant_types"},
		{"REG-13 token", `{` + redirects + `,"response_types":["token"]}`, metadata, "response_types"},
		{"REG-14", `{` + redirects + `,"software_statement":"x.y.z"}`, metadata, "software_statement"},
		{"method", `{` + redirects + `,"token_endpoint_auth_method":"client_secret_jwt"}`, metadata, "token_endpoint_auth_method"},
		{"type", `{` + redirects + `,"application_type":"toaster"}`, metadata, "application_type"},
		{"scope unknown", `{` + redirects + `,"scope":"openid patient/Nonsense.zz"}`, metadata, "scope"},
		{"scope system", `{` + redirects + `,"scope":"system/*.rs"}`, metadata, "scope"},
		{"alg none", `{` + redirects + `,"id_token_signed_response_alg":"none"}`, metadata, "id_token_signed_response_alg"},
		{"PKCE-08", `{` + public + redirects + `,"emberlatch_pkce_optional":true}`, metadata, "emberlatch_pkce_optional"},
		{"public keeps refresh token", `{` + public + redirects + `,"emberlatch_keep_refresh_token":true}`, metadata, "emberlatch_keep_refresh_token"},
		{"public introspects", `{` + public + redirects + `,"emberlatch_may_introspect":true}`, metadata, "emberlatch_may_introspect"},
		{"public launches", `{` + public + redirects + `,"emberlatch_may_launch":true}`, metadata, "emberlatch_may_launch"},
		{"refresh life", `{` + redirects + `,"emberlatch_refresh_life_seconds":59}`, metadata, "emberlatch_refresh_life_seconds"},
		{"origin with path", `{` + redirects + `,"emberlatch_origins":["https://a.example/x"]}`, metadata, "emberlatch_origins"},
		{"name with line feed", `{` + redirects + `,"client_name":"a\nb"}`, metadata, "client_name"},
		{"twice", `{` + redirects + `,` + redirects + `}`, metadata, ""},
		{"misspelt", `{` + redirects + `,"redirect_uri":"x"}`, metadata, "redirect_uri"},
		{"other case", `{"Redirect_URIs":["https://app.example.org/cb"]}`, metadata, "Redirect_URIs"},
		{"no object", `[]`, metadata, ""},
		{"two objects", `{` + redirects + `}{}`, metadata, ""},
		{"nothing", ``, metadata, ""},
	} {
		t.Run(test.row, func(t *testing.T) {
			c, body, err := registrar(t).Register([]byte(test.body))
			var refused *oauth.Error
			if !errors.As(err, &refused) {
				t.Fatalf("registered: %s", body)
			}
			if refused.Code != test.code || refused.Parameter != test.parameter || refused.HTTPStatus() != 400 || c.ID != "" || body != nil {
				t.Errorf("got %v about %q", refused, refused.Parameter)
			}
			if !strings.HasPrefix(refused.Description, test.parameter) {
				t.Errorf("the sentence does not name the member: %s", refused.Description)
			}
		})
	}
}

// The launch URL keeps its query; in a sandbox it may be on the machine itself.
//
// spec: CTX-02, CTX-34
func TestLaunchURLIsRegistered(t *testing.T) {
	for uri, sandbox := range map[string]bool{"https://app.example.org/launch?a=b": false, "http://127.0.0.1:9001/launch": true} {
		r, err := register.New(register.Deps{Now: func() time.Time { return now }, Sandbox: sandbox})
		if err != nil {
			t.Fatal(err)
		}
		c, body, err := r.Register([]byte(`{` + redirects + `,"initiate_login_uri":"` + uri + `","emberlatch_may_launch":true,"emberlatch_fhir_context_references":true}`))
		if err != nil || c.LaunchURI != uri || !c.MayLaunch || !c.FHIRContextReferences || !strings.Contains(string(body), `"initiate_login_uri":"`+uri+`"`) {
			t.Errorf("%s: %+v, %s, %v", uri, c, body, err)
		}
	}
}

// FuzzRegister: what is registered could be registered again, and never breaks a
// rule of redirect URIs or of public clients.
func FuzzRegister(f *testing.F) {
	for _, s := range []string{
		`{` + redirects + `}`, `{"token_endpoint_auth_method":"none","redirect_uris":["org.example.app:/cb"],"scope":"openid"}`,
		`{` + redirects + `,"emberlatch_pkce_optional":true}`, `{"redirect_uris":["http://127.0.0.1:5/cb"]}`, `[]`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(s))
	}
	r := registrar(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, body, err := r.Register(raw)
		if err != nil {
			var refused *oauth.Error
			if !errors.As(err, &refused) {
				t.Fatalf("not a protocol error: %v", err)
			}
			return
		}
		if !json.Valid(body) || c.Public() && (len(c.Secrets) > 0 || c.PKCEOptional || c.KeepRefreshToken || c.MayIntrospect || c.MayLaunch) {
			t.Fatalf("registered %s", body)
		}
		for _, uri := range slices.Concat(c.RedirectURIs, c.PostLogoutRedirectURIs) {
			if err := oauth.CheckRedirectURI(uri, c.ApplicationType == store.ApplicationNative); err != nil {
				t.Fatalf("%q: %v", uri, err)
			}
		}
	})
}
