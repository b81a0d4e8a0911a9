package sampleapp

import (
	"crypto/rand"
	"net/http"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// connect begins a standalone launch.
func (a *App) connect(w http.ResponseWriter, r *http.Request) { a.ask(w, r, "") }

// launch begins an EHR launch (SMART App Launch 2.2): an EHR has opened this
// address with iss and launch. Whoever writes a link can name any server, so iss is
// only ever compared with the one that the app is registered at.
func (a *App) launch(w http.ResponseWriter, r *http.Request) {
	iss, launch := r.URL.Query()["iss"], r.URL.Query()["launch"]
	if len(iss) != 1 || iss[0] != a.deps.FHIRBase && iss[0] != a.deps.FHIRBase+"/" {
		a.show(w, http.StatusBadRequest, "problem.tmpl", "This app was started by a health record that we do not know.")
		return
	}
	if len(launch) != 1 || launch[0] == "" {
		a.show(w, http.StatusBadRequest, "problem.tmpl", "The health record did not say which chart is open. Please start the app there again.")
		return
	}
	a.ask(w, r, launch[0])
}

// ask sends the browser to the server, with PKCE, state and nonce.
func (a *App) ask(w http.ResponseWriter, r *http.Request, launch string) {
	config, _, err := a.discover(r.Context())
	if err != nil {
		a.fail(w, r, err)
		return
	}
	state, p := rand.Text(), pending{nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{
		oauth2.S256ChallengeOption(p.verifier), oidc.Nonce(p.nonce), oauth2.SetAuthURLParam("aud", a.deps.FHIRBase),
	}
	other := "launch"
	if launch != "" {
		p.chart, other = rand.Text(), "launch/patient"
		options = append(options, oauth2.SetAuthURLParam("launch", launch))
	}
	config.Scopes = slices.DeleteFunc(config.Scopes, func(scope string) bool { return scope == other })
	a.visitOf(w, r).ask(state, p)
	http.Redirect(w, r, config.AuthCodeURL(state, options...), http.StatusSeeOther)
}
