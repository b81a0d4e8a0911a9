package userinfo

import (
	"errors"
	"mime"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/holder"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

const maxBody = 64 << 10

// Holders judges who presents an access token.
type Holders interface {
	Accept(answer http.Header, r *http.Request) (holder.Held, *oauth.Error)
	Challenges(r *http.Request, e *oauth.Error) []string
}

// Deps are the parts that the door needs; all are required.
type Deps struct {
	Holders  Holders
	FHIRBase string
}

// Door answers the UserInfo endpoint.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Holders == nil || deps.FHIRBase == "" {
		return nil, errors.New("userinfo: a part is missing")
	}
	return &Door{deps}, nil
}

// claims are the answer (OpenID Connect Core §5.3.2; SMART App Launch 2.2,
// scopes: fhirUser). profile repeats fhirUser for SMART 1 clients (OIDC-16).
type claims struct {
	Subject  string `json:"sub"`
	FHIRUser string `json:"fhirUser,omitempty"`
	Profile  string `json:"profile,omitempty"`
}

// ServeHTTP answers one request.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		door.MethodNotAllowed(w, http.MethodGet, http.MethodPost)
		return
	}
	answer, err := d.answer(w, r)
	if err != nil {
		door.WriteTokenError(w, err, d.deps.Holders.Challenges(r, err))
		return
	}
	door.JSON(w, http.StatusOK, answer)
}

func (d *Door) answer(w http.ResponseWriter, r *http.Request) (claims, *oauth.Error) {
	if refused := checkForm(r); refused != nil {
		return claims{}, refused
	}
	held, refused := d.deps.Holders.Accept(w.Header(), r)
	if refused != nil {
		return claims{}, refused
	}
	token := held.Token()
	granted := token.ScopeSet()
	if !granted.Has("openid") {
		return claims{}, &oauth.Error{Code: oauth.InsufficientScope, Status: http.StatusForbidden, Slug: oauth.SlugTokenWithoutOpenID, Description: "The access token was not granted the scope openid"}
	}
	out := claims{Subject: string(token.UserID())}
	if token.FHIRUser() != "" {
		own := d.deps.FHIRBase + "/" + token.FHIRUser()
		if granted.Has("fhirUser") {
			out.FHIRUser = own
		}
		if granted.Has("profile") {
			out.FHIRUser, out.Profile = own, own
		}
	}
	return out, nil
}

// checkForm refuses a token in the form of a POST: that way is not offered
// (RFC 6750 §2.2), and beside the header it is a second one (§2). What else the form
// says has no meaning here.
func checkForm(r *http.Request) *oauth.Error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || err != nil || media != "application/x-www-form-urlencoded" {
		return nil
	}
	form, refused := oauth.ParseBody(r, maxBody)
	if refused != nil {
		return refused
	}
	if form.Has("access_token") {
		return oauth.New(oauth.InvalidRequest, "Send the access token in the Authorization header, never in a form").About("access_token").Slugged(oauth.SlugTokenInURL)
	}
	return nil
}
