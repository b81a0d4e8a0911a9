package sampleapp

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

//go:embed pages
var files embed.FS

// Deps are what the app knows; all are required.
type Deps struct {
	Issuer, FHIRBase       string
	ClientID, ClientSecret string
	Scopes                 []string
	BaseURL                string // its own origin
	Now                    func() time.Time
	Log                    *slog.Logger
}

// App is the sample app.
type App struct {
	deps     Deps
	http     *http.Client
	pages    *template.Template
	mux      *http.ServeMux
	mu       sync.Mutex
	sessions map[string]*visit
}

// New makes the app; it refuses missing parts.
func New(deps Deps) (*App, error) {
	if deps.Issuer == "" || deps.FHIRBase == "" || deps.ClientID == "" || deps.BaseURL == "" || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("sampleapp: a part is missing")
	}
	pages, err := template.New("").Funcs(functions).ParseFS(files, "pages/*.tmpl")
	if err != nil {
		return nil, err
	}
	a := &App{
		deps: deps, pages: pages, mux: http.NewServeMux(), sessions: map[string]*visit{},
		http: &http.Client{Timeout: 15 * time.Second},
	}
	a.mux.HandleFunc("GET /{$}", a.start)
	a.mux.HandleFunc("POST /connect", a.connect)
	a.mux.HandleFunc("GET /launch", a.launch)
	a.mux.HandleFunc("GET /callback", a.callback)
	a.mux.HandleFunc("GET /record", a.record)
	a.mux.HandleFunc("POST /refresh", a.refresh)
	a.mux.HandleFunc("POST /disconnect", a.disconnect)
	a.mux.HandleFunc("POST /sign-out", a.signOut)
	a.mux.HandleFunc("GET "+signedOut, a.goodbye)
	a.mux.HandleFunc("POST "+told, a.logout)
	a.mux.HandleFunc("GET /style.css", a.style)
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+a.deps.Issuer)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		http.Error(w, "This form was not shown here.", http.StatusForbidden)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// smartConfiguration is what the app reads of the server's (SMART App Launch 2.2).
type smartConfiguration struct {
	Authorize string `json:"authorization_endpoint"`
	Token     string `json:"token_endpoint"`
	Revoke    string `json:"revocation_endpoint"`
}

func (a *App) discover(ctx context.Context) (*oauth2.Config, smartConfiguration, error) {
	var s smartConfiguration
	if err := a.get(ctx, a.http, a.deps.FHIRBase+"/.well-known/smart-configuration", &s); err != nil {
		return nil, s, fmt.Errorf("reading the SMART configuration: %w", err)
	}
	return &oauth2.Config{
		ClientID: a.deps.ClientID, ClientSecret: a.deps.ClientSecret, RedirectURL: a.deps.BaseURL + "/callback", Scopes: slices.Clone(a.deps.Scopes),
		Endpoint: oauth2.Endpoint{AuthURL: s.Authorize, TokenURL: s.Token, AuthStyle: oauth2.AuthStyleInHeader},
	}, s, nil
}

// maxAnswer bounds an answer of the server, in bytes.
const maxAnswer = 16 << 20

func (a *App) get(ctx context.Context, client *http.Client, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/fhir+json, application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return statusError(resp.StatusCode)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(into)
}

// statusError is an answer other than 200.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("the server answered %d", int(e)) }

// callback receives the code, exchanges it, and verifies who signed in.
func (a *App) callback(w http.ResponseWriter, r *http.Request) {
	v := a.visitOf(w, r)
	q := r.URL.Query()
	asked, ours := v.answered(q.Get("state"))
	if !ours {
		a.show(w, http.StatusBadRequest, "problem.tmpl", "This answer does not belong to a request of this browser. Please connect again.")
		return
	}
	if iss := q.Get("iss"); iss != a.deps.Issuer { // RFC 9207: mix-up
		a.show(w, http.StatusBadRequest, "problem.tmpl", "The answer came from another server than the one we asked.")
		return
	}
	if code := q.Get("error"); code != "" {
		text := "The server could not connect us: " + code + "."
		if code == "access_denied" {
			text = "You decided not to share. Nothing was read."
		}
		a.show(w, http.StatusOK, "problem.tmpl", text)
		return
	}
	c, err := a.exchange(r.Context(), asked, q.Get("code"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	v.connect(c)
	http.Redirect(w, r, address(c.chart), http.StatusSeeOther)
}

func (a *App) exchange(ctx context.Context, asked pending, code string) (*connection, error) {
	ctx = oidc.ClientContext(ctx, a.http)
	config, _, err := a.discover(ctx)
	if err != nil {
		return nil, err
	}
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(asked.verifier))
	if err != nil {
		return nil, err
	}
	who, err := a.verify(ctx, token, asked.nonce)
	if err != nil {
		return nil, err
	}
	// Order: only after the ID token was verified is anybody connected.
	c := &connection{chart: asked.chart, token: token, identity: who, launched: asked.chart != ""}
	c.patient, _ = token.Extra("patient").(string)
	c.scope, _ = token.Extra("scope").(string)
	// The banner is left out only when the EHR says that it shows one.
	shown, told := token.Extra("need_patient_banner").(bool)
	c.needBanner = shown || !told
	return c, nil
}

// verify returns who the ID token is about, nobody if identity was not shared.
func (a *App) verify(ctx context.Context, token *oauth2.Token, nonce string) (identity, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return identity{}, nil
	}
	provider, err := oidc.NewProvider(ctx, a.deps.Issuer)
	if err != nil {
		return identity{}, err
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: a.deps.ClientID}).Verify(ctx, raw)
	if err != nil {
		return identity{}, err
	}
	if id.Nonce != nonce {
		return identity{}, errors.New("the ID token is not for this request")
	}
	var claims struct {
		FHIRUser string `json:"fhirUser"`
		SID      string `json:"sid"`
	}
	if err := id.Claims(&claims); err != nil {
		return identity{}, err
	}
	return identity{raw, claims.FHIRUser, claims.SID}, id.VerifyAccessToken(token.AccessToken)
}

// chartOf is the record that a form is about.
func chartOf(r *http.Request) string {
	if r.ParseForm() != nil {
		return ""
	}
	return r.PostForm.Get("chart")
}

// refresh answers the form that asks for a new access token.
func (a *App) refresh(w http.ResponseWriter, r *http.Request) { a.renew(w, r, chartOf(r)) }

// renew gets a new access token with the refresh token of a record.
func (a *App) renew(w http.ResponseWriter, r *http.Request, chart string) {
	v := a.visitOf(w, r)
	c := v.connection(chart)
	if c == nil || c.token.RefreshToken == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	config, _, err := a.discover(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	old := *c.token
	old.Expiry = a.deps.Now().Add(-time.Minute) // the library refreshes what has expired
	token, err := config.TokenSource(oidc.ClientContext(r.Context(), a.http), &old).Token()
	if err != nil {
		v.close(chart)
		a.show(w, http.StatusOK, "problem.tmpl", "The server does not let us read any more. Please connect again.")
		return
	}
	fresh := *c
	fresh.token = token
	v.connect(&fresh)
	http.Redirect(w, r, address(chart), http.StatusSeeOther)
}

// disconnect gives the tokens of a record back (RFC 7009) and forgets it.
func (a *App) disconnect(w http.ResponseWriter, r *http.Request) {
	v, chart := a.visitOf(w, r), chartOf(r)
	if c := v.connection(chart); c != nil {
		if err := a.revoke(r.Context(), c.token); err != nil {
			a.deps.Log.WarnContext(r.Context(), "sample app: giving a token back failed", "error", err)
		}
	}
	v.close(chart)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *App) revoke(ctx context.Context, token *oauth2.Token) error {
	_, s, err := a.discover(ctx)
	if err != nil {
		return err
	}
	text := token.RefreshToken
	if text == "" {
		text = token.AccessToken
	}
	body := bytes.NewBufferString("token=" + text) // tokens need no escaping
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Revoke, body)
	if err != nil {
		return err
	}
	req.SetBasicAuth(a.deps.ClientID, a.deps.ClientSecret)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return statusError(resp.StatusCode)
	}
	return nil
}

func (a *App) start(w http.ResponseWriter, r *http.Request) {
	if a.visitOf(w, r).connection("") != nil {
		http.Redirect(w, r, "/record", http.StatusSeeOther)
		return
	}
	a.show(w, http.StatusOK, "start.tmpl", a.deps.Issuer)
}

func (a *App) style(w http.ResponseWriter, _ *http.Request) {
	css, err := files.ReadFile("pages/style.css")
	if err != nil {
		http.Error(w, "no style", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(css)
}

func (a *App) fail(w http.ResponseWriter, r *http.Request, err error) {
	a.deps.Log.ErrorContext(r.Context(), "sample app", "error", err)
	a.show(w, http.StatusBadGateway, "problem.tmpl", "We could not reach the health record. Please try again.")
}

// show renders a page as a whole before anything is sent.
func (a *App) show(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := a.pages.ExecuteTemplate(&b, name, data); err != nil {
		a.deps.Log.Error("sample app: rendering", "error", err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}
