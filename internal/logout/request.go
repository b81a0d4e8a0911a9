package logout

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	maxBody  = 32 << 10
	maxState = 2 << 10 // of a state, which goes into a URL of the app
)

// known are the parameters of a request (§2); others are ignored, logout_hint too.
var known = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"}

// request is what was asked for, as far as it could be proven. The zero value asks
// for nothing and leads nowhere.
type request struct {
	user    store.UserID // of the hint; empty: no hint
	client  store.Client
	back    destination
	locales string
	params  url.Values // as they came, the known ones
}

// destination is the proof that a URI is one that a client has registered to return
// to after logout. Only match makes one; the zero value leads nowhere.
type destination struct{ uri, state string }

// isOf reports whether the hint is of the person who is signed in, and of nobody else.
func (q request) isOf(all []store.UserID) bool {
	return q.user != "" && !slices.ContainsFunc(all, func(who store.UserID) bool { return who != q.user })
}

// parse reads the parameters by GET or POST.
func parse(r *http.Request) (oauth.Parameters, *page.Error) {
	var (
		p   oauth.Parameters
		err *oauth.Error
	)
	if r.Method == http.MethodPost {
		p, err = oauth.ParseBody(r, maxBody)
	} else {
		p, err = oauth.ParseParameters(r.URL.RawQuery)
	}
	if err != nil {
		return p, problem(oauth.SlugLogoutMalformed, err.Parameter, err.Description+".")
	}
	return p, nil
}

// problem is a page: nothing of an error goes to an app (LOGOUT-04, LOGOUT-05).
func problem(slug oauth.Slug, parameter, text string) *page.Error {
	return &page.Error{Title: "logout", ErrorCode: string(oauth.InvalidRequest), Slug: slug, Parameter: parameter, Description: text}
}

// read proves hint, client and return.
func (d *Door) read(p oauth.Parameters) (request, *page.Error) {
	q := request{locales: p.Get("ui_locales"), params: url.Values{}}
	for _, name := range known {
		if p.Has(name) {
			q.params.Set(name, p.Get(name))
		}
	}
	id := store.ClientID(p.Get("client_id"))
	if hint, ours := d.deps.Hint(p.Get("id_token_hint")); ours {
		// §2: the client is the one that the ID token was issued to.
		if id != "" && id != hint.ClientID {
			return q, problem(oauth.SlugLogoutClientMismatch, "client_id", "client_id is not the client that the ID token in id_token_hint was issued to.")
		}
		q.user, id = hint.UserID, hint.ClientID
	}
	wrong := d.match(p, id, &q)
	return q, wrong
}

// match finds the client, and proves where the browser may go afterwards.
func (d *Door) match(p oauth.Parameters, id store.ClientID, q *request) *page.Error {
	client, found := d.deps.Client(id)
	found = found && id != "" && client.MayAsk()
	if !found && p.Has("client_id") {
		return problem(oauth.SlugLogoutClientUnknown, "client_id", "There is no enabled client of that client_id on this server.")
	}
	if found {
		q.client = client
	}
	uri, state := p.Get("post_logout_redirect_uri"), p.Get("state")
	switch {
	case uri == "":
		return nil
	case !found: // §2: without the client nobody knows what it registered
		return problem(oauth.SlugLogoutClientMissing, "client_id", "post_logout_redirect_uri needs client_id, or an id_token_hint that this server has signed.")
	case len(state) > maxState:
		return problem(oauth.SlugLogoutState, "state", "state is longer than 2048 bytes.")
	}
	if !q.to(uri, state) {
		return problem(oauth.SlugLogoutRedirectNotRegistered, "post_logout_redirect_uri",
			"post_logout_redirect_uri is not, byte for byte, one that this client has registered in post_logout_redirect_uris.")
	}
	return nil
}

// to sets where the browser goes if the client has registered it (§3: compared byte
// for byte).
func (q *request) to(uri, state string) bool {
	if !slices.Contains(q.client.PostLogoutRedirectURIs, uri) {
		return false
	}
	q.back = destination{uri, state}
	return true
}

// target is the URI with the state as it came (§3).
func (t destination) target() string {
	if t.state == "" {
		return t.uri
	}
	return oauth.AddToQuery(t.uri, url.Values{"state": {t.state}})
}
