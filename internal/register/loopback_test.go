package register_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Who may have a redirect to the loopback address: what runs on the device of the
// person; a server with a secret only in a sandbox, where it is being written.
//
// attack: LB-13
func TestWhoMayRedirectToLoopback(t *testing.T) {
	const web, native, browser = store.ApplicationWeb, store.ApplicationNative, store.ApplicationBrowser
	for _, row := range []struct {
		name, body        string
		anywhere, sandbox store.ApplicationType // empty: refused
	}{
		{"a web app with a secret", `"application_type":"web","redirect_uris":["http://127.0.0.1:9001/cb"]`, "", web},
		{"by its name", `"application_type":"web","redirect_uris":["http://localhost:9001/cb"]`, "", web},
		{"beside an https one", `"application_type":"web","redirect_uris":["https://app.example.org/cb","http://[::1]:9001/cb"]`, "", web},
		{"with its secret in the body", `"application_type":"web","token_endpoint_auth_method":"client_secret_post","redirect_uris":["http://127.0.0.1:9001/cb"]`, "", web},
		{"with a secret, of no type", `"redirect_uris":["http://127.0.0.1:9001/cb"]`, native, web},
		{"a native app with a secret", `"application_type":"native","redirect_uris":["http://127.0.0.1/cb"]`, native, native},
		{"a public app of no type", `"token_endpoint_auth_method":"none","redirect_uris":["http://127.0.0.1:9001/cb"]`, native, native},
		{"a browser app", `"application_type":"browser","token_endpoint_auth_method":"none","redirect_uris":["http://127.0.0.1:9001/cb"]`, browser, browser},
		{"a web app on the web", `"application_type":"web","redirect_uris":["https://app.example.org/cb"]`, web, web},
	} {
		for sandbox, want := range map[bool]store.ApplicationType{false: row.anywhere, true: row.sandbox} {
			r, err := register.New(register.Deps{Now: time.Now, Sandbox: sandbox})
			if err != nil {
				t.Fatal(err)
			}
			c, _, err := r.Register([]byte(`{` + row.body + `}`))
			var refused *oauth.Error
			switch {
			case want == "" && (!errors.As(err, &refused) || refused.Code != oauth.InvalidRedirectURI || !strings.HasPrefix(refused.Description, "redirect_uris[")):
				t.Errorf("%s, sandbox %v: %s, %v", row.name, sandbox, c.ApplicationType, err)
			case want != "" && (err != nil || c.ApplicationType != want):
				t.Errorf("%s, sandbox %v: %s, %v, want %s", row.name, sandbox, c.ApplicationType, err, want)
			}
		}
	}
}
