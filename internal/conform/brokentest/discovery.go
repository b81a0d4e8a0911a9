package brokentest

import (
	"encoding/base64"
	"math/big"
	"net/http"
	"strings"
)

// common are the members of all documents.
func (s *Server) common() object {
	doc := object{
		"issuer": s.URL, "authorization_endpoint": s.URL + "/authorize", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/jwks",
		"introspection_endpoint": s.URL + "/introspect", "revocation_endpoint": s.URL + "/revoke", "userinfo_endpoint": s.URL + "/userinfo",
		"scopes_supported":                                 []string{"openid", "fhirUser", "launch/patient", "offline_access", "patient/*.rs"},
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query", "form_post"},
		"grant_types_supported":                            []string{"authorization_code", "refresh_token", "client_credentials"},
		"code_challenge_methods_supported":                 []string{"S256"},
		"token_endpoint_auth_methods_supported":            []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"ES384"},
		"authorization_response_iss_parameter_supported":   true,
		"dpop_signing_alg_values_supported":                []string{"ES256"},
	}
	set := func(defect, member string, value any) { s.set(doc, defect, member, value) }
	set("grant-types-missing", "grant_types_supported", nil)
	set("grant-types-incomplete", "grant_types_supported", []string{"client_credentials"})
	set("grant-types-implicit", "grant_types_supported", []string{"authorization_code", "client_credentials", "implicit"})
	set("plain-advertised", "code_challenge_methods_supported", []string{"S256", "plain"})
	set("s256-unadvertised", "code_challenge_methods_supported", []string{})
	set("auth-methods-wrong", "token_endpoint_auth_methods_supported", []string{"private_key_jwt"})
	set("scopes-missing", "scopes_supported", nil)
	set("introspection-missing", "introspection_endpoint", nil)
	set("revocation-missing", "revocation_endpoint", nil)
	set("token-response-type", "response_types_supported", []string{"code", "token"})
	set("assertion-hmac", "token_endpoint_auth_signing_alg_values_supported", []string{"ES384", "HS256"})
	set("assertion-unlisted", "token_endpoint_auth_methods_supported", []string{"client_secret_basic", "none"})
	return doc
}

// set changes a member when the server has the defect; nil takes it away.
func (s *Server) set(doc object, defect, member string, value any) {
	switch {
	case !s.bad(defect):
	case value == nil:
		delete(doc, member)
	default:
		doc[member] = value
	}
}

func (s *Server) smartConfiguration(w http.ResponseWriter, r *http.Request) {
	doc := s.common()
	doc["capabilities"] = []string{
		"launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
		"sso-openid-connect", "context-standalone-patient", "permission-offline", "permission-patient", "permission-v2",
	}
	set := func(defect, member string, value any) { s.set(doc, defect, member, value) }
	set("endpoint-relative", "conformance_endpoint", "/relative")
	set("authorization-missing", "authorization_endpoint", nil)
	set("token-missing", "token_endpoint", nil)
	set("capabilities-empty", "capabilities", []string{})
	set("capability-odd", "capabilities", with(doc["capabilities"].([]string), "super-launch"))
	set("issuer-missing", "issuer", nil)
	set("keys-missing", "jwks_uri", nil)
	set("contradiction", "end_session_endpoint", s.URL+"/end")
	if s.bad("host-header") && r.Header.Get("X-Forwarded-Host") != "" {
		doc["token_endpoint"] = "https://" + r.Header.Get("X-Forwarded-Host") + "/token"
	}
	switch {
	case s.bad("smart-missing"):
		http.NotFound(w, r)
		return
	case s.bad("smart-guarded") && r.Header.Get("Authorization") != "":
		w.WriteHeader(http.StatusUnauthorized)
		return
	case s.bad("smart-negotiates") && strings.Contains(r.Header.Get("Accept"), "html"):
		w.Header().Set("Content-Type", "text/html")
	}
	if !s.bad("smart-uncached") {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	reply(w, http.StatusOK, doc)
}

func (s *Server) openIDConfiguration(w http.ResponseWriter) {
	doc := s.common()
	doc["subject_types_supported"] = []string{"public"}
	doc["id_token_signing_alg_values_supported"] = []string{"RS256"}
	doc["request_parameter_supported"], doc["request_uri_parameter_supported"] = false, false
	doc["backchannel_logout_supported"], doc["backchannel_logout_session_supported"] = true, true
	switch {
	case s.bad("provider-missing"):
		w.WriteHeader(http.StatusNotFound)
		return
	case s.bad("provider-text"):
		w.Header().Set("Content-Type", "text/plain")
	case s.bad("subject-types-missing"):
		delete(doc, "subject_types_supported")
	case s.bad("none-advertised"):
		doc["id_token_signing_alg_values_supported"] = []string{"RS256", "none"}
	case s.bad("rs256-unadvertised"):
		doc["id_token_signing_alg_values_supported"] = []string{"ES256"}
	case s.bad("issuer-slash"):
		doc["issuer"] = s.URL + "/"
	case s.bad("contradiction"):
		doc["end_session_endpoint"] = s.URL + "/logout"
	case s.bad("logout-sessions-alone"):
		delete(doc, "backchannel_logout_supported")
	case s.bad("request-unsaid"):
		delete(doc, "request_parameter_supported")
	}
	reply(w, http.StatusOK, doc)
}

func (s *Server) serverMetadata(w http.ResponseWriter) {
	if s.bad("metadata-missing") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	reply(w, http.StatusOK, s.common())
}

func (s *Server) jwks(w http.ResponseWriter) {
	b64 := base64.RawURLEncoding
	key := object{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": KeyID, "n": b64.EncodeToString(s.signing.N.Bytes()),
		"e": b64.EncodeToString(big.NewInt(int64(s.signing.E)).Bytes()),
	}
	keys := []object{key}
	switch {
	case s.bad("private-key"):
		key["d"] = "AQAB"
	case s.bad("key-without-n"):
		keys = append(keys, object{"kty": "RSA", "kid": "key-2", "x5c": []string{"x"}})
	case s.bad("duplicate-kid"):
		keys = append(keys, key)
	}
	if !s.bad("keys-uncached") {
		w.Header().Set("Cache-Control", "public, max-age=60")
	}
	reply(w, http.StatusOK, object{"keys": keys})
}
