package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/enrol"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/sampleapp"
	"github.com/emberlatch/emberlatch/internal/sandbox"
	"github.com/emberlatch/emberlatch/internal/store"
)

// SandboxOptions are the flags of `emberlatch dev`.
type SandboxOptions struct {
	Listen  string // loopback only; port 0 picks a free one
	DataDir string
	People  int
	Reset   bool
	// Registration says who may register an app; empty: whoever has an initial
	// access token.
	Registration DynamicRegistration
	// SelfService says what an app may do that a developer has registered on the page
	// for developers; empty: everything, at once.
	SelfService SelfService
	// Sensitive says what of the sample records only some may read; the zero value:
	// nothing.
	Sensitive SensitiveConfig
	// Reach are further rules of who reaches whom; the zero value: those of a server on
	// which nothing is set.
	Reach ReachConfig
	// Login says of whom a second factor is required; the zero value: of nobody.
	Login LoginConfig
	// Upstream is a FHIR server that holds the records; empty: this one does.
	Upstream string
	// UpstreamCredentials is a file with what proves this server to it; empty: nothing.
	UpstreamCredentials string
	Log                 *slog.Logger
}

// Sandbox is a running server with sample people and a sample app on an origin of
// its own.
type Sandbox struct {
	*Server
	data      sandbox.Data
	sampleURL string
	dataDir   string
	charts    []page.StartCharts
}

// DevConfig is the configuration of a sandbox in a folder; public is its origin,
// empty for commands that do not serve.
func DevConfig(dataDir, public string) (Config, error) {
	cfg := Defaults()
	cfg.DataDir, cfg.Sandbox = dataDir, true
	cfg.Organisation = OrganisationConfig{Name: "Valley Clinic", Phone: "555-0100"}
	cfg.Registration.Dynamic, cfg.Registration.SelfService = RegistrationToken, SelfServiceAtOnce
	cfg.PublicURL = public
	if public == "" {
		cfg.PublicURL = "http://localhost:8765"
	}
	cfg.Listen.Public = "127.0.0.1:0"
	if known, ok := sandbox.ReadJSON(dataDir); ok {
		cfg.FHIR.Upstream = sandboxUpstream(known.Upstream)
	}
	return cfg, cfg.Validate()
}

// StartSandbox opens the folder, makes the sample people at the first start, and
// listens. sandbox.json is there when it returns.
func StartSandbox(ctx context.Context, o SandboxOptions) (*Sandbox, error) {
	if o.Reset {
		if err := resetFolder(o.DataDir); err != nil {
			return nil, err
		}
	}
	listener, err := listenLoopback(o.Listen)
	if err != nil {
		return nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // it listens on TCP
	sample, err := listenBesides(port)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	s, err := openSandbox(ctx, o, port, listener, sample)
	if err != nil {
		return nil, errors.Join(err, listener.Close(), sample.Close())
	}
	return s, nil
}

func openSandbox(ctx context.Context, o SandboxOptions, port int, listener, sample net.Listener) (*Sandbox, error) {
	cfg, err := DevConfig(o.DataDir, "http://localhost:"+strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	if o.Registration != "" {
		cfg.Registration.Dynamic = o.Registration
	}
	if o.SelfService != "" {
		cfg.Registration.SelfService = o.SelfService
	}
	cfg.Sensitive, cfg.Login = o.Sensitive, o.Login
	if !reflect.ValueOf(o.Reach).IsZero() {
		cfg.Reach = o.Reach
	}
	if err := sameRecords(o); err != nil {
		return nil, err
	}
	if cfg.FHIR.Upstream = sandboxUpstream(o.upstream()); cfg.Validate() != nil {
		return nil, fmt.Errorf("--upstream: %w", cfg.Validate())
	}
	s := &Sandbox{sampleURL: "http://" + sample.Addr().String(), dataDir: o.DataDir}
	cfg.startPage = s.startPage
	app, err := Open(ctx, cfg, o.Log)
	if err != nil {
		return nil, err
	}
	s.Server = &Server{app: app}
	if s.data, err = app.samplePeople(ctx, o); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if err := s.fill(ctx, listener, sample); err != nil {
		return nil, errors.Join(err, s.close())
	}
	rest()
	widen(app.db.Dialect())
	return s, nil
}

// fill seeds the stores, mounts the sample app and writes sandbox.json.
func (s *Sandbox) fill(ctx context.Context, listener, sample net.Listener) error {
	a := s.app
	clients, err := s.clients(ctx)
	if err != nil {
		return err
	}
	seeder := sandbox.Seeder{
		Store: a.store, Loader: a.loader(), HashPassword: a.accounts.HashPassword, UsernameKey: a.accounts.UsernameKey,
		CodeHash: enrol.CodeHash, SetFactor: a.setSampleFactor, Now: a.now,
	}
	if err := seeder.Seed(ctx, s.data, clients); err != nil {
		return err
	}
	if err := a.live.Refresh(ctx); err != nil {
		return err
	}
	if err := s.listCharts(ctx); err != nil {
		return err
	}
	client := clients[1]
	demo, err := sampleapp.New(sampleapp.Deps{
		Issuer: a.cfg.PublicURL, FHIRBase: a.cfg.FHIRBase(), ClientID: string(client.ID), ClientSecret: client.Secret,
		Scopes: strings.Fields(client.Scope), BaseURL: s.sampleURL, Now: a.now, Log: a.log,
	})
	if err != nil {
		return err
	}
	s.serve("public", listener, a.public)
	if six, err := net.Listen("tcp", "[::1]:"+strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)); err == nil { //nolint:forcetypeassert // it listens on TCP
		s.serve("public", six, a.public) // "localhost" means this one for some programs
	}
	s.serve("sample app", sample, demo)
	if err := s.listenBeside(); err != nil {
		return err
	}
	return sandbox.WriteJSON(s.dataDir, a.cfg.PublicURL, a.cfg.FHIRBase(), s.sampleURL, s.data, clients)
}

// setSampleFactor gives a sample person a second factor that everybody knows.
func (a *App) setSampleFactor(ctx context.Context, u store.User, secret string) error {
	c, err := a.factors.Known(u, secret)
	if err != nil {
		return err
	}
	c.Event = store.Event{At: a.now(), Kind: "factor.set", Actor: "sandbox", Outcome: "ok", Detail: string(u.ID)}
	return a.store.ChangeFactor(ctx, c)
}

// clients are all sample apps; the keys of two of them come from a secret of this
// data folder.
func (s *Sandbox) clients(ctx context.Context) ([]sandbox.Client, error) {
	now := s.app.now().UTC()
	secret, err := s.app.ring.Secret(ctx, "sandbox-client-keys")
	if err != nil {
		return nil, err
	}
	keyed, err := sandbox.ClientsWithKeys(secret, now)
	return append(sandbox.Clients(s.sampleURL+"/callback", now), keyed...), err
}

// listenLoopback refuses every address that others could reach (TLS-06).
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %q is not host:port", address)
	}
	if !loopbackHost(host) {
		return nil, fmt.Errorf("--listen: the sandbox has well-known passwords and listens on loopback only, not on %q", host)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--listen: %w", err)
	}
	return l, nil
}

// listenBesides listens for the sample app: on the next port if it is free. The
// host is 127.0.0.1, so that it is another site than localhost for a browser.
func listenBesides(port int) (net.Listener, error) {
	if l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port+1)); err == nil {
		return l, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// ours are the files that a sandbox makes in its folder.
var ours = []string{"emberlatch.db", "emberlatch.db-wal", "emberlatch.db-shm", "emberlatch.db.lock", "key-encrypting.key", "key-encrypting.key.next", "sandbox.json", "admin.sock"}

// resetFolder forgets a sandbox; files that are not ours stay.
func resetFolder(dir string) error {
	for _, name := range ours {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// startPage shows where to begin.
func (s *Sandbox) startPage() page.Start {
	p := page.Start{
		Shell:     page.Shell{Self: "/", Action: pathSample, FormTargets: []string{page.FormTarget(s.sampleURL)}},
		SampleApp: s.sampleURL, Developers: s.developers(), Charts: s.charts, Issuer: s.app.cfg.PublicURL, FHIRBase: s.app.cfg.FHIRBase(), DataDir: s.dataDir,
	}
	for _, v := range s.data.People {
		p.People = append(p.People, page.StartPerson{Username: v.Username, Password: v.Password, Display: v.Display, Role: string(v.Role), Note: v.Note})
	}
	for _, e := range s.data.Enrolment {
		p.Enrol = append(p.Enrol, page.StartEnrolment{Given: e.Given, Family: e.Family, BirthDate: e.BirthDate, Code: e.Code})
	}
	return p
}

// developers is the path of the pages for developers; empty: there are none.
func (s *Sandbox) developers() string {
	if s.app.cfg.Registration.SelfService == SelfServiceOff {
		return ""
	}
	return pathDevelopers
}

// Welcome is what a terminal shows before the ready line.
func (s *Sandbox) Welcome() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nEmberlatch sandbox: %s\n\n  Sample app    %s\n  Start page    %s\n  FHIR base     %s\n  Data          %s\n\n  Sign in as:\n",
		s.people(), s.sampleURL, s.URL(), s.app.cfg.FHIRBase(), s.dataDir)
	for _, p := range s.data.People {
		code := ""
		if p.TOTPSecret != "" {
			code = ", and a code: totp_secret in sandbox.json"
		}
		fmt.Fprintf(&b, "    %-8s %-14s %s %s%s\n", p.Username, p.Password, p.Display, p.Role, code)
	}
	for _, e := range s.data.Enrolment {
		fmt.Fprintf(&b, "  No login yet: %s %s, born %s, invitation %s\n", e.Given, e.Family, e.BirthDate, e.Code)
	}
	b.WriteString("\n  Registered apps: see sandbox.json in the data folder.\n")
	if path := s.developers(); path != "" {
		fmt.Fprintf(&b, "  Register your own: %s\n", s.URL()+path)
	}
	b.WriteString("\n")
	return b.String()
}

// people says who the people of this sandbox are.
func (s *Sandbox) people() string {
	if s.data.Upstream.URL == "" {
		return "every person here is made up."
	}
	return "the records are those of " + s.data.Upstream.URL
}
