package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/trust"
)

// IntrospectionConfig sets what the introspection endpoint answers beside RFC 7662.
type IntrospectionConfig struct {
	// SignedAnswers: who asks for application/token-introspection+jwt gets it (RFC 9701).
	SignedAnswers bool `yaml:"signed_answers"`
	// TrustedIssuers are other servers whose tokens are answered for.
	TrustedIssuers []TrustedIssuerConfig `yaml:"trusted_issuers"`
}

// TrustedIssuerConfig is another server, checked by jwks_uri or by asking its
// introspection_endpoint.
type TrustedIssuerConfig struct {
	Issuer     string   `yaml:"issuer"`   // iss of its tokens, byte for byte
	Audience   string   `yaml:"audience"` // that its tokens must have
	JWKSURI    string   `yaml:"jwks_uri"`
	Algorithms []string `yaml:"algorithms"` // with jwks_uri; RS256 and ES256 unless set
	Endpoint   string   `yaml:"introspection_endpoint"`
	ClientID   string   `yaml:"client_id"` // who we are there
	// ClientSecretFile holds the secret of client_id, readable by the server only.
	ClientSecretFile string `yaml:"client_secret_file"`
	// OpaqueTokens: tokens that do not say whose they are, are shown to this one.
	OpaqueTokens bool `yaml:"opaque_tokens"`
}

// trustedIssuers are the listed servers with their secrets, or all that is wrong with
// the list.
func (c Config) trustedIssuers() ([]trust.Issuer, []error) {
	var list []trust.Issuer
	var errs []error
	wrong := func(entry int, member, text string) {
		errs = append(errs, fmt.Errorf("introspection.trusted_issuers[%d].%s: %s", entry, member, text))
	}
	unread := map[int]bool{}
	for n, t := range c.Introspection.TrustedIssuers {
		i := trust.Issuer{
			Name: t.Issuer, Audience: t.Audience, JWKSURI: t.JWKSURI, Algorithms: t.Algorithms,
			Endpoint: t.Endpoint, ClientID: t.ClientID, Opaque: t.OpaqueTokens,
		}
		if t.ClientSecretFile != "" {
			var err error
			if i.ClientSecret, err = readSecret(t.ClientSecretFile); err != nil {
				wrong(n, "client_secret_file", err.Error())
				unread[n] = true
			}
		}
		list = append(list, i)
	}
	for _, m := range trust.Check(list, c.PublicURL, c.egress()) {
		if m.Member != "client_secret_file" || !unread[m.Entry] { // told above
			wrong(m.Entry, m.Member, m.Text)
		}
	}
	return list, errs
}

// maxSecret bounds a secret in a file, in bytes.
const maxSecret = 4 << 10

// readSecret reads a secret; a file that others may read is refused (attack LO-09).
func readSecret(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s does not exist", path)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() || info.Size() > maxSecret:
		return "", fmt.Errorf("%s is not a file of at most 4 kB", path)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s may be read by others; set its mode to 0600", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", fmt.Errorf("%s does not hold one line with the secret", path)
	}
	return secret, nil
}

// perTrusted is how many connections a listed server is given at once.
const perTrusted = 16

// trusted makes the list of other servers.
func (c Config) trusted(log *slog.Logger) (*trust.List, error) {
	list, errs := c.trustedIssuers()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return trust.New(trust.Deps{
		Issuers: list, Own: c.PublicURL, Policy: c.egress(), Now: time.Now, Log: log,
		Client: egress.New(egress.Deps{Policy: c.egress(), PerHost: perTrusted}),
	})
}

// introspectionAlgorithms are what discovery advertises: nothing while answers are not
// signed.
func (a *App) introspectionAlgorithms() []string {
	if !a.cfg.Introspection.SignedAnswers {
		return nil
	}
	return a.ring.Algorithms(keys.UseID)
}

// TrustedIssuer is one listed server, as the command line shows it.
type TrustedIssuer struct {
	Issuer     string   `json:"issuer"`
	Audience   string   `json:"audience"`
	Source     string   `json:"source"` // where its keys lie, or where it is asked
	Algorithms []string `json:"algorithms,omitempty"`
	Opaque     bool     `json:"opaque_tokens,omitempty"`
	// UsableKeys and Problem are how it is now, when it was asked.
	UsableKeys int    `json:"usable_keys,omitempty"`
	Problem    string `json:"problem,omitempty"`
}

// TrustedIssuers lists the servers of a configuration; ask: with how they are now.
func TrustedIssuers(ctx context.Context, c Config, ask bool) ([]TrustedIssuer, error) {
	list, err := c.trusted(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	all := []TrustedIssuer{}
	for _, e := range list.Explain(ctx, ask) {
		all = append(all, TrustedIssuer{e.Name, e.Audience, e.Source, e.Algorithms, e.Opaque, e.Keys.Usable(), e.Problem})
	}
	return all, nil
}
