package brokentest

import (
	"net/http"
	"net/url"
	"strings"
)

// bearer finds the grant of the token in the Authorization header.
func (s *Server) bearer(r *http.Request) (g *grant, present bool) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if s.bad("token-in-query") && r.URL.Query().Has("access_token") {
		scheme, text = "Bearer", r.URL.Query().Get("access_token")
	}
	if scheme == "" {
		return nil, false
	}
	if scheme != "Bearer" && s.bad("bearer-case") && strings.EqualFold(scheme, "Bearer") || !s.possessed(r, scheme, text) {
		return nil, true
	}
	return s.live(text), true
}

func (s *Server) live(text string) *grant {
	g := s.access[text]
	if g == nil && s.bad("spoiled-token") {
		for known, owner := range s.access {
			if len(text) > 20 && strings.HasPrefix(text, known[:20]) {
				g = owner
			}
		}
	}
	if g == nil && s.bad("id-token-opens") && strings.Count(text, ".") == 2 {
		g = &grant{request: request{scope: "patient/*.rs openid"}, patient: Patient, sub: "x"}
	}
	if g == nil && s.bad("refresh-opens") {
		g = s.refresh[text]
	}
	if g == nil || g.ended || g.endedAccess[text] {
		return nil
	}
	return g
}

func (s *Server) fhir(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/fhir/")
	g, present := s.bearer(r)
	switch {
	case r.Method == http.MethodOptions && !s.bad("preflight-guarded"):
		w.WriteHeader(http.StatusNoContent)
	case path == "metadata" && (!s.bad("metadata-guarded") || g != nil):
		reply(w, http.StatusOK, s.capabilityStatement())
	case !present && s.bad("fhir-open") && path == "Patient/"+Patient:
		reply(w, http.StatusOK, object{"resourceType": "Patient", "id": Patient})
	case !present:
		if !s.bad("no-challenge") {
			w.Header().Set("WWW-Authenticate", `Bearer realm="test"`)
		}
		s.outcome(w, http.StatusUnauthorized)
	case g == nil:
		challenge := `Bearer error="invalid_token"`
		if s.bad("challenge-without-error") {
			challenge = "Bearer"
		}
		w.Header().Set("WWW-Authenticate", challenge)
		s.outcome(w, http.StatusUnauthorized)
	default:
		s.answerFHIR(w, r, g, path)
	}
}

func (s *Server) answerFHIR(w http.ResponseWriter, r *http.Request, g *grant, path string) {
	kind, id, instance := strings.Cut(path, "/")
	covered := strings.Contains(g.scope, "patient/*.") || strings.Contains(g.scope, "patient/"+kind+".") || s.bad("scopes-unchecked")
	switch {
	case !covered:
		s.outcome(w, http.StatusForbidden)
	case instance && kind == "Patient" && (id == Patient || id == Other && s.bad("other-readable")):
		if s.bad("reads-another") {
			id = Other
		}
		reply(w, http.StatusOK, object{"resourceType": "Patient", "id": id})
	case instance:
		s.outcome(w, http.StatusNotFound)
	case s.bad("search-fails"):
		s.outcome(w, http.StatusInternalServerError)
	default:
		s.searchset(w, r.URL.Query())
	}
}

func (s *Server) searchset(w http.ResponseWriter, q url.Values) {
	entries := []object{}
	if q.Get("patient") == Patient || s.bad("search-open") {
		entries = append(entries, object{"resource": object{"resourceType": "Observation", "id": "o-1"}, "search": object{"mode": "match"}})
	}
	bundle := object{"resourceType": "Bundle", "type": "searchset", "entry": entries}
	if s.bad("search-no-bundle") {
		bundle["type"] = "collection"
	}
	reply(w, http.StatusOK, bundle)
}

func (s *Server) outcome(w http.ResponseWriter, status int) {
	if s.bad("no-outcome") {
		reply(w, status, object{"message": "no"})
		return
	}
	reply(w, status, object{"resourceType": "OperationOutcome", "issue": []object{{"severity": "error", "code": "login"}}})
}

func (s *Server) capabilityStatement() object {
	uris := []object{
		{"url": "authorize", "valueUri": s.URL + "/authorize"}, {"url": "token", "valueUri": s.URL + "/token"},
	}
	if !s.bad("introspection-missing") {
		uris = append(uris, object{"url": "introspect", "valueUri": s.URL + "/introspect"})
	}
	if !s.bad("revocation-missing") {
		uris = append(uris, object{"url": "revoke", "valueUri": s.URL + "/revoke"})
	}
	if s.bad("oauth-uris-differ") {
		uris[1]["valueUri"] = s.URL + "/another"
	}
	security := object{
		"service":   []object{{"coding": []object{{"code": "SMART-on-FHIR"}}}},
		"extension": []object{{"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": uris}},
	}
	if s.bad("no-security-service") {
		delete(security, "service")
	}
	statement := object{"resourceType": "CapabilityStatement", "rest": []object{{"mode": "server", "security": security}}}
	if s.bad("no-statement") {
		statement = object{"resourceType": "OperationOutcome", "rest": statement["rest"]}
	}
	return statement
}
