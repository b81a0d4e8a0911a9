package authorize

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

// redirectable is the proof that a client exists and that a redirect URI is one
// of its own. Only match makes one, and only it sends anything to an app.
type redirectable struct {
	client   store.Client
	uri      string
	state    string
	hasState bool
	locales  string
	post     bool // the answer goes back by a form
}

// formPost is the response mode that brings parameters in the body of a POST (OAuth
// 2.0 Form Post Response Mode §1).
const formPost = "form_post"

// takesPost reports whether a browser can post to a redirect URI: not to a page of
// ours, nor to a scheme that the operating system hands to an app.
func takesPost(uri string) bool {
	return strings.HasPrefix(uri, "https://") || strings.HasPrefix(uri, "http://")
}

// match proves client and redirect URI; its errors are pages (ERR-01 to ERR-03).
func (d *Door) match(p oauth.Parameters) (redirectable, *page.Error) {
	client, problem := d.named(p)
	if problem != nil {
		return redirectable{}, problem
	}
	uri := p.Get("redirect_uri")
	if uri == "" || p.Repeated("redirect_uri") {
		return redirectable{}, appError(oauth.SlugClientRedirectMissing, "redirect_uri", "redirect_uri is missing or sent twice.")
	}
	native := client.ApplicationType == store.ApplicationNative
	// RFC 9700 §2.1: compared byte for byte; a loopback port may differ (RFC 8252 §7.3).
	if !oauth.MatchRedirectURI(client.RedirectURIs, native, uri) {
		return redirectable{}, appError(oauth.SlugClientRedirectNotRegistered, "redirect_uri",
			"redirect_uri is not, byte for byte, one that this client has registered.")
	}
	t := redirectable{client: client, uri: uri, state: p.Get("state"), locales: p.Get("ui_locales")}
	t.hasState = t.state != "" && len(t.state) <= maxState && !p.Repeated("state")
	t.post = p.Get("response_mode") == formPost && !p.Repeated("response_mode") && takesPost(uri)
	return t, nil
}

// named is the client that a request names.
func (d *Door) named(p oauth.Parameters) (store.Client, *page.Error) {
	id := p.Get("client_id")
	if id == "" || p.Repeated("client_id") {
		return store.Client{}, appError(oauth.SlugClientMissing, "client_id", "client_id is missing or sent twice.")
	}
	client, known := d.deps.Client(store.ClientID(id))
	if !known {
		return store.Client{}, appError(oauth.SlugClientUnknown, "client_id", "There is no client of that client_id on this server.")
	}
	return client, nil
}

func appError(slug oauth.Slug, parameter, description string) *page.Error {
	return &page.Error{Title: "app", ErrorCode: string(oauth.InvalidRequest), Slug: slug, Parameter: parameter, Description: description}
}

// ofRequest is the proof for a stored request: it was matched before it was
// stored, and is matched again with what the client has registered now.
func ofRequest(client store.Client, q store.AuthorizationRequest) (redirectable, bool) {
	native := client.ApplicationType == store.ApplicationNative
	if client.ID != q.ClientID || !oauth.MatchRedirectURI(client.RedirectURIs, native, q.RedirectURI) {
		return redirectable{}, false
	}
	return redirectable{client, q.RedirectURI, q.State, q.HasState, q.UILocales, q.ResponseMode == formPost && takesPost(q.RedirectURI)}, true
}

// notRegisteredAnyMore is the page about a stored request without that proof.
func (d *Door) notRegisteredAnyMore(w http.ResponseWriter, r *http.Request) {
	d.deps.Flow.Error(w, r, page.Error{Title: "app", Slug: oauth.SlugClientRedirectNotRegistered,
		Description: "The redirect URI of this request is not registered any more."}, http.StatusBadRequest)
}

// mayLeaveOutPKCE: the legacy switch of a confidential client.
func (t redirectable) mayLeaveOutPKCE() bool { return t.client.PKCEOptional && !t.client.Public() }

// outOfBand reports whether the answer is shown on a page.
func (t redirectable) outOfBand() bool { return t.uri == store.OutOfBand }

// answer sends parameters back to the app: by a redirect, or by a form that the
// browser posts.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, t redirectable, values url.Values) {
	if !t.post {
		d.deps.Flow.Redirect(w, oauth.AddToQuery(t.uri, d.whole(t, values)))
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.FormPost{
		Shell: page.Shell{AppName: t.client.Name, UILocales: t.locales}, Post: d.form(t, values),
	})
}

// whole are the parameters of an answer (RFC 6749 §4.1.2, RFC 9207 §2): with the state
// as it came, and the issuer.
func (d *Door) whole(t redirectable, values url.Values) url.Values {
	if t.hasState {
		values.Set("state", t.state)
	}
	values.Set("iss", d.deps.Issuer)
	return values
}

// form is an answer as a form: a query of the redirect URI stays where it is.
func (d *Door) form(t redirectable, values url.Values) page.Post {
	p := page.Post{URL: t.uri, Host: flow.Host(t.uri)}
	for name, list := range d.whole(t, values) {
		p.Fields = append(p.Fields, page.PostField{Name: name, Value: list[0]})
	}
	slices.SortFunc(p.Fields, func(a, b page.PostField) int { return strings.Compare(a.Name, b.Name) })
	return p
}

// refuse sends a protocol error back to the app. A desktop app that reads codes off
// a page gets a page (ERR-22); an app that nobody vouches for gets one with a link,
// so that our address never bounces anybody to a place of somebody else's choice
// (RFC 9700 §4.11.2).
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, t redirectable, e *oauth.Error) {
	if e.Cause != nil {
		d.deps.Log.WarnContext(r.Context(), "an authorization request was refused", "id", door.RequestID(r.Context()), "code", string(e.Code), "cause", e.Cause)
	}
	door.Note(w, e.Code, e.Slug)
	values := url.Values{"error": {string(e.Code)}, "error_uri": {e.URI(d.deps.Issuer)}} // RFC 6749 §4.1.2.1
	if e.Description != "" {
		values.Set("error_description", e.Description)
	}
	switch {
	case t.outOfBand():
		d.refuseOnPage(w, r, t, e, page.Leave{})
	case !t.client.Trusted && t.post:
		d.refuseOnPage(w, r, t, e, page.Leave{Post: d.form(t, values)})
	case !t.client.Trusted:
		d.refuseOnPage(w, r, t, e, page.Leave{URL: oauth.AddToQuery(t.uri, d.whole(t, values)), Host: flow.Host(t.uri)})
	default:
		d.answer(w, r, t, values)
	}
}

func (d *Door) refuseOnPage(w http.ResponseWriter, r *http.Request, t redirectable, e *oauth.Error, leave page.Leave) {
	title := "app"
	if e.Code == oauth.AccessDenied {
		title = "declined"
	}
	d.deps.Flow.Error(w, r, page.Error{
		Shell: page.Shell{AppName: t.client.Name, UILocales: t.locales}, Title: title, Leave: leave,
		ErrorCode: string(e.Code), Slug: e.Slug, Parameter: e.Parameter, Description: e.Description,
	}, http.StatusBadRequest)
}
