package conform_test

import (
	"net"
	"regexp"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/conform"
	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// The server of this project passes its own checks: nothing fails, nothing is left
// unasked, and it offers everything that the checks are about.
//
// spec: CORS-01, CORS-03, CORS-04, CORS-05, RT-12
func TestOurServerIsConformant(t *testing.T) {
	env := testenv.Start(t)
	with, err := conform.ReadSandbox(env.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	target, err := with.Target(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	bound := env.Register(`{"dpop_bound_access_tokens":true,"token_endpoint_auth_method":"none","redirect_uris":["https://bound.example.org/cb"],` +
		`"scope":"launch/patient patient/*.rs openid fhirUser offline_access"}`)
	target.DPoP = &probe.Client{ID: bound.ID, Method: probe.AuthNone, RedirectURIs: []string{bound.RedirectURI}}
	report := check(t, target, everySuite...)
	for _, r := range report.Results {
		if r.Outcome != "pass" && r.ID != "TLS-01" { // the sandbox is http on loopback
			t.Error(r.Line())
		}
	}
	if !report.Conformant || !report.Passed() || report.Counts.Passed < 250 {
		t.Errorf("%+v: %s", report.Counts, report.Conclusion)
	}
}

// A server that asks for nonces of its own is asked again with them.
//
// spec: AT-13
func TestProofsAtAServerThatAsksForNonces(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	env := testenv.Serve(t, func(c *app.Config) {
		c.Authorization.DPoP, c.Listen.Public, c.PublicURL = app.DPoPNonce, address, "http://"+address
	})
	env.AddZoe()
	bound := env.Register(`{"dpop_bound_access_tokens":true,"token_endpoint_auth_method":"none","redirect_uris":["https://bound.example.org/cb"],` +
		`"scope":"launch/patient patient/*.rs openid fhirUser offline_access"}`)
	zoe := env.File.People[0]
	report := check(t, probe.Target{
		Base: env.FHIR, Person: agent.Script{Username: zoe.Username, Password: zoe.Password},
		DPoP: &probe.Client{ID: bound.ID, Method: probe.AuthNone, RedirectURIs: []string{bound.RedirectURI}},
	}, "bcp")
	about, passed := regexp.MustCompile(`^(AT-1[234][b-d]?|ERR-35|JW-16b?|RT-17)$`), 0
	for _, r := range report.Results {
		if about.MatchString(r.ID) && r.Outcome != "pass" {
			t.Error(r.Line())
		} else if about.MatchString(r.ID) {
			passed++
		}
	}
	if passed != 11 {
		t.Errorf("%d checks of proofs passed", passed)
	}
}
