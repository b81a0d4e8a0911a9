package upstream

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Config says where the upstream is and how we prove ourselves to it. The zero value
// of everything but URL is the safe choice.
type Config struct {
	// URL is its FHIR base. https, or http on loopback.
	URL string `yaml:"url"`
	// AlsoKnownAs are other bases under which it speaks of itself, in links and
	// absolute references.
	AlsoKnownAs []string `yaml:"also_known_as"`
	// CAFile holds certificates (PEM) that its own is judged by; empty: the system's.
	CAFile string `yaml:"ca_file"`
	// ClientCertFile and ClientKeyFile are our certificate (PEM).
	ClientCertFile string `yaml:"client_cert_file"`
	ClientKeyFile  string `yaml:"client_key_file"`
	// CredentialsFile holds one line: "Bearer TOKEN" or "Basic USER:PASSWORD". It is
	// read again when it changes.
	CredentialsFile string `yaml:"credentials_file"`
	// BackendService gets tokens as SMART backend services do.
	BackendService ServiceConfig `yaml:"backend_service"`
	// Timeout is how long one answer may take.
	Timeout time.Duration `yaml:"timeout"`
	// MaxAnswer is how large one answer may be, in bytes.
	MaxAnswer int64 `yaml:"max_answer"`
	// MaxConnections is how many connections there are at most.
	MaxConnections int `yaml:"max_connections"`

	// AnyHTTP allows http to other hosts: a sandbox, which holds nobody's records.
	AnyHTTP bool `yaml:"-"`
}

// ServiceConfig is our registration at the authorization server of the upstream
// (SMART App Launch 2.2, backend-services).
type ServiceConfig struct {
	TokenEndpoint string `yaml:"token_endpoint"`
	ClientID      string `yaml:"client_id"`
	Scope         string `yaml:"scope"`
	KeyFile       string `yaml:"key_file"` // a private JSON Web Key
}

// Defaults of what an operator leaves out.
const (
	DefaultTimeout        = 10 * time.Second
	DefaultMaxAnswer      = 32 << 20
	DefaultMaxConnections = 64
)

// Validate reports everything that is wrong.
func (c Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf("fhir.upstream."+format, args...)) }
	if err := c.checkURL(c.URL); err != nil {
		add("url: %w", err)
	}
	for _, name := range c.AlsoKnownAs {
		if u, err := url.Parse(name); err != nil || u.Host == "" || !plainBase(u) {
			add("also_known_as: %q is not an absolute URL without query", name)
		}
	}
	if (c.ClientCertFile == "") != (c.ClientKeyFile == "") {
		add("client_cert_file and client_key_file go together")
	}
	if s := c.BackendService; s != (ServiceConfig{}) {
		if c.CredentialsFile != "" {
			add("credentials_file and backend_service: give one of them")
		}
		if s.ClientID == "" || s.Scope == "" || s.KeyFile == "" {
			add("backend_service: needs client_id, scope and key_file")
		}
		if err := c.checkURL(s.TokenEndpoint); err != nil {
			add("backend_service.token_endpoint: %w", err)
		}
	}
	if c.Timeout < 0 || c.Timeout > time.Minute {
		add("timeout: %s is outside of 0 to 1m", c.Timeout)
	}
	if c.MaxAnswer < 0 || c.MaxAnswer > 1<<30 {
		add("max_answer: %d is outside of 0 to 1 GiB", c.MaxAnswer)
	}
	if c.MaxConnections < 0 || c.MaxConnections > 10_000 {
		add("max_connections: %d is outside of 0 to 10000", c.MaxConnections)
	}
	return errors.Join(errs...)
}

// checkURL: https, so that nobody in between reads or answers (TLS-04, TLS-07).
func (c Config) checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || !plainBase(u):
		return fmt.Errorf("%q is not an absolute URL without query, user or trailing slash", text)
	case u.Scheme == "https" || u.Scheme == "http" && (c.AnyHTTP || loopback(u.Hostname())):
		return nil
	}
	return fmt.Errorf("%q must be https; http is for loopback only", text)
}

func plainBase(u *url.URL) bool {
	return u.Opaque == "" && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" && u.User == nil && !strings.HasSuffix(u.Path, "/")
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// bases are the URL and the other names of the upstream.
func (c Config) bases() []string { return append([]string{c.URL}, c.AlsoKnownAs...) }

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxAnswer == 0 {
		c.MaxAnswer = DefaultMaxAnswer
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = DefaultMaxConnections
	}
	return c
}
