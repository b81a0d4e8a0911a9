package conform

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/goccy/go-yaml"

	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// With is the file that says what a run needs (--with), YAML or JSON. A secret may
// stand in it, in a file beside it, or in a variable of the environment.
type With struct {
	// URL is the FHIR base of the server.
	URL string `yaml:"url"`
	// Origins are further origins that may be spoken to, such as that of the
	// authorization server.
	Origins []string    `yaml:"origins"`
	Person  WithPerson  `yaml:"person"`
	Clients WithClients `yaml:"clients"`
}

// WithPerson is who signs in.
type WithPerson struct {
	Username     string `yaml:"username"`
	Password     string `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
	PasswordEnv  string `yaml:"password_env"`
	// Patient is chosen when a page offers several; OtherPatient may not be read.
	Patient      string `yaml:"patient"`
	OtherPatient string `yaml:"other_patient"`
	// Fields are further inputs by name, Press further texts of buttons that allow.
	Fields map[string]string `yaml:"fields"`
	Press  []string          `yaml:"press"`
}

// WithClients are the apps that are registered at the server; each may be missing.
type WithClients struct {
	Confidential *WithClient `yaml:"confidential"`
	Public       *WithClient `yaml:"public"`
	Asymmetric   *WithClient `yaml:"asymmetric"`
	Backend      *WithClient `yaml:"backend"`
	// DPoP is a public client that is registered with dpop_bound_access_tokens.
	DPoP *WithClient `yaml:"dpop"`
}

// WithClient is one app.
type WithClient struct {
	ClientID         string   `yaml:"client_id"`
	ClientSecret     string   `yaml:"client_secret"`
	ClientSecretFile string   `yaml:"client_secret_file"`
	ClientSecretEnv  string   `yaml:"client_secret_env"`
	AuthMethod       string   `yaml:"token_endpoint_auth_method"`
	RedirectURIs     []string `yaml:"redirect_uris"`
	Scope            string   `yaml:"scope"`
	// Parameters are added to each authorization request.
	Parameters map[string]string `yaml:"parameters"`
	// PrivateJWKFile holds the private key as a JWK, with kid and alg.
	PrivateJWKFile string `yaml:"private_jwk_file"`

	key json.RawMessage // of sandbox.json
}

// ReadWith reads the file. Errors name the line and the key.
func ReadWith(path string) (With, error) {
	var w With
	raw, err := os.ReadFile(path)
	if err != nil {
		return w, err
	}
	if err := yaml.UnmarshalWithOptions(raw, &w, yaml.Strict()); err != nil {
		return w, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, true))
	}
	return w, nil
}

// Target makes the target of a run. getenv reads the environment.
func (w With) Target(getenv func(string) string) (probe.Target, error) {
	if w.URL == "" {
		return probe.Target{}, errors.New("which server? say --url FHIR-BASE, or url in the file of --with")
	}
	t := probe.Target{Base: w.URL, Origins: w.Origins, OtherPatient: w.Person.OtherPatient}
	password, err := secret("person.password", w.Person.Password, w.Person.PasswordFile, w.Person.PasswordEnv, getenv)
	if err != nil {
		return t, err
	}
	if w.Person.Username != "" {
		t.Person = agent.Script{
			Username: w.Person.Username, Password: password, Patient: w.Person.Patient, Fields: w.Person.Fields, Press: w.Person.Press,
		}
	}
	for _, one := range []struct {
		name string
		from *WithClient
		into **probe.Client
		auth string
	}{
		{"confidential", w.Clients.Confidential, &t.Confidential, probe.AuthBasic},
		{"public", w.Clients.Public, &t.Public, probe.AuthNone},
		{"asymmetric", w.Clients.Asymmetric, &t.Asymmetric, probe.AuthJWT},
		{"backend", w.Clients.Backend, &t.Backend, probe.AuthJWT},
		{"dpop", w.Clients.DPoP, &t.DPoP, probe.AuthNone},
	} {
		if one.from == nil {
			continue
		}
		c, err := one.from.client(one.auth, getenv)
		if err != nil {
			return t, fmt.Errorf("clients.%s: %w", one.name, err)
		}
		*one.into = c
	}
	return t, nil
}

// client checks one client; usual is how its kind authenticates.
func (c WithClient) client(usual string, getenv func(string) string) (*probe.Client, error) {
	made := &probe.Client{ID: c.ClientID, Method: c.AuthMethod, RedirectURIs: c.RedirectURIs, Scope: c.Scope, Parameters: c.Parameters}
	if made.Method == "" {
		made.Method = usual
	}
	var err error
	made.Secret, err = secret("client_secret", c.ClientSecret, c.ClientSecretFile, c.ClientSecretEnv, getenv)
	if err != nil {
		return nil, err
	}
	if made.Key, err = c.privateKey(); err != nil {
		return nil, err
	}
	allowed := made.Method == usual || usual == probe.AuthBasic && made.Method == probe.AuthPost
	switch {
	case made.ID == "":
		return nil, errors.New("client_id is missing")
	case !allowed:
		return nil, fmt.Errorf("token_endpoint_auth_method %q is not that of this kind of client", made.Method)
	case usual == probe.AuthBasic && made.Secret == "":
		return nil, errors.New("client_secret is missing: give client_secret, client_secret_file or client_secret_env")
	case usual == probe.AuthJWT && made.Key == nil:
		return nil, errors.New("private_jwk_file is missing")
	}
	return made, nil
}

func (c WithClient) privateKey() (*jose.JSONWebKey, error) {
	raw := []byte(c.key)
	if c.PrivateJWKFile != "" {
		var err error
		if raw, err = os.ReadFile(c.PrivateJWKFile); err != nil {
			return nil, err
		}
	}
	if len(raw) == 0 {
		return nil, nil
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(raw); err != nil || key.IsPublic() || !key.Valid() {
		return nil, errors.New("private_jwk_file holds no private key as a JWK")
	}
	return &key, nil
}

// secret is a text that is given in one of three ways.
func secret(name, text, file, variable string, getenv func(string) string) (string, error) {
	switch {
	case file != "":
		raw, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%s_file: %w", name, err)
		}
		return strings.TrimRight(string(raw), "\r\n"), nil
	case variable != "":
		value := getenv(variable)
		if value == "" {
			return "", fmt.Errorf("%s_env: the variable %s is not set", name, variable)
		}
		return value, nil
	}
	return text, nil
}
