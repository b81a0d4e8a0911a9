package suite

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// OpenID Connect Core §2 and §3.1.3; SMART App Launch 2.2, scopes: fhirUser.
var idTokenChecks = []Check{
	{ID: "OIDC-01", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "openid gives an ID token signed with RS256 by a key of the key set",
		run:    signsIn(signedIDToken)},
	{ID: "OIDC-02", Level: SHALL, Section: "OpenID Connect Core §10.1",
		Expect: "its kid is in the key set",
		run: ofIDToken(func(ctx context.Context, p *probe.Probe, _ *probe.Grant, id probe.JWT) Verdict {
			a, err := p.Keys(ctx)
			if err != nil {
				return unknown(err)
			}
			kid, _ := id.Header["kid"].(string)
			values, _ := a.Object["keys"].([]any)
			if kid == "" && len(values) == 1 {
				return pass("there is one key, and no kid")
			}
			for _, v := range values {
				if k, ok := v.(map[string]any); ok && kid != "" && text(k, "kid") == kid {
					return pass("%s", kid)
				}
			}
			return fail("kid is %q", kid)
		})},
	{ID: "OIDC-06", Level: SHALL, Section: "OpenID Connect Core §2",
		Expect: "it has iss, sub, aud, exp and iat, and aud is the client",
		run: ofIDToken(func(ctx context.Context, p *probe.Probe, g *probe.Grant, id probe.JWT) Verdict {
			for _, name := range []string{"iss", "sub", "aud", "exp", "iat"} {
				if !id.Has(name) {
					return fail("%s is missing", name)
				}
			}
			if !slices.Contains(audience(id), g.Request.Client.ID) {
				return fail("aud is %v", id.Claims["aud"])
			}
			return pass("all of them")
		})},
	{ID: "LOGOUT-10", Level: SHALL, Section: "OpenID Connect Back-Channel Logout §2.1",
		Expect: "sid is in it when logout tokens are said to name sessions",
		run: ofIDToken(func(ctx context.Context, p *probe.Probe, _ *probe.Grant, id probe.JWT) Verdict {
			doc, err := p.Provider(ctx)
			switch {
			case err != nil:
				return unknown(err)
			case doc.Object["backchannel_logout_session_supported"] != true:
				return absent("backchannel_logout_session_supported is not advertised")
			case doc.Object["backchannel_logout_supported"] != true:
				return fail("backchannel_logout_supported is not advertised")
			case id.Text("sid") == "":
				return fail("there is none")
			}
			return pass("it is")
		})},
	{ID: "OIDC-07", Level: SHALL, Section: "OpenID Connect Core §2",
		Expect: "sub is 1 to 255 ASCII characters",
		run: claims(func(_ *probe.Grant, id probe.JWT) Verdict {
			sub := id.Text("sub")
			if sub == "" || len(sub) > 255 || strings.ContainsFunc(sub, func(r rune) bool { return r > 0x7e || r < 0x20 }) {
				return fail("sub is %q", sub)
			}
			return pass("%d characters", len(sub))
		})},
	{ID: "OIDC-07b", Level: SHALL, Section: "OpenID Connect Core §2",
		Expect: "sub is the same at the next sign-in",
		run: ofIDToken(func(ctx context.Context, p *probe.Probe, _ *probe.Grant, id probe.JWT) Verdict {
			later, err := agedIDToken(ctx, p)
			if err != nil {
				return unknown(err)
			}
			if later.Text("sub") != id.Text("sub") {
				return fail("sub was %q and is %q", id.Text("sub"), later.Text("sub"))
			}
			return pass("it is")
		})},
	{ID: "OIDC-08", Level: SHALL, Section: "RFC 9700 §4.15",
		Expect: "sub is not the client_id",
		run: claims(func(g *probe.Grant, id probe.JWT) Verdict {
			if id.Text("sub") == g.Request.Client.ID {
				return fail("it is")
			}
			return pass("it is not")
		})},
	{ID: "OIDC-09", Level: SHALL, Section: "OpenID Connect Core §2",
		Expect: "it lives an hour at most and has not ended",
		run: claims(func(_ *probe.Grant, id probe.JWT) Verdict {
			exp, isNumber := id.Number("exp")
			iat, _ := id.Number("iat")
			now := float64(time.Now().Unix())
			if !isNumber || exp < now-60 || iat > now+60 || exp-iat > 3600 {
				return fail("iat %v, exp %v", id.Claims["iat"], id.Claims["exp"])
			}
			return pass("%v seconds", exp-iat)
		})},
	{ID: "OIDC-10", Level: SHALL, Section: "OpenID Connect Core §2",
		Expect: "azp, if any, is the client",
		run: claims(func(g *probe.Grant, id probe.JWT) Verdict {
			if id.Has("azp") && id.Text("azp") != g.Request.Client.ID {
				return fail("azp is %v", id.Claims["azp"])
			}
			return pass("azp is %v", id.Claims["azp"])
		})},
	{ID: "OIDC-11", Level: SHALL, Section: "OpenID Connect Core §3.1.3.6",
		Expect: "at_hash, if any, is that of the access token",
		run: claims(func(g *probe.Grant, id probe.JWT) Verdict {
			if !id.Has("at_hash") {
				return absent("there is no at_hash")
			}
			if id.Text("at_hash") != halfHash(id, g.Access()) {
				return fail("it is not")
			}
			return pass("it is")
		})},
	{ID: "AUTHZ-43", Level: SHALL, Section: "OpenID Connect Core §3.1.3.7",
		Expect: "nonce is the one that was sent",
		run: claims(func(g *probe.Grant, id probe.JWT) Verdict {
			if id.Text("nonce") != g.Request.Values.Get("nonce") {
				return fail("it is not")
			}
			return pass("it is")
		})},
	{ID: "OIDC-12", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "fhirUser gives the claim fhirUser",
		run: claims(func(g *probe.Grant, id probe.JWT) Verdict {
			if !granted(g, "fhirUser") {
				return absent("fhirUser was not granted")
			}
			return named(id.Text("fhirUser") != "", "fhirUser")
		})},
	{ID: "OIDC-13", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "it is the URL of a person's resource",
		run: claims(func(_ *probe.Grant, id probe.JWT) Verdict {
			if !id.Has("fhirUser") {
				return absent("there is no fhirUser")
			}
			if !person.MatchString(id.Text("fhirUser")) {
				return fail("fhirUser is %q", id.Text("fhirUser"))
			}
			return pass("%s", id.Text("fhirUser"))
		})},
	{ID: "OIDC-15", Level: SHALL, Section: "SMART App Launch 2.2, scopes",
		Expect: "the app may read it",
		run:    ofIDToken(readsFHIRUser)},
	{ID: "TOK-15", Level: SHALL, Section: "OpenID Connect Core §3.1.3.3",
		Expect: "without openid there is no ID token",
		run: signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
			g, err := short(ctx, p)
			switch {
			case err != nil:
				return unknown(err)
			case g.Has("id_token") && !granted(g, "openid"):
				return fail("there is one")
			}
			return pass("there is none")
		})},
	{ID: "AUTHZ-42", Level: SHALL, Section: "OpenID Connect Core §3.1.2.1",
		Expect: "max_age gives the claim auth_time",
		run: signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
			id, err := agedIDToken(ctx, p)
			if err != nil {
				return unknown(err)
			}
			if n, ok := id.Number("auth_time"); !ok || n > float64(time.Now().Unix()+60) {
				return fail("auth_time is %v", id.Claims["auth_time"])
			}
			return pass("it is there")
		})},
	{ID: "RT-13", Level: SHALL, Section: "OpenID Connect Core §12.2",
		Expect: "an ID token of a refresh keeps iss, sub and aud",
		run: signsIn(ofRefresh(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
			a, err := p.Renew(ctx, g, "")
			if v := status(a, err, http.StatusOK); v.outcome != Pass {
				return v
			}
			if !a.Has("id_token") {
				return absent("a refresh gives no ID token")
			}
			before, errBefore := probe.ParseJWT(g.Text("id_token"))
			after, errAfter := probe.ParseJWT(a.Text("id_token"))
			if err := errors.Join(errBefore, errAfter); err != nil {
				return fail("%v", err)
			}
			if before.Text("iss") != after.Text("iss") || before.Text("sub") != after.Text("sub") || !sameWords(audience(before), audience(after)) {
				return fail("they are not kept")
			}
			return pass("they are kept")
		}))},
}

var person = regexp.MustCompile(`^(https?://.+/)?(Patient|Practitioner|PractitionerRole|RelatedPerson|Person)/[A-Za-z0-9.-]{1,64}$`)

// ofIDToken judges the ID token of the main launch.
func ofIDToken(judge func(ctx context.Context, p *probe.Probe, g *probe.Grant, id probe.JWT) Verdict) check {
	return signsIn(ofMain(func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
		id, err := p.IDToken(ctx)
		if err != nil {
			return unknown(err)
		}
		return judge(ctx, p, g, id)
	}))
}

func claims(judge func(g *probe.Grant, id probe.JWT) Verdict) check {
	return ofIDToken(func(_ context.Context, _ *probe.Probe, g *probe.Grant, id probe.JWT) Verdict { return judge(g, id) })
}

func signedIDToken(ctx context.Context, p *probe.Probe) Verdict {
	g, err := p.Main(ctx)
	if err != nil {
		return unknown(err)
	}
	if !granted(g, "openid") {
		return unknown(errors.New("openid was not granted"))
	}
	id, err := p.IDToken(ctx)
	if err != nil {
		return fail("%v", err)
	}
	if alg := id.Header["alg"]; alg != "RS256" {
		return fail("alg is %v", alg)
	}
	keys, err := p.Keys(ctx)
	if err != nil {
		return unknown(err)
	}
	if err := id.Verify(keys); err != nil {
		return fail("%v", err)
	}
	return pass("RS256, verified")
}

// agedIDToken is the ID token of a launch with max_age.
func agedIDToken(ctx context.Context, p *probe.Probe) (probe.JWT, error) {
	if _, err := p.Main(ctx); err != nil {
		return probe.JWT{}, err
	}
	g, err := p.Launch(ctx, "max_age", func() (probe.Request, error) { return p.Usual(ctx, "with max_age", "max_age", "3600") })
	if err != nil {
		return probe.JWT{}, err
	}
	return probe.ParseJWT(g.Text("id_token"))
}

func audience(id probe.JWT) []string {
	switch aud := id.Claims["aud"].(type) {
	case string:
		return []string{aud}
	case []any:
		var list []string
		for _, v := range aud {
			s, _ := v.(string)
			list = append(list, s)
		}
		return list
	}
	return nil
}

// halfHash is the left half of the hash of a token (OpenID Connect Core §3.1.3.6).
func halfHash(id probe.JWT, token string) string {
	alg, _ := id.Header["alg"].(string)
	var sum []byte
	switch {
	case strings.HasSuffix(alg, "384"):
		full := sha512.Sum384([]byte(token))
		sum = full[:]
	case strings.HasSuffix(alg, "512"):
		full := sha512.Sum512([]byte(token))
		sum = full[:]
	default:
		full := sha256.Sum256([]byte(token))
		sum = full[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

func readsFHIRUser(ctx context.Context, p *probe.Probe, g *probe.Grant, id probe.JWT) Verdict {
	claim := id.Text("fhirUser")
	if claim == "" {
		return absent("there is no fhirUser")
	}
	target, err := url.Parse(claim)
	if err != nil {
		return fail("fhirUser is %q", claim)
	}
	if !target.IsAbs() {
		claim = p.Base + "/" + claim
	}
	a, err := p.Get(ctx, claim, "Accept", "application/fhir+json", "Authorization", "Bearer "+g.Access())
	if v := status(a, err, http.StatusOK); v.outcome != Pass {
		return v
	}
	if kind := a.Text("resourceType"); kind == "" || !strings.Contains(claim, kind+"/") {
		return fail("the answer is a %q", kind)
	}
	return pass("status 200")
}
