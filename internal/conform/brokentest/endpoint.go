package brokentest

import (
	"net/http"
	"strings"
)

func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	if !s.bad("introspect-cacheable") {
		w.Header().Set("Cache-Control", "no-store")
	}
	if r.Method != http.MethodPost && !s.bad("introspect-get") {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	_ = r.ParseForm()
	if r.Method == http.MethodGet {
		r.PostForm = r.Form
	}
	anonymous := r.Header.Get("Authorization") == "" && !r.PostForm.Has("client_secret") && !r.PostForm.Has("client_assertion")
	client, problem := s.authenticate(r, r.PostForm)
	open := r.Method == http.MethodGet || anonymous && s.bad("introspect-anonymous") || !anonymous && s.bad("introspect-wrong-secret")
	if (problem != nil || client == PublicID || client == BoundID) && !open {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	text := r.PostForm.Get("token")
	if text == "" && !s.bad("introspect-without-token") {
		reply(w, http.StatusBadRequest, object{"error": "invalid_request"})
		return
	}
	g := s.access[text]
	ended := g == nil || g.ended || g.endedAccess[text]
	if ended && (g == nil || !s.bad("introspect-stale")) {
		a := object{"active": false}
		if s.bad("introspect-trusts") {
			a["active"] = true
		}
		if s.bad("introspect-talks") {
			a["client_id"] = "web"
		}
		reply(w, http.StatusOK, a)
		return
	}
	reply(w, http.StatusOK, s.about(g))
}

// about is what introspection says of a live token.
func (s *Server) about(g *grant) object {
	a := object{
		"active": true, "scope": g.scope, "client_id": g.client, "exp": now().Unix() + 1200, "patient": g.patient, "iss": s.URL, "sub": g.sub,
	}
	switch {
	case s.bad("introspect-inactive"):
		a["active"] = "true"
	case s.bad("introspect-nameless"):
		delete(a, "client_id")
	case s.bad("introspect-scope"):
		a["scope"] = "launch/patient"
	case s.bad("introspect-exp"):
		a["exp"] = "soon"
	case s.bad("introspect-context"):
		delete(a, "patient")
	case s.bad("introspect-sub"):
		a["sub"] = "another"
	case s.bad("patient-reference"):
		a["patient"] = "Patient/" + g.patient
	case s.bad("sub-long"):
		a["sub"] = strings.Repeat("x", 256)
	case s.bad("sub-client"):
		a["sub"] = g.client
	case s.bad("iss-wrong"):
		a["iss"] = s.URL + "/"
	}
	return a
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	client, problem := s.authenticate(r, r.PostForm)
	if problem != nil && s.bad("revoke-anonymous") {
		client, problem = r.PostForm.Get("client_id"), nil
	}
	if problem != nil {
		reply(w, http.StatusUnauthorized, object{"error": problem.code})
		return
	}
	text, hint := r.PostForm.Get("token"), r.PostForm.Get("token_type_hint")
	if text == "" && !s.bad("revoke-without-token") {
		reply(w, http.StatusBadRequest, object{"error": "invalid_request"})
		return
	}
	access, refresh := s.access[text], s.refresh[text]
	if s.bad("revoke-trusts-hint") && hint == "access_token" {
		refresh = nil
	}
	switch {
	case access != nil && (access.client == client || s.bad("revoke-foreign")) && !s.bad("revoke-access-ignored"):
		access.endedAccess[text] = true
	case refresh != nil && refresh.client == client && !s.bad("revoke-refresh-ignored"):
		refresh.replaced[refresh.current], refresh.current = true, ""
		refresh.ended = !s.bad("revoke-keeps-access")
	case access == nil && refresh == nil && s.bad("revoke-unknown"):
		reply(w, http.StatusBadRequest, object{"error": "invalid_request"})
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	g, _ := s.bearer(r)
	if g == nil && s.bad("userinfo-any-token") {
		g = &grant{request: request{scope: "openid"}, sub: "sub-of-alice"}
	}
	switch {
	case r.Method == http.MethodPost && s.bad("userinfo-no-post"):
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case g == nil:
		w.WriteHeader(http.StatusUnauthorized)
		return
	case !strings.Contains(g.scope, "openid") && !s.bad("userinfo-without-openid"):
		w.WriteHeader(http.StatusForbidden)
		return
	}
	a := object{"sub": g.sub, "fhirUser": s.Base + "/Patient/" + Patient}
	switch {
	case s.bad("userinfo-sub"):
		a["sub"] = "another"
	case s.bad("userinfo-fhiruser"):
		delete(a, "fhirUser")
	case s.bad("sub-long"):
		a["sub"] = strings.Repeat("x", 256)
	case s.bad("sub-client"):
		a["sub"] = g.client
	case s.bad("fhiruser-odd"):
		a["fhirUser"] = "alice@example.org"
	case s.bad("fhiruser-unreadable"):
		a["fhirUser"] = s.Base + "/Practitioner/gone"
	}
	reply(w, http.StatusOK, a)
}
