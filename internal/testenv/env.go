package testenv

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/app"
)

// Env is a running sandbox.
type Env struct {
	t       testing.TB
	URL     string
	FHIR    string
	DataDir string
	File    File
	client  *http.Client
	// transport goes to one of several processes; nil: to where URL says.
	transport http.RoundTripper
	// admin goes to operators; nil: to the socket in DataDir.
	admin http.RoundTripper
}

// Person is somebody to sign in as.
type Person struct {
	Username, Password, Role, Display, FHIRUser string
	Patients                                    []string
	TOTPSecret                                  string `json:"totp_secret"`
}

// File is sandbox.json.
type File struct {
	Issuer    string   `json:"issuer"`
	FHIRBase  string   `json:"fhir_base_url"`
	SampleApp string   `json:"sample_app"`
	People    []Person `json:"people"`
	Clients   []struct {
		ClientID     string   `json:"client_id"`
		Secret       string   `json:"client_secret"`
		Kind         string   `json:"kind"`
		RedirectURIs []string `json:"redirect_uris"`
		LaunchURI    string   `json:"initiate_login_uri"`
		Scope        string   `json:"scope"`
		// PrivateJWK is the key of a client that proves itself by one.
		PrivateJWK *jose.JSONWebKey `json:"private_jwk"`
	} `json:"clients"`
	Enrolment []struct {
		Patient, Given, Family, Code string
		BirthDate                    string `json:"birth_date"`
	} `json:"enrolment"`
}

// Start runs a sandbox in a folder of the test until it ends.
func Start(t testing.TB) *Env {
	t.Helper()
	return StartWith(t, func(*app.SandboxOptions) {})
}

// StartLogged is Start with a log that the test reads.
func StartLogged(t testing.TB, log slog.Handler) *Env {
	t.Helper()
	return StartWith(t, func(o *app.SandboxOptions) { o.Log = slog.New(log) })
}

// StartWith runs a sandbox with other options than usual.
func StartWith(t testing.TB, change func(*app.SandboxOptions)) *Env {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	options := app.SandboxOptions{Listen: "127.0.0.1:0", DataDir: t.TempDir(), People: 8, Log: slog.New(slog.DiscardHandler)}
	change(&options)
	furnish(t, options)
	s, err := app.StartSandbox(ctx, options)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Wait(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	e := &Env{t: t, URL: s.URL(), FHIR: s.URL() + "/fhir", DataDir: options.DataDir, client: plainClient(nil)}
	raw, err := os.ReadFile(filepath.Join(options.DataDir, "sandbox.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &e.File); err != nil {
		t.Fatal(err)
	}
	return e
}

// plainClient neither follows redirects nor keeps cookies.
func plainClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport:     transport,
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
