package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/manage"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
)

// Paths of the endpoints below the public origin.
const (
	pathAuthorize  = "/authorize"
	pathLogin      = "/login"
	pathSecond     = "/login/second"
	pathEnrol      = "/enrol"
	pathRecover    = "/recover"
	pathChoose     = "/choose"
	pathEncounter  = "/choose/encounter"
	pathEmergency  = "/choose/emergency"
	pathApprove    = "/approve"
	pathLogout     = "/logout"
	pathManage     = manage.Path
	pathToken      = "/token"
	pathIntrospect = "/introspect"
	pathRevoke     = "/revoke"
	pathPush       = "/par"
	pathUserInfo   = "/userinfo"
	pathKeys       = "/jwks.json"
	pathLaunch     = "/launch"
	pathSample     = "/sandbox/launch"
	pathRegister   = "/register"
	pathDevelopers = "/developers"
	pathFHIR       = "/fhir"
	pathErrors     = oauth.ErrorsPath
	pathBrands     = "/brands"
)

// routes lists every path of the public listener.
func (a *App) routes(ctx context.Context) (http.Handler, error) {
	d, err := a.openDoors(ctx)
	if err != nil {
		return nil, err
	}
	registered, anyone := door.Origins(a.live.AllowsOrigin), door.Origins(door.AnyOrigin)
	mux := http.NewServeMux()

	// What browsers of people show. No other origin may call these (CORS-11).
	mux.Handle(pathAuthorize, d.authorize)
	mux.HandleFunc("GET /authorize/continue", d.authorize.Continue)
	mux.HandleFunc("GET "+pathLogin, d.login.Show)
	mux.HandleFunc("POST "+pathLogin, d.login.Post)
	mux.HandleFunc("GET "+pathSecond, d.login.ShowSecond)
	mux.HandleFunc("POST "+pathSecond, d.login.PostSecond)
	mux.Handle(pathLogout, d.logout)
	mux.HandleFunc("GET "+pathEnrol, d.enrol.Show)
	mux.HandleFunc("POST "+pathEnrol, d.enrol.Post)
	mux.HandleFunc("GET "+pathRecover, d.recovery.Show)
	mux.HandleFunc("POST "+pathRecover, d.recovery.Post)
	mux.HandleFunc("GET "+pathChoose, d.launch.Show)
	mux.HandleFunc("POST "+pathChoose, d.launch.Post)
	mux.HandleFunc("GET "+pathEncounter, d.launch.ShowEncounter)
	mux.HandleFunc("POST "+pathEncounter, d.launch.PostEncounter)
	mux.HandleFunc("GET "+pathApprove, d.consent.Show)
	mux.HandleFunc("POST "+pathApprove, d.consent.Post)
	if d.developer != nil {
		d.developer.Mount(mux)
	}
	mountManage(mux, d.manage)
	a.mountEmergency(mux, d)
	mux.Handle("GET /assets/{file}", d.pages.Assets())

	// What apps call.
	mux.Handle(pathToken, door.CORS(registered, d.token))
	mux.Handle(pathRevoke, door.CORS(registered, d.revoke))
	if a.cfg.Authorization.offersPushed() {
		mux.Handle(pathPush, door.CORS(registered, d.push))
	}
	mux.Handle(pathUserInfo, door.CORS(registered, d.userinfo))
	mux.Handle(pathIntrospect, d.introspect) // no browser origins (CORS-12)
	mux.Handle(pathLaunch, d.ehr)            // what an EHR calls
	if d.registration != nil {
		if a.registerPath() != "" {
			mux.Handle(pathRegister, door.CORS(registered, http.HandlerFunc(d.registration.Register)))
		}
		mux.Handle(pathRegister+"/{id}", door.CORS(registered, http.HandlerFunc(d.registration.Manage)))
	}
	mux.Handle(pathFHIR, door.CORS(registered, d.fhir))
	mux.Handle(pathFHIR+"/", door.CORS(registered, d.fhir))

	// What everybody may read.
	mux.Handle(pathFHIR+"/metadata", door.CORS(anyone, d.fhir))
	mux.Handle(pathFHIR+"/.well-known/smart-configuration", door.CORS(anyone, http.HandlerFunc(d.discovery.SMARTConfiguration)))
	mux.Handle("/.well-known/openid-configuration", door.CORS(anyone, http.HandlerFunc(d.discovery.Provider)))
	mux.Handle("/.well-known/oauth-authorization-server", door.CORS(anyone, http.HandlerFunc(d.discovery.Provider)))
	mux.Handle(a.style.Path(), door.CORS(anyone, a.style))
	mux.Handle(pathBrands, door.CORS(anyone, http.HandlerFunc(d.discovery.Brands)))
	mux.Handle(pathKeys, door.CORS(anyone, http.HandlerFunc(d.discovery.Keys)))
	mux.HandleFunc("GET "+pathErrors, func(w http.ResponseWriter, r *http.Request) { // error_uri
		d.flow.Show(w, r, http.StatusOK, page.Errors{Shell: page.Shell{Self: pathErrors}})
	})
	mux.HandleFunc("GET /health/live", healthLive)
	mux.HandleFunc("GET /health/ready", a.healthReady)
	mux.HandleFunc("GET /{$}", a.start(d.flow.Show))
	if a.cfg.startPage != nil { // a sandbox plays the EHR as well
		mux.HandleFunc("POST "+pathSample, a.launchSample(d.flow))
	}
	unknown := func(w http.ResponseWriter, r *http.Request) {
		d.flow.Error(w, r, page.Error{Title: "not-found", Slug: oauth.SlugPathUnknown}, http.StatusNotFound)
	}
	mux.HandleFunc("/", unknown)
	unclean := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, pathFHIR+"/") {
			d.fhir.ServeHTTP(w, r)
			return
		}
		unknown(w, r)
	})

	u, err := url.Parse(a.cfg.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("public_url: %w", err)
	}
	return door.Chain(door.Options{Hosts: hosts(u), Issuer: a.cfg.PublicURL, Secure: a.cfg.secure(), Log: a.log, Unclean: unclean, Observe: a.metrics.observe, Patience: patience}, mux)
}

// mountManage adds the pages of what people look after themselves.
func mountManage(mux *http.ServeMux, d *manage.Door) {
	mux.HandleFunc("GET "+pathManage, d.List)
	mux.HandleFunc("GET "+manage.PathStop, d.ShowStop)
	mux.HandleFunc("POST "+manage.PathStop, d.Stop)
	mux.HandleFunc("GET "+manage.PathStopAll, d.ShowStopAll)
	mux.HandleFunc("POST "+manage.PathStopAll, d.StopAll)
	mux.HandleFunc("GET "+manage.PathReceipt, d.Receipt)
	mux.HandleFunc("GET "+manage.PathSignIns, d.ShowSignIns)
	mux.HandleFunc("POST "+manage.PathSignIns, d.EndOthers)
	mux.HandleFunc("GET "+manage.PathLooked, d.ShowLooked)
	mux.HandleFunc("GET "+manage.PathPassword, d.ShowPassword)
	mux.HandleFunc("POST "+manage.PathPassword, d.ChangePassword)
	mux.HandleFunc("GET "+manage.PathSecondStep, d.ShowSecondStep)
	mux.HandleFunc("POST "+manage.PathSecondStep, d.ChangeSecondStep)
	mux.HandleFunc("GET "+manage.PathSetUp, d.ShowSetUp)
	mux.HandleFunc("POST "+manage.PathSetUp, d.SetUp)
}

// mountEmergency adds the pages on which records are opened in an emergency, and ended, where
// that is switched on.
func (a *App) mountEmergency(mux *http.ServeMux, d doors) {
	if a.emergency == nil {
		return
	}
	mux.HandleFunc("GET "+pathEmergency, d.launch.ShowEmergency)
	mux.HandleFunc("POST "+pathEmergency, d.launch.PostEmergency)
	mux.HandleFunc("GET "+manage.PathEmergencies, d.manage.ShowEmergencies)
	mux.HandleFunc("POST "+manage.PathEmergencies, d.manage.EndEmergency)
}

// patience is how long a request may take to come in, and its answer to go out: what
// is no record is small, and nobody needs the time that the server allows for a
// large page of results (E-37).
func patience(r *http.Request) (read, write time.Duration) {
	if r.URL.Path == pathFHIR || strings.HasPrefix(r.URL.Path, pathFHIR+"/") {
		return 0, 0
	}
	return 15 * time.Second, 30 * time.Second
}

// hosts are the Host headers that are answered: the public one, and on loopback
// its other spellings.
func hosts(u *url.URL) []string {
	list := []string{u.Host}
	if !loopbackHost(u.Hostname()) {
		return list
	}
	for _, name := range []string{"localhost", "127.0.0.1", "[::1]"} {
		list = append(list, name+":"+u.Port())
	}
	return list
}

// start answers the origin itself: the sandbox shows where to begin, any other
// server that there is nothing to see.
func (a *App) start(show func(http.ResponseWriter, *http.Request, int, page.Page)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a.cfg.startPage == nil {
			show(w, r, http.StatusNotFound, page.Error{Title: "not-found", ID: door.RequestID(r.Context()), Slug: oauth.SlugPathUnknown})
			return
		}
		show(w, r, http.StatusOK, a.cfg.startPage())
	}
}

func healthLive(w http.ResponseWriter, _ *http.Request) {
	door.JSON(w, http.StatusOK, map[string]string{"status": "live"})
}

// healthReady answers 200 while requests can be answered: the database can be
// read, what was revoked is known, and what is asked for can be recorded.
func (a *App) healthReady(w http.ResponseWriter, r *http.Request) {
	if err := a.store.Ping(r.Context()); err != nil || !a.live.Fresh() || a.trail.Ready() != nil {
		door.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
		return
	}
	door.JSON(w, http.StatusOK, map[string]string{"status": "ready"})
}
