package suite

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// OpenID Connect Core §5.3.
var userInfoChecks = []Check{
	{ID: "OIDC-18", Level: SHALL, Section: "OpenID Connect Core §5.3",
		Expect: "UserInfo by GET names the sub of the ID token",
		run:    userInfo(http.MethodGet)},
	{ID: "OIDC-18b", Level: SHALL, Section: "OpenID Connect Core §5.3",
		Expect: "so does UserInfo by POST",
		run:    userInfo(http.MethodPost)},
	{ID: "OIDC-19", Level: SHALL, Section: "OpenID Connect Core §5.3.3",
		Expect: "UserInfo refuses a made-up token with 401",
		run: ofUserInfo(func(ctx context.Context, p *probe.Probe, endpoint string) Verdict {
			a, err := p.Get(ctx, endpoint, "Authorization", "Bearer conformance-made-up")
			return status(a, err, http.StatusUnauthorized)
		})},
	{ID: "OIDC-19b", Level: SHALL, Section: "OpenID Connect Core §5.3.3",
		Expect: "it refuses a token without openid",
		run: ofUserInfo(func(ctx context.Context, p *probe.Probe, endpoint string) Verdict {
			g, err := short(ctx, p)
			if err != nil {
				return unknown(err)
			}
			if granted(g, "openid") {
				return unknown(errors.New("openid is granted without being asked for"))
			}
			a, err := p.Get(ctx, endpoint, "Authorization", "Bearer "+g.Access())
			return status(a, err, http.StatusForbidden, http.StatusUnauthorized)
		})},
	{ID: "OIDC-21", Level: SHOULD, Section: "OpenID Connect Core §5.3.2",
		Expect: "UserInfo has fhirUser as the ID token has it",
		run: ofUserInfo(func(ctx context.Context, p *probe.Probe, endpoint string) Verdict {
			a, id, err := aboutMe(ctx, p, endpoint, http.MethodGet)
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			switch {
			case !id.Has("fhirUser"):
				return absent("there is no fhirUser")
			case a.Text("fhirUser") != id.Text("fhirUser"):
				return fail("fhirUser is %q", a.Text("fhirUser"))
			}
			return pass("they are equal")
		})},
}

// ofUserInfo runs with the endpoint.
func ofUserInfo(run func(ctx context.Context, p *probe.Probe, endpoint string) Verdict) check {
	return signsIn(ofEndpoint("userinfo_endpoint", run))
}

func aboutMe(ctx context.Context, p *probe.Probe, endpoint, method string) (agent.Answer, probe.JWT, error) {
	g, err := p.Main(ctx)
	if err != nil {
		return agent.Answer{}, probe.JWT{}, err
	}
	id, err := p.IDToken(ctx)
	if err != nil {
		return agent.Answer{}, probe.JWT{}, err
	}
	var form url.Values
	if method == http.MethodPost {
		form = url.Values{}
	}
	a, err := p.Send(ctx, method, endpoint, form, "Authorization", "Bearer "+g.Access())
	return a, id, err
}

func userInfo(method string) check {
	return ofUserInfo(func(ctx context.Context, p *probe.Probe, endpoint string) Verdict {
		a, id, err := aboutMe(ctx, p, endpoint, method)
		if v := status(a, err, http.StatusOK); v.outcome != Pass {
			return v
		}
		if a.Text("sub") != id.Text("sub") || a.Text("sub") == "" {
			return fail("sub is %q", a.Text("sub"))
		}
		return pass("they are equal")
	})
}
