package brokentest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// oauthError is an error of the token endpoint.
type oauthError struct {
	status int
	code   string
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	form, problem := s.tokenForm(r)
	var answer object
	if problem == nil {
		answer, problem = s.exchange(r, form)
	}
	h := w.Header()
	if problem == nil {
		if !s.bad("cacheable-token") {
			h.Set("Cache-Control", "no-store")
			h.Set("Pragma", "no-cache")
		}
		if s.bad("token-text") {
			h.Set("Content-Type", "text/plain")
		}
		reply(w, http.StatusOK, answer)
		return
	}
	s.tokenError(w, r, *problem)
}

func (s *Server) tokenError(w http.ResponseWriter, r *http.Request, problem oauthError) {
	h := w.Header()
	if !s.bad("cacheable-errors") {
		h.Set("Cache-Control", "no-store")
	}
	basic := r.Header.Get("Authorization") != "" && problem.code == "invalid_client"
	if basic && !s.bad("no-basic-challenge") {
		h.Set("WWW-Authenticate", `Basic realm="test"`)
	}
	if basic && !s.bad("basic-400") {
		problem.status = http.StatusUnauthorized
	}
	odd := !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") && r.Method == http.MethodPost
	switch {
	case odd && s.bad("html-errors"):
		h.Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusUnsupportedMediaType)
		_, _ = io.WriteString(w, "<h1>Unsupported</h1>")
		return
	case odd && s.bad("forbidden-errors"):
		problem.status = http.StatusForbidden
	case odd && s.bad("server-errors"):
		problem.status = http.StatusInternalServerError
	}
	text := "It was refused"
	if s.bad("odd-descriptions") {
		text = `It was "refused"`
	}
	reply(w, problem.status, object{"error": problem.code, "error_description": text})
}

func invalidRequest() *oauthError { return &oauthError{http.StatusBadRequest, "invalid_request"} }
func invalidGrant() *oauthError   { return &oauthError{http.StatusBadRequest, "invalid_grant"} }
func invalidClient() *oauthError  { return &oauthError{http.StatusBadRequest, "invalid_client"} }

// tokenForm reads the body, strictly.
func (s *Server) tokenForm(r *http.Request) (url.Values, *oauthError) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return nil, invalidRequest()
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Method == http.MethodGet && s.bad("token-get"), len(raw) == 0 && s.bad("token-query") && r.Method == http.MethodPost:
		return r.URL.Query(), nil
	case r.Method != http.MethodPost:
		return nil, &oauthError{http.StatusMethodNotAllowed, "invalid_request"}
	case media == "application/json" && s.bad("token-json"):
		var fields map[string]string
		if json.Unmarshal(raw, &fields) != nil {
			return nil, invalidRequest()
		}
		form := url.Values{}
		for name, value := range fields {
			form.Set(name, value)
		}
		return form, nil
	case media != "application/x-www-form-urlencoded":
		return nil, invalidRequest()
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil && !s.bad("bad-escapes") {
		return nil, invalidRequest()
	}
	for _, list := range form {
		if len(list) > 1 && !s.bad("token-duplicates") {
			return nil, invalidRequest()
		}
	}
	return form, nil
}

func (s *Server) exchange(r *http.Request, form url.Values) (object, *oauthError) {
	switch form.Get("grant_type") {
	case "authorization_code", "refresh_token", "client_credentials":
	case "password":
		if s.bad("password-grant") {
			return object{"access_token": random(), "token_type": "Bearer"}, nil
		}
		return nil, &oauthError{http.StatusBadRequest, "unsupported_grant_type"}
	default:
		if s.bad("grant-type-error") {
			return nil, invalidRequest()
		}
		return nil, &oauthError{http.StatusBadRequest, "unsupported_grant_type"}
	}
	client, problem := s.authenticate(r, form)
	if problem != nil {
		return nil, problem
	}
	key, problem := s.provenKey(r, client)
	if problem != nil {
		return nil, problem
	}
	answer, problem := s.grant(client, key, form)
	if problem == nil {
		s.bind(key, answer)
	}
	return answer, problem
}

func (s *Server) grant(client, key string, form url.Values) (object, *oauthError) {
	switch form.Get("grant_type") {
	case "authorization_code":
		return s.redeem(client, form)
	case "refresh_token":
		if bound := s.keys[form.Get("refresh_token")]; bound != key && bound != "" && !s.bad("refresh-any-key") {
			return nil, invalidGrant()
		}
		return s.renew(client, form)
	}
	return s.service(client, form)
}

// authenticate proves the client of a form.
func (s *Server) authenticate(r *http.Request, form url.Values) (string, *oauthError) {
	id, secret, basic := r.BasicAuth()
	if basic {
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	}
	named := form.Get("client_id")
	switch {
	case basic && form.Has("client_secret") && !s.bad("two-methods"):
		return "", invalidRequest()
	case basic:
		if id != WebID && s.bad("client-oracle") {
			return "", invalidRequest()
		}
		if id != WebID || secret != WebSecret {
			return "", invalidClient()
		}
		if named != "" && named != id && !s.bad("client-id-ignored") {
			return "", invalidRequest()
		}
		return id, nil
	case form.Has("client_assertion"):
		return s.assertion(form.Get("client_assertion"))
	case form.Has("client_secret"):
		if named != WebID || form.Get("client_secret") != WebSecret {
			return "", invalidClient()
		}
		return named, nil
	case named == PublicID && !s.bad("public-refused"), named == BoundID:
		return named, nil
	case named == WebID && (s.bad("secret-optional") || s.bad("refresh-without-secret") && form.Get("grant_type") == "refresh_token"):
		return named, nil
	}
	return "", invalidClient()
}

func (s *Server) redeem(client string, form url.Values) (object, *oauthError) {
	c := s.codes[form.Get("code")]
	uri, verifier := form.Get("redirect_uri"), form.Get("code_verifier")
	switch {
	case c == nil && s.bad("unknown-code-401"):
		return nil, &oauthError{http.StatusUnauthorized, "invalid_grant"}
	case c == nil, s.bad("token-fails"):
		return nil, invalidGrant()
	case c.used && !s.bad("replay"):
		s.replayed(c.grant)
		return nil, invalidGrant()
	case verifier == "" && !s.bad("verifier-optional"), uri == "" && !s.bad("uri-optional") && !s.bad("uri-unbound"):
		return nil, invalidRequest()
	}
	c.used = !s.bad("code-survives")
	switch {
	case c.client != client && !s.bad("client-unbound"),
		uri != c.redirect && !s.bad("uri-unbound") && (uri != "" || !s.bad("uri-optional")),
		!s.verifies(c.request, verifier):
		return nil, invalidGrant()
	}
	c.used = true
	g := &grant{request: c.request, patient: Patient, sub: "sub-of-alice", authTime: now(), endedAccess: map[string]bool{}, replaced: map[string]bool{}}
	g.client = client
	if s.bad("exchange-widens") && form.Get("scope") != "" {
		g.scope += " user/*.cruds"
	}
	if s.bad("one-launch") {
		for _, other := range s.access {
			other.ended = true
		}
	}
	c.grant = g
	return s.answer(g, g.scope, false), nil
}

// replayed ends what a code gave.
func (s *Server) replayed(g *grant) {
	if g == nil {
		return
	}
	for text, owner := range s.access {
		if owner == g && !s.bad("replay-keeps-access") {
			g.endedAccess[text] = true
		}
	}
	if !s.bad("replay-keeps-refresh") {
		g.replaced[g.current], g.current = true, ""
	}
}

// verifies checks the proof key (RFC 7636 §4.6).
func (s *Server) verifies(q request, verifier string) bool {
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case s.bad("verifier-unchecked") && verifier != "", s.bad("verifier-optional") && verifier == "", q.challenge == "":
		return true
	case s.bad("verifier-plain") && verifier == q.challenge:
		return true
	}
	return base64.RawURLEncoding.EncodeToString(sum[:]) == q.challenge
}

func (s *Server) renew(client string, form url.Values) (object, *oauthError) {
	text := form.Get("refresh_token")
	g := s.refresh[text]
	if g == nil && s.bad("access-refreshes") {
		g = s.access[text]
		if g != nil {
			return s.answer(g, g.scope, true), nil
		}
	}
	if g == nil && s.bad("refresh-unknown-401") {
		return nil, &oauthError{http.StatusUnauthorized, "invalid_grant"}
	}
	if g == nil || g.ended || g.client != client && !s.bad("refresh-unbound") {
		return nil, invalidGrant()
	}
	if text != g.current {
		if s.bad("reuse") && g.replaced[text] && g.current != "" {
			return s.answer(g, g.scope, true), nil
		}
		if !s.bad("reuse-keeps-family") {
			g.ended = true
		}
		return nil, invalidGrant()
	}
	scope := g.scope
	if asked := form.Get("scope"); asked != "" {
		if s.bad("refresh-refuses-scope") {
			return nil, &oauthError{http.StatusBadRequest, "invalid_scope"}
		}
		for _, one := range strings.Fields(asked) {
			if !slices.Contains(strings.Fields(g.scope), one) && !s.bad("refresh-widens") {
				return nil, &oauthError{http.StatusBadRequest, "invalid_scope"}
			}
		}
		scope = asked
	}
	if s.bad("refresh-loses-scope") && form.Get("scope") == "" {
		scope = "launch/patient"
	}
	return s.answer(g, scope, true), nil
}

// answer mints the tokens of a grant.
func (s *Server) answer(g *grant, scope string, refreshed bool) object {
	access := random()
	s.access[access] = g
	words := strings.Fields(g.scope)
	a := object{"access_token": access, "token_type": "Bearer", "expires_in": 1200, "scope": scope}
	if strings.Contains(g.scope, "patient") {
		a["patient"] = g.patient
	}
	if slices.Contains(words, "offline_access") || s.bad("refresh-unasked") {
		s.rotate(g, a, refreshed)
	}
	if slices.Contains(words, "openid") || s.bad("id-token-unasked") {
		a["id_token"] = s.idToken(g, access, refreshed)
	}
	s.spoil(g, a, refreshed)
	return a
}

func (s *Server) rotate(g *grant, a object, refreshed bool) {
	if s.bad("no-refresh") {
		return
	}
	if refreshed && s.bad("no-rotation") {
		return
	}
	text := random()
	if s.bad("odd-characters") {
		text += "/+"
	}
	if g.current != "" {
		g.replaced[g.current] = true
	}
	g.current = text
	s.refresh[text] = g
	a["refresh_token"] = text
}

// spoil changes single members.
func (s *Server) spoil(g *grant, a object, refreshed bool) {
	switch {
	case s.bad("no-patient"):
		delete(a, "patient")
	case s.bad("patient-reference"):
		a["patient"] = "Patient/" + g.patient
	case s.bad("token-type-missing"):
		delete(a, "token_type")
	case s.bad("token-type-mac"):
		a["token_type"] = "mac"
	case s.bad("expires-text"):
		a["expires_in"] = "1200"
	case s.bad("expires-long"):
		a["expires_in"] = 7200
	case s.bad("refresh-without-life") && refreshed:
		delete(a, "expires_in")
	case s.bad("refresh-other-patient") && refreshed:
		a["patient"] = secondPatient
	}
}

// service is the client_credentials grant.
func (s *Server) service(client string, form url.Values) (object, *oauthError) {
	scope := form.Get("scope")
	switch {
	case client != BackendID:
		return nil, &oauthError{http.StatusBadRequest, "unauthorized_client"}
	case scope == "" && s.bad("backend-scope-optional"):
		scope = "system/*.rs"
	case scope == "", !strings.HasPrefix(scope, "system/") && !s.bad("backend-any-scope"):
		return nil, &oauthError{http.StatusBadRequest, "invalid_scope"}
	}
	access := random()
	s.access[access] = &grant{request: request{client: client, scope: scope}, endedAccess: map[string]bool{}}
	a := object{"access_token": access, "token_type": "Bearer", "expires_in": 300, "scope": scope}
	switch {
	case s.bad("backend-no-life"):
		delete(a, "expires_in")
	case s.bad("backend-other-scope"):
		a["scope"] = "user/*.rs"
	case s.bad("backend-long"):
		a["expires_in"] = 3600
	case s.bad("backend-refresh"):
		a["refresh_token"] = random()
	}
	return a, nil
}
