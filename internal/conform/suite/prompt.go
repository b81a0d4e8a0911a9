package suite

import (
	"context"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// OpenID Connect Core §3.1.2.1 and §3.1.2.6.
var promptChecks = []Check{
	{ID: "AUTHZ-40", Level: SHALL, Section: "OpenID Connect Core §3.1.2.6",
		Expect: "prompt=none for nobody signed in answers login_required",
		run:    signsIn(silent("login_required", "prompt", "none"))},
	{ID: "AUTHZ-41", Level: SHALL, Section: "OpenID Connect Core §3.1.2.1",
		Expect: "prompt=none beside another value is invalid_request",
		run:    signsIn(silent("invalid_request", "prompt", "none login"))},
	{ID: "AUTHZ-37", Level: SHALL, Section: "OAuth 2.0 Form Post Response Mode §2",
		Expect: "with form_post, when it is advertised, nothing comes back in an address",
		run:    signsIn(postsBack)},
	{ID: "AUTHZ-39", Level: SHALL, Section: "OpenID Connect Core §3.1.2.1",
		Expect: "prompt=login asks somebody who is signed in to sign in again",
		run:    signsIn(asksAgain("prompt", "login"))},
	{ID: "AUTHZ-42b", Level: SHOULD, Section: "OpenID Connect Core §3.1.2.1",
		Expect: "so does max_age=0",
		run:    signsIn(asksAgain("max_age", "0"))},
	{ID: "AUTHZ-44", Level: SHALL, Section: "OpenID Connect Core §15.1",
		Expect: "login_hint, ui_locales, display, acr_values and claims_locales do no harm",
		run: signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
			_, v := accepted(ctx, p, "with optional parameters", "login_hint", "conformance", "ui_locales", "de-CH en",
				"claims_locales", "fr", "display", "page", "acr_values", "urn:conformance:loa1")
			return v
		})},
}

// silent is a request in a browser where nobody is signed in: an error comes back
// to the app at once.
func silent(code string, changes ...string) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		if _, err := p.Main(ctx); err != nil {
			return unknown(err)
		}
		r, err := p.Usual(ctx, "", changes...)
		if err != nil {
			return unknown(err)
		}
		page, err := p.Open(ctx, p.Stranger(), r)
		switch {
		case err != nil:
			return unknown(err)
		case page.Status == http.StatusTooManyRequests:
			return unknown(probe.ErrThrottled)
		case page.Left == nil:
			return fail("%s", page.Describe())
		case page.Left.Query().Get("error") != code:
			return fail("error=%s", page.Left.Query().Get("error"))
		}
		return pass("error=%s", code)
	}
}

// postsBack is a request that is answered by a form, in a browser where nobody is
// signed in: the error stands on a page.
func postsBack(ctx context.Context, p *probe.Probe) Verdict {
	doc, err := p.Provider(ctx)
	if err != nil {
		return unknown(err)
	}
	if !doc.Lists("response_modes_supported", "form_post") {
		return absent("form_post is not advertised")
	}
	if _, err := p.Main(ctx); err != nil {
		return unknown(err)
	}
	r, err := p.Usual(ctx, "", "prompt", "none", "response_mode", "form_post")
	if err != nil {
		return unknown(err)
	}
	page, err := p.Open(ctx, p.Stranger(), r)
	switch {
	case err != nil:
		return unknown(err)
	case page.Status == http.StatusTooManyRequests:
		return unknown(probe.ErrThrottled)
	case page.Left != nil:
		return fail("%s", page.Describe())
	}
	return pass("%s", page.Describe())
}

// asksAgain is a request in the browser of the person, who is signed in.
func asksAgain(changes ...string) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		if p.Person != nil && p.Person.ByHand() {
			return unknown(probe.ErrByHand)
		}
		r, err := p.Usual(ctx, "", changes...)
		if err != nil {
			return unknown(err)
		}
		page, err := p.OpenSignedIn(ctx, r)
		switch {
		case err != nil:
			return unknown(err)
		case page.Status == http.StatusTooManyRequests:
			return unknown(probe.ErrThrottled)
		case page.Left != nil || page.Status != http.StatusOK || !page.AsksForPassword():
			return fail("%s", page.Describe())
		}
		return pass("%s", page.Describe())
	}
}
