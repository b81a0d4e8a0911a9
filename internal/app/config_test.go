package app_test

import (
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Values that would be dangerous do not start: lives that are too long, an open
// listener without TLS, limits that are none.
//
// spec: TOK-12, TOK-11, AUTHZ-23, AT-07, TLS-07
// attack: E-43
func TestDangerousValuesAreRefused(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*app.Config)
		want   string // in the error; empty: good
	}{
		{"as it comes", func(*app.Config) {}, ""},
		{"TOK-12 an hour", func(c *app.Config) { c.Tokens.Access = time.Hour }, ""},
		{"TOK-12 a second more", func(c *app.Config) { c.Tokens.Access = time.Hour + time.Second }, "tokens.access"},
		{"TOK-12 no end", func(c *app.Config) { c.Tokens.Access = 0 }, "tokens.access"},
		{"AUTHZ-23 ten minutes", func(c *app.Config) { c.Tokens.Code = 10 * time.Minute }, ""},
		{"AUTHZ-23 more", func(c *app.Config) { c.Tokens.Code = 11 * time.Minute }, "tokens.code"},
		{"a grace of an hour", func(c *app.Config) { c.Tokens.RefreshGrace = time.Hour }, "tokens.refresh_grace"},
		{"a session of a month", func(c *app.Config) { c.Sessions.Absolute = 30 * 24 * time.Hour }, "sessions.absolute"},
		{"pushed requests misspelt", func(c *app.Config) { c.Authorization.PushedRequests = "on" }, "authorization.pushed_requests"},
		{"pushed requests only", func(c *app.Config) { c.Authorization.PushedRequests = app.PushedRequired }, ""},
		{"self-service misspelt", func(c *app.Config) { c.Registration.SelfService = "on" }, "registration.self_service"},
		{"self-service, reviewed", func(c *app.Config) { c.Registration.SelfService = app.SelfServiceReviewed }, ""},
		{"nobody may wait", func(c *app.Config) { c.Registration.MaxWaiting = 0 }, "registration.max_waiting"},
		{"REG-06 a holiday that is none", func(c *app.Config) { c.Registration.BusinessDays.Holidays = []string{"25 December"} }, "registration.business_days.holidays"},
		{"REG-06 no such place", func(c *app.Config) { c.Registration.BusinessDays.TimeZone = "Mars/Olympus" }, "registration.business_days.time_zone"},
		{"terms by http", func(c *app.Config) { c.Registration.TermsURI = "http://records.example.org/terms" }, "registration.terms_uri"},
		{"proofs misspelt", func(c *app.Config) { c.Authorization.DPoP = "on" }, "authorization.dpop"},
		{"proofs with a nonce", func(c *app.Config) { c.Authorization.DPoP = app.DPoPNonce }, ""},
		{"LOGIN-13 of practitioners", func(c *app.Config) { c.Login.SecondFactor.Required = []store.Role{store.RolePractitioner} }, ""},
		{"LOGIN-13 of a role that is none", func(c *app.Config) { c.Login.SecondFactor.Required = []store.Role{"Practitioner"} }, "login.second_factor.required[0]"},
		{"no limit of connections", func(c *app.Config) { c.Listen.ConnectionsPerNetwork = 0 }, "listen.connections_per_network"},
		{"plain http for everybody", func(c *app.Config) { c.Listen.Public = "0.0.0.0:8080" }, "listen.public"},
		{"a public name without TLS", func(c *app.Config) { c.PublicURL = "http://records.example.org" }, "public_url"},
		{"another server for the records", func(c *app.Config) { c.FHIR.Upstream.URL = "https://10.0.0.7:8443/fhir" }, ""},
		{"TLS-07 another server without TLS", func(c *app.Config) { c.FHIR.Upstream.URL = "http://10.0.0.7:8080/fhir" }, "fhir.upstream.url"},
		{"itself for the records", func(c *app.Config) { c.FHIR.Upstream.URL = c.PublicURL + "/fhir" }, "fhir.upstream.url"},
		{"visits lead nobody", func(c *app.Config) { c.Reach.Visits = 0 }, ""},
		{"visits before they end", func(c *app.Config) { c.Reach.Visits = -time.Hour }, "reach.visits"},
		{"children are never of age", func(c *app.Config) { c.Reach.Majority = 0 }, ""},
		{"of age before birth", func(c *app.Config) { c.Reach.Majority = -1 }, "reach.majority"},
		{"visits for ever", func(c *app.Config) { c.Reach.Visits = 100_000 * time.Hour }, "reach.visits"},
		{"emergencies", func(c *app.Config) { c.Reach.Emergency = app.EmergencyConfig{Allowed: true, Longest: 8 * time.Hour} }, ""},
		{"emergencies of days", func(c *app.Config) { c.Reach.Emergency.Longest = 9 * time.Hour }, "reach.emergency.longest"},
		{"emergencies of seconds", func(c *app.Config) { c.Reach.Emergency.Longest = time.Second }, "reach.emergency.longest"},
		{"emergencies before they begin", func(c *app.Config) { c.Reach.Emergency.Longest = -time.Hour }, "reach.emergency.longest"},
		{"emergencies of any role", func(c *app.Config) { c.Reach.Emergency.Roles = []string{"urn:roles|*"} }, "reach.emergency.roles"},
		{"exports for ever", func(c *app.Config) { c.FHIR.Export.Life = 1000 * time.Hour }, "fhir.export.life"},
		{"exports for no time", func(c *app.Config) { c.FHIR.Export.Life = 0 }, "fhir.export.life"},
		{"no exports at a time", func(c *app.Config) { c.FHIR.Export.JobsPerClient = 0 }, "fhir.export.jobs_per_client"},
		{"exports of nothing", func(c *app.Config) { c.FHIR.Export.MaxResources = 0 }, "fhir.export.max_resources"},
		{"credentials for nobody", func(c *app.Config) { c.FHIR.Upstream.CredentialsFile = "x" }, "fhir.upstream.url"},
		{"a proxy that anybody may be", func(c *app.Config) {
			c.TLS = app.TLSConfig{TerminatedByProxy: true, TrustedProxies: []string{"0.0.0.0/0"}}
		}, "tls.trusted_proxies"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := app.DevConfig(t.TempDir(), "")
			if err != nil {
				t.Fatal(err)
			}
			row.change(&c)
			err = c.Validate()
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want an error about %q", err, row.want)
			}
		})
	}
	if got := app.Defaults().Tokens.Access; got != 1200*time.Second {
		t.Errorf("TOK-11: access tokens live %v", got)
	}
}
