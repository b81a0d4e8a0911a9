package suite

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// noLaunch judges a launch that did not succeed: a failure, unless it could not be
// tried.
func noLaunch(err error) Verdict {
	for _, cause := range []error{probe.ErrNotPublished, probe.ErrNoDocument, probe.ErrThrottled, agent.ErrElsewhere} {
		if errors.Is(err, cause) {
			return unknown(err)
		}
	}
	return fail("%v", err)
}

// ofSMART judges the SMART configuration.
func ofSMART(judge func(doc agent.Answer) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		doc, err := p.SMART(ctx)
		if err != nil {
			return unknown(err)
		}
		return judge(doc)
	}
}

// signsIn: without OpenID Connect its checks bind nobody.
func signsIn(run check) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		if _, err := p.SMART(ctx); err != nil {
			return unknown(err)
		}
		if !p.Advertises(ctx, "sso-openid-connect") {
			return absent("sso-openid-connect is not advertised")
		}
		return run(ctx, p)
	}
}

// ofProvider judges the OpenID configuration.
func ofProvider(judge func(doc agent.Answer) Verdict) check {
	return signsIn(func(ctx context.Context, p *probe.Probe) Verdict {
		doc, err := p.Provider(ctx)
		if err != nil {
			return unknown(err)
		}
		return judge(doc)
	})
}

// ofMain judges the main launch.
func ofMain(judge func(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		g, err := p.Main(ctx)
		if err != nil {
			return unknown(err)
		}
		return judge(ctx, p, g)
	}
}

// ofAnswer judges the token answer of the main launch alone.
func ofAnswer(judge func(g *probe.Grant) Verdict) check {
	return ofMain(func(_ context.Context, _ *probe.Probe, g *probe.Grant) Verdict { return judge(g) })
}

// ofEndpoint runs with an endpoint that discovery names.
func ofEndpoint(name string, run func(ctx context.Context, p *probe.Probe, endpoint string) Verdict) check {
	return func(ctx context.Context, p *probe.Probe) Verdict {
		endpoint, err := p.Endpoint(ctx, name)
		if err != nil {
			return unknown(err)
		}
		return run(ctx, p, endpoint)
	}
}

// short is a launch without OpenID Connect and without refresh tokens.
func short(ctx context.Context, p *probe.Probe) (*probe.Grant, error) {
	return p.Launch(ctx, "short", func() (probe.Request, error) {
		c, err := p.Primary()
		if err != nil {
			return probe.Request{}, err
		}
		return p.Request(c, p.Scope(ctx, c, "openid", "fhirUser", "profile", "offline_access", "online_access"), "without openid and offline_access"), nil
	})
}

// granted reports whether a scope is in the token answer.
func granted(g *probe.Grant, scope string) bool { return slices.Contains(g.Scopes(), scope) }

// noCode judges that a request was refused: an error came back to the app, one of
// codes if any are named, or a page was shown.
func noCode(page agent.Page, err error, codes ...string) Verdict {
	if err != nil {
		return unknown(err)
	}
	if page.Left == nil {
		return refusing(page)
	}
	q, fragment := page.Left.Query(), inFragment(page.Left)
	code := q.Get("error")
	if code == "" { // where the answers of other response types stand
		code = fragment.Get("error")
	}
	switch {
	case q.Has("code") || fragment.Has("code"):
		return fail("the server gives a code")
	case carriesToken(page.Left):
		return fail("the server puts a token into the URL")
	case code == "":
		return fail("%s without an error", page.Describe())
	case len(codes) > 0 && !slices.Contains(codes, code):
		return fail("error=%s instead of %s", probe.Plain(code), strings.Join(codes, " or "))
	default:
		return pass("error=%s", probe.Plain(code))
	}
}

// onlyPage judges that a request was refused by a page, and the browser sent nowhere.
// An error at exactly a registered redirect URI is no harm, where there is one.
func onlyPage(page agent.Page, err error, registered []string) Verdict {
	switch {
	case err != nil:
		return unknown(err)
	case page.Left == nil:
		return refusing(page)
	case onlyError(page.Left, registered):
		return pass("error=%s at the registered redirect URI", page.Left.Query().Get("error"))
	case page.Left.Query().Has("code"):
		return fail("%s with a code", page.Describe())
	}
	return fail("%s", page.Describe())
}

// onlyError reports whether u is a registered redirect URI with an error and nothing
// that a client did not register.
func onlyError(u *url.URL, registered []string) bool {
	q, plain := u.Query(), *u
	plain.RawQuery = ""
	for name := range q {
		if !slices.Contains([]string{"error", "error_description", "error_uri", "state", "iss"}, name) {
			return false
		}
	}
	return q.Get("error") != "" && u.Fragment == "" && slices.Contains(registered, plain.String())
}

// refusing judges that a page is a refusal: a server that breaks down, or that has
// had enough of us, has not refused anything.
func refusing(page agent.Page) Verdict {
	switch {
	case page.Status == http.StatusTooManyRequests:
		return unknown(probe.ErrThrottled)
	case page.Status >= http.StatusInternalServerError:
		return fail("%s", page.Describe())
	}
	return pass("%s", page.Describe())
}

// carriesToken reports whether a token stands in a URL.
func carriesToken(u *url.URL) bool {
	fragment := inFragment(u)
	for _, name := range []string{"access_token", "id_token", "refresh_token"} {
		if u.Query().Has(name) || fragment.Has(name) {
			return true
		}
	}
	return false
}

// inFragment are the parameters behind the # of a URL.
func inFragment(u *url.URL) url.Values {
	values, err := url.ParseQuery(u.EscapedFragment())
	if err != nil {
		return url.Values{}
	}
	return values
}

// noToken judges that the token endpoint refused with a JSON error (RFC 6749 §5.2):
// no token, status 400 or 401, one of codes.
func noToken(a agent.Answer, err error, codes ...string) Verdict {
	code := a.Text("error")
	switch {
	case err != nil:
		return unknown(err)
	case a.Status == http.StatusTooManyRequests:
		return unknown(probe.ErrThrottled)
	case a.Has("access_token") || a.Status < http.StatusBadRequest:
		return fail("it is accepted: status %d", a.Status)
	case a.Status != http.StatusBadRequest && a.Status != http.StatusUnauthorized:
		return fail("%s instead of 400", probe.Describe(a))
	case a.Object == nil || code == "":
		return fail("%s, and no JSON error", probe.Describe(a))
	case len(codes) > 0 && !slices.Contains(codes, code):
		return fail("%s instead of %s", probe.Describe(a), strings.Join(codes, " or "))
	}
	return pass("%s", probe.Describe(a))
}

// refused judges that a request got a status of 400 to 499.
func refused(a agent.Answer, err error) Verdict {
	switch {
	case err != nil:
		return unknown(err)
	case a.Status == http.StatusTooManyRequests:
		return unknown(probe.ErrThrottled)
	case a.Has("access_token"):
		return fail("a token is given: status %d", a.Status)
	case a.Status < 400 || a.Status > 499:
		return fail("%s", probe.Describe(a))
	}
	return pass("%s", probe.Describe(a))
}

// status judges that an answer has one of the statuses.
func status(a agent.Answer, err error, wanted ...int) Verdict {
	switch {
	case err != nil:
		return unknown(err)
	case a.Status == http.StatusTooManyRequests:
		return unknown(probe.ErrThrottled)
	case !slices.Contains(wanted, a.Status):
		return fail("%s", probe.Describe(a))
	}
	return pass("%s", probe.Describe(a))
}

// errNoPatient: nothing can be said about the FHIR API.
var errNoPatient = errors.New("the token answer names no patient")

// ownRecord is the path of the patient of a launch, when the launch may read it.
func ownRecord(g *probe.Grant) (string, error) {
	if g.Text("patient") == "" {
		return "", errNoPatient
	}
	if !covers(g, "Patient", "r") {
		return "", errors.New("no granted scope allows to read the patient")
	}
	return "Patient/" + url.PathEscape(g.Text("patient")), nil
}

// reading is a launch whose access token is proven to read now, with the path of its
// patient: else a refusal proves nothing. Some servers end all tokens of a person and
// an app at once, so a launch that earlier checks have spoiled is made anew.
func reading(ctx context.Context, p *probe.Probe) (*probe.Grant, string, error) {
	var a agent.Answer
	for range 2 {
		g, err := p.Main(ctx)
		if err != nil {
			return nil, "", err
		}
		path, err := ownRecord(g)
		if err != nil {
			return nil, "", err
		}
		if a, err = p.FHIR(ctx, g.Access(), path); err != nil {
			return nil, "", err
		}
		if a.Status == http.StatusOK {
			return g, path, nil
		}
		p.Forget()
	}
	return nil, "", errors.New("a good token reads nothing, so a refusal proves nothing: " + probe.Describe(a))
}

// dead judges that an access token opens nothing any more.
func dead(ctx context.Context, p *probe.Probe, g *probe.Grant) Verdict {
	_, _, err := reading(ctx, p)
	if err != nil {
		return unknown(err)
	}
	path, err := ownRecord(g)
	if err != nil {
		return unknown(err)
	}
	a, err := p.FHIR(ctx, g.Access(), path)
	switch {
	case err != nil:
		return unknown(err)
	case a.Status == http.StatusTooManyRequests:
		return unknown(probe.ErrThrottled)
	case a.Status < 400 || a.Status > 499:
		return fail("the access token still works: status %d", a.Status)
	}
	return pass("the access token is refused with %d", a.Status)
}

// all is the first verdict that is not a pass, else the last.
func all(list ...Verdict) Verdict {
	for _, v := range list {
		if v.outcome != Pass {
			return v
		}
	}
	if len(list) == 0 {
		return Verdict{}
	}
	return list[len(list)-1]
}

// noStore reports whether no cache may keep an answer (RFC 6749 §5.1).
func noStore(h http.Header) bool {
	return strings.Contains(strings.ToLower(strings.Join(h.Values("Cache-Control"), ",")), "no-store")
}
