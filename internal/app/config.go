package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/emberlatch/emberlatch/internal/brand"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/page"
)

// Config is everything an operator can set. Unknown keys are refused, every
// default is safe, and the whole is validated before anything starts.
type Config struct {
	// PublicURL is the origin that browsers and apps see, and the issuer
	// (OpenID Connect Discovery §3). https, or http on loopback.
	PublicURL string `yaml:"public_url"`
	// DataDir holds the database (SQLite), the key-encrypting key unless it is
	// given elsewhere, the lock and the admin socket.
	DataDir string       `yaml:"data_dir"`
	Listen  ListenConfig `yaml:"listen"`
	TLS     TLSConfig    `yaml:"tls"`
	Store   StoreConfig  `yaml:"store"`
	// FHIR says who holds the records.
	FHIR FHIRConfig `yaml:"fhir"`
	// Reach says what leads people at work to patients.
	Reach ReachConfig `yaml:"reach"`
	// Sensitive says what only some may read of the records.
	Sensitive SensitiveConfig `yaml:"sensitive"`
	// Organisation is shown on every page.
	Organisation OrganisationConfig `yaml:"organisation"`
	Tokens       TokenConfig        `yaml:"tokens"`
	Sessions     SessionConfig      `yaml:"sessions"`
	// Login says what people have to show when they sign in.
	Login LoginConfig `yaml:"login"`
	// Authorization says by which ways apps may ask for authorization.
	Authorization AuthorizationConfig `yaml:"authorization"`
	Keys          KeyConfig           `yaml:"keys"`
	// Brands are what apps show people of who runs this server; without a file there
	// are none, but for the one of a sandbox.
	Brands BrandConfig `yaml:"brands"`
	// Outbound says what the server may fetch beside https URLs of public hosts: the
	// key sets of clients.
	Outbound OutboundConfig `yaml:"outbound"`
	// Registration says whether apps may register themselves.
	Registration RegistrationConfig `yaml:"registration"`
	// Introspection says what may be asked about tokens, beside ours, and how it is
	// answered.
	Introspection IntrospectionConfig `yaml:"introspection"`

	// Sandbox marks every page as a test system; only `emberlatch dev` sets it.
	Sandbox bool `yaml:"-"`
	// startPage is what the origin itself shows; nil: nothing.
	startPage func() page.Start
}

// ListenConfig names the listeners.
type ListenConfig struct {
	Public string `yaml:"public"` // host:port
	// Metrics serves /metrics, /health/live and /health/ready; empty: off. Loopback unless you know better.
	Metrics string `yaml:"metrics"`
	// ConnectionsPerNetwork is how many connections one IPv4 address, or one IPv6
	// /64, holds open on the public listener; trusted proxies are not counted.
	ConnectionsPerNetwork int `yaml:"connections_per_network"`
}

// TLSConfig names certificate and key, or says that a proxy terminates TLS.
type TLSConfig struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	// TerminatedByProxy allows plain http behind TrustedProxies.
	TerminatedByProxy bool     `yaml:"terminated_by_proxy"`
	TrustedProxies    []string `yaml:"trusted_proxies"` // CIDR prefixes
}

// StoreConfig says where the data lives.
type StoreConfig struct {
	// URL is postgres://… for several nodes; empty: SQLite in DataDir.
	URL string `yaml:"url"`
	// EncryptionKeyFile holds 32 bytes (hex or base64) that seal the signing keys;
	// empty: DataDir/key-encrypting.key, made at first start.
	EncryptionKeyFile string `yaml:"encryption_key_file"`
}

// OrganisationConfig is who runs this server.
type OrganisationConfig struct {
	Name  string `yaml:"name"`
	Phone string `yaml:"phone"`
}

// TokenConfig sets lifetimes.
type TokenConfig struct {
	Access       time.Duration `yaml:"access"`        // at most 1h (TOK-12)
	Code         time.Duration `yaml:"code"`          // at most 10m (RFC 6749 §4.1.2)
	Launch       time.Duration `yaml:"launch"`        // from the EHR to the authorization request
	RefreshIdle  time.Duration `yaml:"refresh_idle"`  // unused offline token
	RefreshGrace time.Duration `yaml:"refresh_grace"` // a lost answer may be retried
}

// longestAccess is how long an access token lives at most (TOK-12). What has ended is
// remembered for so long whatever is configured: tokens from before a change of the
// configuration, and of processes that have not been told of it, live by the old one.
const longestAccess = time.Hour

// SessionConfig sets the two ends of a browser session.
type SessionConfig struct {
	Idle     time.Duration `yaml:"idle"`
	Absolute time.Duration `yaml:"absolute"`
}

// AuthorizationConfig sets how apps ask for authorization.
type AuthorizationConfig struct {
	// PushedRequests (RFC 9126) are PushedOff, PushedOffered or PushedRequired.
	PushedRequests string `yaml:"pushed_requests"`
	// DPoP (RFC 9449), for the apps that are registered for it, is DPoPOff,
	// DPoPOffered or DPoPNonce.
	DPoP string `yaml:"dpop"`
}

// Pushed requests are not taken, taken, or the only way for every app.
const (
	PushedOff      = "off"
	PushedOffered  = "offered"
	PushedRequired = "required"
)

// Proofs of possession are not taken, taken, or taken with a nonce of this server.
const (
	DPoPOff     = "off"
	DPoPOffered = "offered"
	DPoPNonce   = "nonce"
)

func (c AuthorizationConfig) offersDPoP() bool { return c.DPoP == DPoPOffered || c.DPoP == DPoPNonce }

func (c AuthorizationConfig) offersPushed() bool {
	return c.PushedRequests == PushedOffered || c.requiresPushed()
}

func (c AuthorizationConfig) requiresPushed() bool { return c.PushedRequests == PushedRequired }

// KeyConfig sets the rhythm of the signing keys (OpenID Connect Core §10.1.1).
type KeyConfig struct {
	RotateEvery  time.Duration `yaml:"rotate_every"`
	PublishAhead time.Duration `yaml:"publish_ahead"` // before a key signs; key sets are kept for minutes
}

// BrandConfig names a Bundle of user-access brands (SMART App Launch 2.2), which is
// judged at the start.
type BrandConfig struct {
	File string `yaml:"file"`
	// Identifier of the primary brand; may be left out when there is only one.
	Identifier brand.Identifier `yaml:"identifier"`
}

// OutboundConfig widens what may be fetched; empty is the safe choice.
type OutboundConfig struct {
	Networks []string `yaml:"networks"` // CIDR prefixes of your own, such as 10.1.2.0/24
	Ports    []uint16 `yaml:"ports"`    // beside 443 and 8443
}

// Defaults returns the configuration before any file is read.
func Defaults() Config {
	schedule := keys.DefaultSchedule()
	return Config{
		Listen:       ListenConfig{ConnectionsPerNetwork: 1024},
		FHIR:         FHIRConfig{Export: defaultExport()},
		Reach:        ReachConfig{Visits: defaultVisits, Majority: defaultMajority},
		Organisation: OrganisationConfig{Name: "Emberlatch"},
		Tokens: TokenConfig{
			Access: 1200 * time.Second, Code: 60 * time.Second, Launch: 5 * time.Minute,
			RefreshIdle: 93 * 24 * time.Hour, RefreshGrace: 10 * time.Second,
		},
		Keys:          KeyConfig{RotateEvery: schedule.Every, PublishAhead: schedule.Ahead},
		Sessions:      SessionConfig{Idle: 30 * time.Minute, Absolute: 12 * time.Hour},
		Registration:  RegistrationConfig{Dynamic: RegistrationOff, SelfService: SelfServiceOff, Scope: selfScope, MaxClients: 1000, MaxWaiting: 100},
		Authorization: AuthorizationConfig{PushedRequests: PushedOffered, DPoP: DPoPOffered},
	}
}

// LoadConfig reads a YAML file over the defaults. Errors name the file, the
// line and the key.
func LoadConfig(path string) (Config, error) {
	cfg := Defaults()
	data, err := os.ReadFile(path)
	if err != nil {
		return cfg, fmt.Errorf("reading the configuration: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(data, &cfg, yaml.Strict()); err != nil {
		return cfg, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, true))
	}
	if cfg.DataDir == "" {
		cfg.DataDir = filepath.Dir(path)
	}
	return cfg, located(path, data, cfg.Validate())
}

// Validate reports everything that is wrong, not only the first.
func (c Config) Validate() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		add("public_url: %q is not an absolute URL without query", c.PublicURL)
	case strings.Trim(u.Path, "/") != "" || strings.HasSuffix(c.PublicURL, "/"):
		add("public_url: %q must be an origin without path or trailing slash", c.PublicURL)
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		add("public_url: %q must be https; http is for loopback only", c.PublicURL)
	case u.Scheme != "https" && u.Scheme != "http":
		add("public_url: %q must be https", c.PublicURL)
	}
	host, _, err := net.SplitHostPort(c.Listen.Public)
	if err != nil {
		add("listen.public: %q is not host:port", c.Listen.Public)
	} else if u != nil && u.Scheme == "http" && !loopbackHost(host) {
		add("listen.public: plain http listens on loopback only, not on %q", host)
	}
	if u != nil && u.Scheme == "https" && c.TLS.CertFile == "" && !c.TLS.TerminatedByProxy {
		add("tls: give cert_file and key_file, or say terminated_by_proxy with trusted_proxies")
	}
	if c.TLS.TerminatedByProxy && len(c.TLS.TrustedProxies) == 0 {
		add("tls.trusted_proxies: name the proxies that terminate TLS")
	}
	for _, p := range c.TLS.TrustedProxies {
		if prefix, err := netip.ParsePrefix(p); err != nil || prefix.Bits() == 0 {
			add("tls.trusted_proxies: %q is not a network prefix such as 10.1.2.0/24", p)
		}
	}
	if c.DataDir == "" {
		add("data_dir: missing")
	}
	if c.Brands.File == "" && c.Brands.Identifier != (brand.Identifier{}) {
		add("brands.identifier: needs brands.file")
	}
	if n := c.Listen.ConnectionsPerNetwork; n < 16 || n > 1_000_000 {
		add("listen.connections_per_network: %d is outside of 16 to 1000000", n)
	}
	if p := c.Authorization.PushedRequests; p != PushedOff && !c.Authorization.offersPushed() {
		add("authorization.pushed_requests: %q is not off, offered or required", p)
	}
	if p := c.Authorization.DPoP; p != DPoPOff && !c.Authorization.offersDPoP() {
		add("authorization.dpop: %q is not off, offered or nonce", p)
	}
	for _, p := range c.Outbound.Networks {
		if prefix, err := netip.ParsePrefix(p); err != nil || prefix.Bits() == 0 || prefix.Masked() != prefix {
			add("outbound.networks: %q is not a network prefix such as 10.1.2.0/24", p)
		}
	}
	errs = append(append(errs, c.Registration.validate(c.Sandbox)...), c.Login.validate()...)
	_, wrong := c.trustedIssuers()
	errs = append(errs, wrong...)
	errs = append(append(errs, c.FHIR.validate(c.PublicURL)), c.Reach.validate()...)
	_, wrong = c.sensitive()
	errs = append(errs, wrong...)
	bounds := []struct {
		key      string
		got      time.Duration
		min, max time.Duration
	}{
		{"tokens.access", c.Tokens.Access, time.Minute, longestAccess},
		{"tokens.code", c.Tokens.Code, 5 * time.Second, 10 * time.Minute},
		{"tokens.launch", c.Tokens.Launch, 5 * time.Second, 10 * time.Minute},
		{"tokens.refresh_idle", c.Tokens.RefreshIdle, time.Hour, 5 * 365 * 24 * time.Hour},
		{"tokens.refresh_grace", c.Tokens.RefreshGrace, 0, time.Minute},
		{"sessions.idle", c.Sessions.Idle, time.Minute, 24 * time.Hour},
		{"sessions.absolute", c.Sessions.Absolute, time.Minute, 7 * 24 * time.Hour},
		{"keys.rotate_every", c.Keys.RotateEvery, 24 * time.Hour, 366 * 24 * time.Hour},
		{"keys.publish_ahead", c.Keys.PublishAhead, 10 * time.Minute, c.Keys.RotateEvery / 2},
	}
	for _, b := range bounds {
		if b.got < b.min || b.got > b.max {
			add("%s: %s is outside of %s to %s", b.key, b.got, b.min, b.max)
		}
	}
	return errors.Join(errs...)
}

// FHIRBase is the base URL of the FHIR API.
func (c Config) FHIRBase() string { return c.PublicURL + "/fhir" }

// DatabaseURL is the store's URL, SQLite in DataDir by default. DataDir may be
// relative to the working directory; a database's URL may not.
func (c Config) DatabaseURL() (string, error) {
	if c.Store.URL != "" {
		return c.Store.URL, nil
	}
	path, err := filepath.Abs(filepath.Join(c.DataDir, "emberlatch.db"))
	if err != nil {
		return "", fmt.Errorf("data folder %s: %w", c.DataDir, err)
	}
	return db.SQLiteURL(path), nil
}

// keySchedule: the ends stay as they are, since tokens of an earlier configuration
// may still live.
func (c Config) keySchedule() keys.Schedule {
	s := keys.DefaultSchedule()
	s.Every, s.Ahead = c.Keys.RotateEvery, c.Keys.PublishAhead
	return s
}

// keyFile is where the key-encrypting key lies.
func (c Config) keyFile() string {
	if c.Store.EncryptionKeyFile != "" {
		return c.Store.EncryptionKeyFile
	}
	return filepath.Join(c.DataDir, "key-encrypting.key")
}

// trustsProxy reports whether an address is a proxy that terminates TLS for us.
func (c Config) trustsProxy(peer netip.Addr) bool {
	if !c.TLS.TerminatedByProxy {
		return false
	}
	for _, p := range c.TLS.TrustedProxies {
		if prefix, err := netip.ParsePrefix(p); err == nil && prefix.Contains(peer.Unmap()) {
			return true
		}
	}
	return false
}

// secure reports whether browsers reach the server over https.
func (c Config) secure() bool { return strings.HasPrefix(c.PublicURL, "https://") }

// SocketPath is where `emberlatch client add` and its kin reach a running server.
func (c Config) SocketPath() string { return filepath.Join(c.DataDir, "admin.sock") }

func loopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// egress is what may be fetched (security E-23). Only a sandbox reaches loopback: its
// people run their apps there.
func (c Config) egress() egress.Policy {
	p := egress.Policy{Ports: c.Outbound.Ports, Loopback: c.Sandbox}
	for _, text := range c.Outbound.Networks {
		if prefix, err := netip.ParsePrefix(text); err == nil {
			p.Networks = append(p.Networks, prefix)
		}
	}
	if u, err := url.Parse(c.PublicURL); err == nil {
		p.Own = u.Host
	}
	return p
}
