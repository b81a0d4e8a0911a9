package brokentest

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

var redirects = map[string]string{WebID: WebRedirect, PublicID: PublicRedirect, AsymmetricID: AsymmetricRedirect, BoundID: BoundRedirect}

// registered compares a redirect URI; the lazy ways are well known.
func (s *Server) registered(client, uri string) bool {
	own := redirects[client]
	a, errA := url.Parse(own)
	b, errB := url.Parse(uri)
	parsed := errA == nil && errB == nil
	switch {
	case s.bad("redirect-anything"):
		return true
	case s.bad("redirect-prefix"):
		return strings.HasPrefix(uri, own)
	case s.bad("redirect-host"):
		return parsed && a.Hostname() == b.Hostname()
	case s.bad("redirect-parts"):
		return parsed && a.Scheme == b.Scheme && a.Hostname() == b.Hostname() && a.Path == b.Path
	case s.bad("redirect-folded"):
		return parsed && strings.EqualFold(own, uri)
	case s.bad("redirect-substring"):
		return strings.Contains(uri, strings.TrimPrefix(own, "https://"))
	}
	return uri == own
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query()
	switch {
	case r.Method == http.MethodPost && !s.bad("no-post"):
		if err := r.ParseForm(); err != nil {
			s.page(w, http.StatusBadRequest, "That is no form")
			return
		}
		v = r.PostForm
	case r.Method != http.MethodGet && !s.bad("any-method"):
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if s.requests++; s.bad("throttles") && s.requests > 12 {
		s.page(w, http.StatusTooManyRequests, "Too many requests")
		return
	}
	client, uri := v.Get("client_id"), v.Get("redirect_uri")
	if s.bad("redirect-last") && len(v["redirect_uri"]) > 1 {
		uri = v["redirect_uri"][1]
	}
	if s.bad("redirect-optional") && uri == "" {
		uri = redirects[client]
	}
	_, known := redirects[client]
	repeated := len(v["redirect_uri"]) > 1 && !s.bad("redirect-first") && !s.bad("redirect-last")
	switch {
	case !known && (s.bad("unknown-client-redirected") && client != "" || s.bad("no-client-redirected") && client == ""):
		s.back(w, request{redirect: uri, state: v.Get("state")}, url.Values{"error": {"unauthorized_client"}})
		return
	case !known, repeated, uri == "", !s.registered(client, uri):
		status := http.StatusBadRequest
		if s.bad("unregistered-500") {
			status = http.StatusInternalServerError
		}
		s.page(w, status, "The app is not registered so")
		return
	}
	q := request{client: client, redirect: uri, state: v.Get("state"), nonce: v.Get("nonce"), challenge: v.Get("code_challenge"),
		method: v.Get("code_challenge_method"), maxAge: v.Get("max_age") != "", post: v.Get("response_mode") == "form_post"}
	if problem := s.problem(v); problem != "" {
		s.refuse(w, q, problem, v)
		return
	}
	q.scope = s.grantable(v.Get("scope"))
	s.begin(w, r, q, v)
}

// problem is the error code of a request that is refused.
func (s *Server) problem(v url.Values) string {
	known := []string{"response_type", "client_id", "redirect_uri", "scope", "state", "aud", "code_challenge", "code_challenge_method",
		"nonce", "prompt", "max_age", "response_mode", "login_hint", "ui_locales", "claims_locales", "display", "acr_values", "request_uri", "launch"}
	for name, list := range v {
		if len(list) > 1 && !s.bad("duplicates") && name != "redirect_uri" {
			return "invalid_request"
		}
		if s.bad("unknown-refused") && !slices.Contains(known, name) {
			return "invalid_request"
		}
		if s.bad("optional-refused") && name == "acr_values" {
			return "invalid_request"
		}
	}
	kind := v.Get("response_type")
	challenge, method := v.Get("code_challenge"), v.Get("code_challenge_method")
	switch {
	case kind == "" && !s.bad("response-type-optional"):
		return "invalid_request"
	case kind == "token" && s.bad("implicit"), kind == "id_token" && s.bad("id-token-response"), kind == "code id_token" && s.bad("hybrid"):
	case kind != "code" && kind != "":
		return "unsupported_response_type"
	case v.Get("launch") != "" && !s.bad("any-launch"): // nobody starts apps here
		return "invalid_request"
	case v.Get("request_uri") != "" && !s.bad("request-uri"):
		return "request_uri_not_supported"
	case strings.TrimSuffix(v.Get("aud"), "/") != s.Base && !s.bad("any-aud"):
		return "invalid_request"
	case challenge == "" && method == "" && s.bad("pkce-optional"):
	case method == "plain" && s.bad("pkce-plain"), method == "" && challenge != "" && s.bad("pkce-methodless"), method == "s256" && s.bad("pkce-case"):
	case method != "S256", len(challenge) != 43 && !s.bad("pkce-short"):
		return "invalid_request"
	}
	if strings.Contains(v.Get("prompt"), "none ") && !s.bad("prompt-combined") {
		return "invalid_request"
	}
	return ""
}

// grantable drops what makes no sense.
func (s *Server) grantable(asked string) string {
	var list []string
	for _, scope := range strings.Fields(asked) {
		switch {
		case scope == "patient/Banana.rs" && !s.bad("grants-unknown-types"), scope == "patient/Observation.sr" && !s.bad("grants-odd-letters"),
			strings.HasPrefix(scope, "system/") && !s.bad("grants-system"):
		case s.bad("v2-dropped") && strings.HasSuffix(scope, ".rs"):
			list = append(list, strings.TrimSuffix(scope, ".rs")+".read")
		case s.bad("hides-launch") && scope == "launch/patient":
		default:
			list = append(list, scope)
		}
	}
	if s.bad("grants-more") {
		list = append(list, "profile")
	}
	if s.bad("grants-user") {
		list = append(list, "user/Patient.rs")
	}
	return strings.Join(list, " ")
}

// begin keeps the request and shows what comes next.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, q request, v url.Values) {
	switch kind := v.Get("response_type"); kind {
	case "token":
		http.Redirect(w, r, q.redirect+"#access_token=x&state="+url.QueryEscape(q.state), http.StatusSeeOther)
		return
	case "id_token", "code id_token":
		http.Redirect(w, r, q.redirect+"#id_token=x&state="+url.QueryEscape(q.state), http.StatusSeeOther)
		return
	}
	cookie, err := r.Cookie("session")
	signedIn := err == nil && s.sessions[cookie.Value]
	again := v.Get("prompt") == "login" && !s.bad("prompt-login-ignored") || v.Get("max_age") == "0" && !s.bad("max-age-ignored")
	if strings.Contains(v.Get("prompt"), "none") && !signedIn && !s.bad("prompt-none-page") {
		s.back(w, q, url.Values{"error": {"login_required"}})
		return
	}
	handle := random()
	s.pending[handle] = q
	if !signedIn || again {
		s.form(w, "/login", handle, `<input autocomplete="username" name="user"><input type="password" name="password"><button>Sign in</button>`)
		return
	}
	s.form(w, "/consent", handle, consentForm)
}

const consentForm = `<button name="answer" value="no">Deny</button><button name="answer" value="yes">Allow</button>`

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.ParseForm() != nil || r.PostForm.Get("user") != Username || r.PostForm.Get("password") != Password {
		s.page(w, http.StatusForbidden, "Wrong name or password")
		return
	}
	value := random()
	s.sessions[value] = true
	http.SetCookie(w, &http.Cookie{Name: "session", Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	s.form(w, "/consent", r.PostForm.Get("handle"), consentForm)
}

func (s *Server) consent(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	q, pending := s.pending[r.PostForm.Get("handle")]
	if !pending {
		s.page(w, http.StatusBadRequest, "There is no such request")
		return
	}
	delete(s.pending, r.PostForm.Get("handle"))
	if r.PostForm.Get("answer") != "yes" {
		s.back(w, q, url.Values{"error": {"access_denied"}})
		return
	}
	text := random()
	if s.bad("short-code") {
		text = text[:12]
	}
	s.codes[text] = &code{request: q}
	values := url.Values{"code": {text}}
	if s.bad("token-in-url") {
		values.Set("access_token", "x")
	}
	s.back(w, q, values)
}

func (s *Server) refuse(w http.ResponseWriter, q request, problem string, v url.Values) {
	if s.bad("wrong-pkce-error") && len(v.Get("code_challenge")) != 43 {
		problem = "server_error"
	}
	if s.bad("error-without-state") {
		q.state = ""
	}
	s.back(w, q, url.Values{"error": {problem}})
}

// back answers the app.
func (s *Server) back(w http.ResponseWriter, q request, values url.Values) {
	switch {
	case s.bad("state-lost") && values.Has("code"):
		q.state = ""
	case s.bad("state-mangled"):
		q.state = strings.ReplaceAll(q.state, "é", "e")
	}
	if q.state != "" {
		values.Set("state", q.state)
	}
	if !s.bad("no-iss") {
		values.Set("iss", s.URL)
	}
	if s.bad("wrong-iss") {
		values.Set("iss", s.URL+"/")
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if !s.bad("referrer") {
		h.Set("Referrer-Policy", "no-referrer")
	}
	if q.post && !s.bad("form-post-redirected") {
		s.post(w, q.redirect, values)
		return
	}
	separator := "?"
	if strings.Contains(q.redirect, "?") {
		separator = "&"
	}
	h.Set("Location", strings.Map(func(r rune) rune {
		if r < 0x20 {
			return ' '
		}
		return r
	}, q.redirect)+separator+values.Encode())
	status := http.StatusSeeOther
	if s.bad("redirect-307") {
		status = http.StatusTemporaryRedirect
	}
	w.WriteHeader(status)
}

// post answers the app by a form (OAuth 2.0 Form Post Response Mode).
func (s *Server) post(w http.ResponseWriter, action string, values url.Values) {
	inside := ""
	for name := range values {
		inside += fmt.Sprintf(`<input type="hidden" name="%s" value="%s">`, name, html.EscapeString(values.Get(name)))
	}
	s.page(w, http.StatusOK, "Going back", fmt.Sprintf(`<form method="post" action="%s">%s<button>Go</button></form>`, html.EscapeString(action), inside))
}

func (s *Server) form(w http.ResponseWriter, action, handle, inside string) {
	s.page(w, http.StatusOK, "A form", fmt.Sprintf(`<form method="post" action="%s"><input type="hidden" name="handle" value="%s">%s</form>`,
		action, html.EscapeString(handle), inside))
}

func (s *Server) page(w http.ResponseWriter, status int, title string, content ...string) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if !s.bad("cacheable-login") {
		h.Set("Cache-Control", "no-store")
	}
	if !s.bad("framable") {
		h.Set("Content-Security-Policy", "frame-ancestors 'none'")
	}
	if !s.bad("no-nosniff") {
		h.Set("X-Content-Type-Options", "nosniff")
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><title>%s</title>%s", title, strings.Join(content, ""))
}

func now() time.Time { return time.Now() }
