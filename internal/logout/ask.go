package logout

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

// carried is what the page carries from the question to the answer.
type carried struct {
	ClientID store.ClientID `json:"client_id,omitempty"`
	URI      string         `json:"uri,omitempty"`
	State    string         `json:"state,omitempty"`
	Locales  string         `json:"locales,omitempty"`
}

// ask shows who is signed in and lets them choose (§2: without a hint, or with one
// of another person).
func (d *Door) ask(w http.ResponseWriter, r *http.Request, q request, all []store.UserID) {
	var names []string
	for _, who := range all {
		user, err := d.deps.Store.User(r.Context(), who)
		if err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
		if !slices.Contains(names, user.Display) {
			names = append(names, user.Display)
		}
	}
	raw, err := json.Marshal(carried{q.client.ID, q.back.uri, q.back.state, q.locales})
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	handle := base64.RawURLEncoding.EncodeToString(raw)
	shell := page.Shell{
		AppName: q.client.Name, UILocales: q.locales, Action: d.deps.Path, Self: d.deps.Path + "?" + q.params.Encode(),
		Handle: handle, Ticket: d.ticket(handle, d.deps.Sessions.Browser(w, r)),
	}
	if q.back.uri != "" {
		shell.FormTargets = []string{page.FormTarget(q.back.uri)}
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.SignOut{Shell: shell, User: strings.Join(names, ", ")})
}

// ticket is good for one question in one browser. Pressing the button twice is no
// mistake, so it may be used again.
func (d *Door) ticket(handle string, browser []byte) string {
	h := hmac.New(sha256.New, d.deps.Key())
	h.Write([]byte("logout\x00"))
	h.Write(browser) // 32 bytes
	h.Write([]byte(handle))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// answered reads the answer to the question (LOGOUT-08). What it carries is ours,
// and is matched again with what the client has registered now.
func (d *Door) answered(w http.ResponseWriter, r *http.Request, p oauth.Parameters) {
	q, ok := d.reopen(r, p)
	if !ok {
		d.fail(w, r, &page.Error{Title: "logout", Slug: oauth.SlugFormNotAccepted, Description: "The form carries no ticket of this page."}, http.StatusForbidden)
		return
	}
	if p.Get("action") != "sign-out" {
		d.deps.Flow.Show(w, r, http.StatusOK, page.StillSignedIn{Shell: page.Shell{UILocales: q.locales}})
		return
	}
	all, err := d.deps.Sessions.Whose(r)
	switch {
	case err != nil:
		d.deps.Flow.Fail(w, r, err)
	case len(all) == 0: // the button was pressed twice
		d.leave(w, r, q, q.client.Trusted)
	default:
		d.end(w, r, q, all)
	}
}

// reopen proves that a form was shown here, in this browser.
func (d *Door) reopen(r *http.Request, p oauth.Parameters) (request, bool) {
	browser, handle := d.deps.Sessions.KnownBrowser(r), p.Get("request")
	if browser == nil || d.cross.Check(r) != nil || !hmac.Equal([]byte(p.Get("ticket")), []byte(d.ticket(handle, browser))) {
		return request{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(handle)
	if err != nil {
		return request{}, false
	}
	var c carried
	if err := json.Unmarshal(raw, &c); err != nil {
		return request{}, false
	}
	q := request{locales: c.Locales}
	if client, found := d.deps.Client(c.ClientID); found && client.MayAsk() {
		q.client = client
		q.to(c.URI, c.State)
	}
	return q, true
}
