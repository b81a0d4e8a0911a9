package flow

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
)

// Place is a page of a person's own, which belongs to no app. Sign-in returns to it;
// the door that has the page makes it, from a handle and never from an address (B19).
type Place struct {
	// Handle stands for the place where an authorization request has its handle.
	Handle string
	Path   string // with its query
	// MaxAge is how old a sign-in may be for it; 0: as old as the session.
	MaxAge time.Duration
}

// Admits reports whether somebody has signed in recently enough for the place.
func (p Place) Admits(who session.Authenticated, now time.Time) bool {
	return p.MaxAge == 0 || now.Sub(who.AuthTime()) <= p.MaxAge
}

// OwnShell is what a page of a person's own starts from. Its ticket is good in this
// browser, for this person, path and handle, and more than once: what such a form does
// twice is done once.
func (f *Flow) OwnShell(w http.ResponseWriter, r *http.Request, path, handle string, who session.Authenticated) page.Shell {
	return page.Shell{
		Action: path, Self: path, Handle: handle, Ticket: f.ownTicket(f.deps.Sessions.Browser(w, r), who, path, handle),
	}
}

func (f *Flow) ownTicket(browser []byte, who session.Authenticated, path, handle string) string {
	h := hmac.New(sha256.New, f.deps.Key())
	for _, part := range [][]byte{[]byte("own"), browser, who.Hash(), []byte(path), []byte(handle)} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":"))
		h.Write(part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// OwnForm proves that a posted form was shown here, to this person in this browser
// (CO-01, CO-12, LG-34). Otherwise a page is written and ok is false.
func (f *Flow) OwnForm(w http.ResponseWriter, r *http.Request, path string, who session.Authenticated) (typed url.Values, ok bool) {
	if typed, ok = f.Typed(w, r); !ok {
		return nil, false
	}
	browser := f.deps.Sessions.KnownBrowser(r)
	if browser == nil || !hmac.Equal([]byte(typed.Get("ticket")), []byte(f.ownTicket(browser, who, path, typed.Get("request")))) {
		f.OwnForbidden(w, r)
		return nil, false
	}
	return typed, true
}

// OwnForbidden answers a form of a person's own page that was not shown here.
func (f *Flow) OwnForbidden(w http.ResponseWriter, r *http.Request) {
	f.Error(w, r, page.Error{Title: "own-form", Slug: oauth.SlugFormNotAccepted, Description: "The form carries no ticket of this page."}, http.StatusForbidden)
}

// Receipt writes a text to keep.
func (f *Flow) Receipt(w http.ResponseWriter, r *http.Request, p page.Receipt) {
	f.deps.Pages.Receipt(w, r, p)
}
