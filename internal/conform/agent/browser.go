package agent

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Browser is a browser without JavaScript.
type Browser struct {
	wire *Wire
	jar  http.CookieJar
}

// NewBrowser returns one without cookies.
func NewBrowser(w *Wire) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil { // it never fails without options
		panic(err)
	}
	return &Browser{w, jar}
}

// Hop is one request of a browser with its answer.
type Hop struct {
	Method   string
	URL      *url.URL
	Status   int
	Header   http.Header
	Location string // as it was sent
}

// Page is where a browser stands.
type Page struct {
	Answer
	// Left is where the server sent the browser, when that is the redirect URI of
	// the app or another origin; nothing was loaded there.
	Left  *url.URL
	Trail []Hop // of the whole visit
	forms []form
}

// IsForm reports whether the page asks for something.
func (p Page) IsForm() bool {
	return p.Left == nil && len(p.forms) > 0 && p.Status < http.StatusBadRequest
}

// AsksForPassword reports whether the page is a login.
func (p Page) AsksForPassword() bool {
	for _, f := range p.forms {
		if f.has(isPassword) {
			return true
		}
	}
	return false
}

// Describe is the page in a few words, without its query, which may hold secrets.
func (p Page) Describe() string {
	if p.Left != nil {
		where := *p.Left
		where.RawQuery, where.Fragment, where.User = "", "", nil
		return "a redirect to " + where.String()
	}
	if name := title(p.Body); name != "" {
		return fmt.Sprintf("a page with status %d and the title %q", p.Status, name)
	}
	return fmt.Sprintf("a page with status %d", p.Status)
}

const maxHops = 15

// Open gets or, with a form, posts to a URL, and follows where the server sends
// the browser. It stops at redirectURI.
func (b *Browser) Open(ctx context.Context, method, target string, form url.Values, redirectURI string) (Page, error) {
	return b.follow(ctx, method, target, form, redirectURI, nil)
}

func (b *Browser) follow(ctx context.Context, method, target string, form url.Values, redirectURI string, trail []Hop) (Page, error) {
	for range maxHops {
		req, err := NewRequest(method, target, form, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
		if err != nil {
			return Page{}, err
		}
		if form != nil {
			req.Header.Set("Origin", Origin(req.URL))
			req.Header.Set("Sec-Fetch-Site", "same-origin")
		}
		a, err := b.send(ctx, req)
		if err != nil {
			return Page{}, err
		}
		location := a.Header.Get("Location")
		trail = append(trail, Hop{method, req.URL, a.Status, a.Header, location})
		p := Page{Answer: a, Trail: trail}
		if location == "" || a.Status < 300 || a.Status > 399 {
			p.forms = forms(a.Body)
			return p, nil
		}
		if isCallback(location, redirectURI) { // before it is read as a URL: it may be relative
			p.Left = callback(location)
			return p, nil
		}
		next, err := req.URL.Parse(location)
		if err != nil { // a browser would go there all the same
			p.Left = callback(location)
			return p, nil
		}
		if isCallback(next.String(), redirectURI) || !b.wire.Allows(next) {
			p.Left = next
			return p, nil
		}
		target = next.String()
		if a.Status != http.StatusTemporaryRedirect && a.Status != http.StatusPermanentRedirect {
			method, form = http.MethodGet, nil
		}
	}
	return Page{}, fmt.Errorf("the server redirects more than %d times", maxHops)
}

func (b *Browser) send(ctx context.Context, req *http.Request) (Answer, error) {
	for _, c := range b.jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	a, err := b.wire.Do(ctx, req)
	if err != nil {
		return a, err
	}
	if cookies := (&http.Response{Header: a.Header}).Cookies(); len(cookies) > 0 {
		b.jar.SetCookies(req.URL, cookies)
	}
	return a, nil
}

// submit presses a button of a form of p.
func (b *Browser) submit(ctx context.Context, p Page, f form, values url.Values, redirectURI string) (Page, error) {
	target, err := p.URL.Parse(f.action)
	if err != nil {
		return Page{}, fmt.Errorf("the form leads to a text that is no URL: %w", err)
	}
	if f.method == "post" {
		return b.follow(ctx, http.MethodPost, target.String(), values, redirectURI, p.Trail)
	}
	target.RawQuery = values.Encode()
	return b.follow(ctx, http.MethodGet, target.String(), nil, redirectURI, p.Trail)
}

// callback reads where the app is sent; what is no URL for us may be one for a
// browser, and keeps its query.
func callback(location string) *url.URL {
	if u, err := url.Parse(location); err == nil {
		return u
	}
	before, query, _ := strings.Cut(location, "?")
	return &url.URL{Opaque: before, RawQuery: query}
}

// isCallback reports whether a location is the redirect URI with an answer added.
func isCallback(location, redirectURI string) bool {
	if redirectURI == "" {
		return false
	}
	rest, ok := strings.CutPrefix(location, redirectURI)
	return ok && (rest == "" || strings.ContainsAny(rest[:1], "?&#"))
}
