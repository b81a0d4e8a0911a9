package authorize

import (
	"net/http"
	"net/url"

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
	return redirectable{client, q.RedirectURI, q.State, q.HasState, q.UILocales}, true
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

// answer sends parameters back to the app.
func (d *Door) answer(w http.ResponseWriter, t redirectable, values url.Values) {
	d.deps.Flow.Redirect(w, d.address(t, values))
}

// address is the redirect URI with parameters (RFC 6749 §4.1.2, RFC 9207 §2): with
// the state as it came, and the issuer.
func (d *Door) address(t redirectable, values url.Values) string {
	if t.hasState {
		values.Set("state", t.state)
	}
	values.Set("iss", d.deps.Issuer)
	return oauth.AddToQuery(t.uri, values)
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
	case !t.client.Trusted:
		d.refuseOnPage(w, r, t, e, page.Leave{URL: d.address(t, values), Host: flow.Host(t.uri)})
	default:
		d.answer(w, t, values)
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
