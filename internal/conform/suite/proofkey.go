package suite

import (
	"context"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

var pkce = []string{"invalid_request"}

// RFC 7636; RFC 9700 §2.1.1, §4.8: proof key.
var proofKeyChecks = []Check{
	{ID: "PKCE-01", Level: SHALL, Section: "RFC 9700 §2.1.1",
		Expect: "a request without code_challenge is refused",
		run:    attemptFor(pkce, "code_challenge", "", "code_challenge_method", "")},
	{ID: "PKCE-02", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "code_challenge_method=plain is refused",
		run:    attemptFor(pkce, "code_challenge_method", "plain")},
	{ID: "PKCE-02b", Level: SHALL, Section: "SMART App Launch 2.2, app launch",
		Expect: "no code_challenge_method, which means plain, is refused",
		run:    attemptFor(pkce, "code_challenge_method", "")},
	{ID: "AZ-11", Level: SHALL, Section: "RFC 7636 §4.4.1",
		Expect: "code_challenge_method=s256 is refused",
		run:    attemptFor(pkce, "code_challenge_method", "s256")},
	{ID: "PKCE-03", Level: SHALL, Section: "RFC 7636 §4.2",
		Expect: "a code_challenge that is too short is refused",
		run:    attemptFor(pkce, "code_challenge", probe.Challenge("conformance")[:42])},
	{ID: "PKCE-05", Level: SHALL, Section: "RFC 7636 §4.6",
		Expect: "a wrong code_verifier is refused",
		run: redeem(func(r probe.Request, code string) url.Values {
			return probe.CodeForm(r, code, "code_verifier", probe.NewVerifier())
		}, "invalid_grant")},
	{ID: "PKCE-05b", Level: SHALL, Section: "RFC 7636 §4.6",
		Expect: "no code_verifier is refused",
		run: redeem(func(r probe.Request, code string) url.Values {
			return probe.CodeForm(r, code, "code_verifier", "")
		}, "invalid_grant", "invalid_request")},
	{ID: "PKCE-05c", Level: SHALL, Section: "RFC 7636 §4.6",
		Expect: "the code_challenge in place of the code_verifier is refused",
		run: redeem(func(r probe.Request, code string) url.Values {
			return probe.CodeForm(r, code, "code_verifier", r.Values.Get("code_challenge"))
		}, "invalid_grant")},
	{ID: "PKCE-06", Level: SHOULD, Section: "RFC 9700 §4.5",
		Expect: "after a wrong code_verifier the code is spent",
		run: func(ctx context.Context, p *probe.Probe) Verdict {
			r, code, err := p.Code(ctx, "for a code that is redeemed wrongly, then rightly")
			if err != nil {
				return unknown(err)
			}
			if a, err := p.Exchange(ctx, r, code, "code_verifier", probe.NewVerifier()); err != nil || a.Has("access_token") {
				return absent("a wrong code_verifier is not refused")
			}
			a, err := p.Exchange(ctx, r, code)
			return noToken(a, err, "invalid_grant")
		}},
}
