package suite

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// SMART App Launch 2.2, scopes and launch context.
var scopeChecks = []Check{
	{ID: "SCOPE-01", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "a scope of version 2 is granted",
		run: ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			if !p.Advertises(ctx, "permission-v2") {
				return absent("permission-v2 is not advertised")
			}
			if !slices.ContainsFunc(g.Asked(), secondVersion.MatchString) {
				return unknown(errors.New("the scope that was given has none of version 2"))
			}
			if !slices.ContainsFunc(g.Scopes(), secondVersion.MatchString) {
				return fail("granted: %q", g.Text("scope"))
			}
			return pass("granted: %q", g.Text("scope"))
		})},
	{ID: "SCOPE-04", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "a scope about an unknown type is not granted",
		run:    notGranted("patient/Banana.rs")},
	{ID: "SCOPE-05", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "letters out of order are not granted",
		run:    notGranted("patient/Observation.sr")},
	{ID: "SCOPE-20", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "scopes about a patient come with a patient",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			if !slices.ContainsFunc(g.Scopes(), func(s string) bool { return strings.HasPrefix(s, "patient/") }) {
				return absent("no patient/ scope was granted")
			}
			return named(g.Text("patient") != "", "patient")
		})},
	{ID: "SCOPE-22", Level: SHALL, Section: "SMART App Launch 2.2, backend services",
		Expect: "system/ scopes are not granted to a person's app",
		run:    notGranted("system/*.rs")},
	{ID: "SCOPE-39", Level: SHALL, Section: "RFC 6749 §3.3",
		Expect: "what is given is named in scope: launch/patient, openid, offline_access",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			for member, names := range map[string][]string{
				"patient": {"launch/patient", "launch"}, "id_token": {"openid"}, "refresh_token": {"offline_access", "online_access"},
			} {
				if g.Has(member) && !slices.ContainsFunc(names, func(s string) bool { return granted(g, s) }) {
					return fail("there is %s, and %s is not in %q", member, names[0], g.Text("scope"))
				}
			}
			return pass("%q", g.Text("scope"))
		})},
	{ID: "SCOPE-43", Level: SHALL, Section: "RFC 6749 §3.3",
		Expect: "nothing is granted that was not asked for",
		run: ofAnswer(func(g *probe.Grant) Verdict {
			for _, s := range g.Scopes() {
				if !strings.Contains(s, "/") && !slices.Contains(g.Asked(), s) {
					return fail("%s was not asked for", s)
				}
				if strings.HasPrefix(s, "user/") && !strings.Contains(g.Request.Values.Get("scope"), "user/") {
					return fail("%s was not asked for", s)
				}
			}
			return pass("%q", g.Text("scope"))
		})},
}

var secondVersion = regexp.MustCompile(`^(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.c?r?u?d?s?(\?.+)?$`)

// notGranted asks for a scope beside the usual ones, once for all of them.
func notGranted(scope string) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		if _, err := p.Main(ctx); err != nil {
			return unknown(err)
		}
		g, err := p.Launch(ctx, "odd scopes", func() (probe.Request, error) {
			c, err := p.Primary()
			if err != nil {
				return probe.Request{}, err
			}
			return p.Request(c, p.Scope(ctx, c)+" patient/Banana.rs patient/Observation.sr system/*.rs", "with scopes that make no sense"), nil
		})
		var refusal *probe.RefusedError
		switch {
		case errors.As(err, &refusal):
			return pass("the request is refused with %s", refusal.Code)
		case err != nil:
			return unknown(err)
		case granted(g, scope):
			return fail("%s is granted", scope)
		}
		return pass("granted: %q", g.Text("scope"))
	}
}
