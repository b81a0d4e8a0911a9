package upstream

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// credentials prove to the upstream who asks: this server, never one of its callers.
type credentials interface {
	// sign adds the proof to a request.
	sign(ctx context.Context, r *http.Request) error
	// renew is called when a proof was refused; true: there may be a better one now.
	renew() bool
}

func newCredentials(cfg Config, client *http.Client, now func() time.Time) (credentials, error) {
	switch {
	case cfg.BackendService != ServiceConfig{}:
		return newService(cfg, client, now)
	case cfg.CredentialsFile != "":
		f := &fileCredentials{path: cfg.CredentialsFile}
		return f, f.load()
	}
	return none{}, nil
}

// none: the certificate of the connection, or the network, says who we are.
type none struct{}

func (none) sign(context.Context, *http.Request) error { return nil }
func (none) renew() bool                               { return false }

// fileCredentials are one line of a file: "Bearer TOKEN" or "Basic USER:PASSWORD".
type fileCredentials struct {
	path string

	mu       sync.Mutex
	header   string
	modified time.Time
}

func (f *fileCredentials) sign(_ context.Context, r *http.Request) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.Header.Set("Authorization", f.header)
	return nil
}

// renew reads the file again, if it is another one.
func (f *fileCredentials) renew() bool {
	info, err := os.Stat(f.path)
	f.mu.Lock()
	same := err != nil || info.ModTime().Equal(f.modified)
	f.mu.Unlock()
	return !same && f.load() == nil
}

func (f *fileCredentials) load() error {
	info, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("fhir.upstream.credentials_file: %w", err)
	}
	raw, err := os.ReadFile(f.path)
	if err != nil {
		return fmt.Errorf("fhir.upstream.credentials_file: %w", err)
	}
	header, err := authorization(strings.TrimSpace(string(raw)))
	if err != nil {
		return fmt.Errorf("fhir.upstream.credentials_file: %s: %w", f.path, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.header, f.modified = header, info.ModTime()
	return nil
}

// authorization is the header of a line. Errors say nothing of what stands there.
func authorization(line string) (string, error) {
	scheme, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case rest == "" || strings.ContainsFunc(line, func(r rune) bool { return r < 0x20 || r == 0x7f }):
	case scheme == "Bearer" && !strings.Contains(rest, " "):
		return "Bearer " + rest, nil
	case scheme == "Basic" && strings.Contains(rest, ":"):
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(rest)), nil
	}
	return "", errors.New("expected one line, \"Bearer TOKEN\" or \"Basic USER:PASSWORD\"")
}
