package authorize

import (
	"errors"
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// Check judges the parameters of a client that has proven itself, as if they had
// come here (RFC 9126 §2.1, third step). Nothing begins.
func (d *Door) Check(p oauth.Parameters) (store.AuthorizationRequest, *oauth.Error) {
	target, problem := d.match(p)
	if problem != nil {
		return store.AuthorizationRequest{}, invalid(problem.Slug, problem.Parameter, strings.TrimSuffix(problem.Description, "."))
	}
	if !target.client.MayAsk() { // a disabled one could not prove itself
		return store.AuthorizationRequest{}, oauth.New(oauth.UnauthorizedClient, "This app has registered itself, and the organisation has not let it in yet").Slugged(oauth.SlugClientNotEnabled)
	}
	return d.check(p, target)
}

// RFC 9126 §4: policy may dictate, for all or for one client, that requests are
// pushed.
func (d *Door) checkPushed(t redirectable) *oauth.Error {
	if d.deps.RequirePushed || t.client.RequirePushed {
		return invalid(oauth.SlugRequestNotPushed, "request_uri", "This request has to be pushed: send its parameters to the pushed authorization request endpoint first")
	}
	return nil
}

// servePushed begins a request that its client has pushed. client_id and request_uri
// are all that counts (RFC 9126 §4): what stands beside them could be anybody's.
func (d *Door) servePushed(w http.ResponseWriter, r *http.Request, p oauth.Parameters, reference string) {
	client, problem := d.named(p)
	if problem == nil && p.Repeated("request_uri") {
		problem = appError(oauth.SlugRequestRepeated, "request_uri", "request_uri is sent twice.")
	}
	if problem != nil {
		d.deps.Flow.Error(w, r, *problem, http.StatusBadRequest)
		return
	}
	if !client.MayAsk() {
		d.mayNotAsk(w, r, client)
		return
	}
	found, err := d.deps.Store.PushedRequest(r.Context(), oauth.Hash(reference), client.ID)
	if err != nil {
		d.notPushed(w, r, client, err)
		return
	}
	target, ok := ofRequest(client, found.Request)
	switch {
	case !ok:
		d.notRegisteredAnyMore(w, r)
	case found.Used:
		d.loadedAgain(w, r, client, reference)
	default:
		d.beginPushed(w, r, reference, target, found.Request)
	}
}

// beginPushed uses the reference up and begins. Order: when all else is right, and
// never by HEAD, so that only a request that begins costs the reference.
func (d *Door) beginPushed(w http.ResponseWriter, r *http.Request, reference string, target redirectable, q store.AuthorizationRequest) {
	if refused := d.checkAgain(target, &q); refused != nil {
		d.refuse(w, r, target, refused)
		return
	}
	if r.Method == http.MethodHead {
		nothingBegins(w)
		return
	}
	err := d.deps.Store.UsePushedRequest(r.Context(), oauth.Hash(reference), target.client.ID)
	switch {
	case errors.Is(err, store.ErrConsumed): // the other tab was faster
		d.loadedAgain(w, r, target.client, reference)
	case err != nil:
		d.fail(w, r, target, err)
	default:
		d.begin(w, r, oauth.PushedHandle(reference), target, d.started(q))
	}
}

// checkAgain: what was right when the request was pushed may not be what the client
// has registered now (RFC 9126 §4).
func (d *Door) checkAgain(t redirectable, q *store.AuthorizationRequest) *oauth.Error {
	if err := checkGrantType(t); err != nil {
		return err
	}
	if err := checkState(oauth.Parameters{}, t, q); err != nil {
		return err
	}
	if q.CodeChallenge == "" && !t.mayLeaveOutPKCE() {
		return noChallenge()
	}
	if err := d.keepGrantable(smart.NewScopeSet(q.Scopes), t, q); err != nil {
		return err
	}
	if q.LaunchHash != nil && !has(q.Scopes, smart.Launch) {
		return launchWithoutScope()
	}
	return nil
}

// loadedAgain goes on with what this browser has begun: people reload pages
// (RFC 9126 §4). For any other browser the reference is used up.
func (d *Door) loadedAgain(w http.ResponseWriter, r *http.Request, client store.Client, reference string) {
	handle := oauth.PushedHandle(reference)
	_, err := d.deps.Store.Request(r.Context(), oauth.Hash(handle), d.deps.Sessions.KnownBrowser(r))
	if err != nil {
		d.notPushed(w, r, client, err)
		return
	}
	d.deps.Flow.Continue(w, handle)
}

// notPushed tells that there is nothing to begin: one answer for all reasons, on a
// page, since nothing says where else to (AUTHZ-54).
func (d *Door) notPushed(w http.ResponseWriter, r *http.Request, client store.Client, err error) {
	if !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrExpired) {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Error(w, r, page.Error{
		Shell: page.Shell{AppName: client.Name}, Title: "expired", ErrorCode: string(oauth.InvalidRequestURI), Slug: oauth.SlugRequestPushed, Parameter: "request_uri",
		Description: "This request_uri is unknown, used, expired or was made for another client: push the request again.",
	}, http.StatusBadRequest)
}
