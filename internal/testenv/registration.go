package testenv

import (
	"net/http"
	"strings"
)

// InitialAccessToken makes a token with which so many clients may register.
func (e *Env) InitialAccessToken(uses string) string {
	e.t.Helper()
	a := e.Admin(http.MethodPost, "/registration-tokens", `{"uses":`+uses+`}`)
	if a.Status != http.StatusCreated {
		e.t.Fatalf("no initial access token: %d %s", a.Status, a.Raw)
	}
	return a.String("initial_access_token")
}

// JSON sends a JSON document with a token; headers come in pairs.
func (e *Env) JSON(method, target, token, body string, header ...string) Answer {
	e.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = e.URL + target
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return e.Send(req)
}

// Registered is the app of a registration response.
func (e *Env) Registered(a Answer) *Client {
	e.t.Helper()
	if a.Status != http.StatusCreated {
		e.t.Fatalf("registration: %d %s", a.Status, a.Raw)
	}
	uris, _ := a.Body["redirect_uris"].([]any)
	first, _ := uris[0].(string)
	return &Client{t: e.t, env: e, ID: a.String("client_id"), Secret: a.String("client_secret"), RedirectURI: first, Scope: a.String("scope")}
}
