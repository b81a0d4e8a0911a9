package register_test

import (
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/register"
)

// Where the server is asked to go with a logout token is judged as where it fetches
// keys, by whichever way it is registered, and one sentence tells nothing of what lies
// within reach.
//
// spec: LOGOUT-10
// attack: DC-03, DC-04
func TestWhereLogoutsAreTold(t *testing.T) {
	told := map[string]bool{}
	for _, uri := range []string{
		"http://app.example.org/out", "http://127.0.0.1:9000/out", "https://127.0.0.1/out", "https://169.254.169.254/latest", "https://10.0.0.1/", "https://[::1]/",
		"https://app.example.org:6379/", "https://intranet/", "https://0x7f000001/", "https://app.example.org./out",
	} {
		document := []byte(`{` + redirects + `,"backchannel_logout_uri":"` + uri + `"}`)
		_, _, byOperator := registrar(t).Register(document)
		_, _, byItself := strict(t).RegisterSelf(document)
		was, _, err := registrar(t).Register([]byte(`{` + redirects + `}`))
		if err != nil {
			t.Fatal(err)
		}
		_, _, byChange := registrar(t).Change(was, []byte(`{"backchannel_logout_uri":"`+uri+`"}`))
		for way, err := range map[string]error{"by the operator": byOperator, "by itself": byItself, "by a change": byChange} {
			refused := refusal(t, err)
			if told[refused.Description] = true; refused.Parameter != "backchannel_logout_uri" {
				t.Errorf("%s %s: %v", uri, way, refused)
			}
		}
	}
	if len(told) > 2 { // it is no address at all, or none that is gone to
		t.Errorf("%d sentences: %v", len(told), told)
	}
	for body, member := range map[string]string{
		`{` + redirects + `,"backchannel_logout_uri":"https://app.example.org/out#x"}`:                                                                                        "backchannel_logout_uri",
		`{` + redirects + `,"backchannel_logout_uri":["https://app.example.org/out"]}`:                                                                                        "backchannel_logout_uri",
		`{` + redirects + `,"backchannel_logout_session_required":true}`:                                                                                                      "backchannel_logout_session_required",
		`{` + byKey + `"grant_types":["client_credentials"],"scope":"system/*.rs","jwks_uri":"https://a.example.org/k","backchannel_logout_uri":"https://a.example.org/out"}`: "backchannel_logout_uri",
	} {
		if _, _, err := registrar(t).Register([]byte(body)); err == nil || refusal(t, err).Parameter != member {
			t.Errorf("%s: %v", body, err)
		}
	}
	sandbox, err := register.New(register.Deps{Now: nowIs, Sandbox: true, Outbound: egress.Policy{Loopback: true, Own: "localhost:8765"}})
	if err != nil {
		t.Fatal(err)
	}
	for uri, good := range map[string]bool{"http://127.0.0.1:9000/out": true, "http://localhost:9000/out?a=b": true, "http://localhost:8765/logout": false, "http://app.example.org/": false} {
		c, _, err := sandbox.Register([]byte(`{` + redirects + `,"backchannel_logout_uri":"` + uri + `"}`))
		if (err == nil) != good || err == nil && !strings.HasPrefix(c.BackchannelLogoutURI, "http://") {
			t.Errorf("in a sandbox %s: %v", uri, err)
		}
	}
}
