package app

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/review"
	"github.com/emberlatch/emberlatch/smart"
)

// RegistrationConfig is how apps are registered that no operator registers: by dynamic
// client registration (RFC 7591), and by the page for developers.
type RegistrationConfig struct {
	// Dynamic: off, or token (with an initial access token). open, without one, is
	// for `emberlatch dev` only.
	Dynamic DynamicRegistration `yaml:"dynamic"`
	// Scope is everything that an app which registers itself may ask for.
	Scope string `yaml:"scope"`
	// SelfService: off, reviewed (an app that came by the page for developers asks
	// people when an operator has let it in), or at_once.
	SelfService SelfService `yaml:"self_service"`
	// MaxClients is how many self-registered apps there may be, and MaxWaiting how many
	// of them may wait for an operator.
	MaxClients int `yaml:"max_clients"`
	MaxWaiting int `yaml:"max_waiting"`
	// BusinessDays are the days by which reviews are due.
	BusinessDays BusinessDaysConfig `yaml:"business_days"`
	// TermsURI is where the terms of use and the fees for developers stand; the page
	// for developers links to it.
	TermsURI string `yaml:"terms_uri"`
	// SoftwareStatements are the issuers whose statements count; without one they
	// are ignored.
	SoftwareStatements []StatementIssuerConfig `yaml:"software_statements"`
}

// StatementIssuerConfig is a party that says what software is (RFC 7591 §2.3).
type StatementIssuerConfig struct {
	Issuer   string `yaml:"issuer"`
	KeysFile string `yaml:"keys_file"` // a JSON Web Key Set
}

// policy is what apps that register themselves may say.
func (c Config) policy() (register.Policy, error) {
	p := register.Policy{
		Scope: c.Registration.Scope, Names: []string{c.Organisation.Name}, Reviewed: c.Registration.SelfService != SelfServiceAtOnce,
	}
	for i, s := range c.Registration.SoftwareStatements {
		raw, err := os.ReadFile(s.KeysFile)
		if err != nil {
			return p, fmt.Errorf("registration.software_statements[%d].keys_file: %w", i, err)
		}
		issuer, err := register.NewStatementIssuer(s.Issuer, raw)
		if err != nil {
			return p, fmt.Errorf("registration.software_statements[%d]: %s: %w", i, s.KeysFile, err)
		}
		p.Statements = append(p.Statements, issuer)
	}
	return p, nil
}

// BusinessDaysConfig says which days count: Monday to Friday without the holidays.
type BusinessDaysConfig struct {
	TimeZone string   `yaml:"time_zone"` // such as America/New_York; empty: UTC
	Holidays []string `yaml:"holidays"`  // such as 2026-12-25
}

func (c Config) calendar() (review.Calendar, error) {
	days := c.Registration.BusinessDays
	calendar, err := review.NewCalendar(days.TimeZone, days.Holidays)
	if err != nil {
		return calendar, fmt.Errorf("registration.business_days.%w", err)
	}
	return calendar, nil
}

// SelfService says what an app may do that came by the page for developers.
type SelfService string

// There is no such page; the app waits for an operator; it asks people at once.
const (
	SelfServiceOff      SelfService = "off"
	SelfServiceReviewed SelfService = "reviewed"
	SelfServiceAtOnce   SelfService = "at_once"
)

// DynamicRegistration says who may register an app at the public endpoint.
type DynamicRegistration string

// Nobody, whoever has an initial access token, anybody.
const (
	RegistrationOff   DynamicRegistration = "off"
	RegistrationToken DynamicRegistration = "token"
	RegistrationOpen  DynamicRegistration = "open"
)

// selfScope is what a party that nobody knows may ask for: one patient's record, to
// read, and who signed in; never user/ or system/.
const selfScope = "launch launch/patient launch/encounter patient/*.rs openid fhirUser profile offline_access online_access"

// validate reports what is wrong with the section.
func (r RegistrationConfig) validate(sandbox bool) []error {
	var errs []error
	switch r.Dynamic {
	case RegistrationOff, RegistrationToken:
	case RegistrationOpen:
		if !sandbox {
			errs = append(errs, errors.New("registration.dynamic: open is for `emberlatch dev` only; use token"))
		}
	default:
		errs = append(errs, fmt.Errorf("registration.dynamic: %q is neither off nor token", r.Dynamic))
	}
	set, err := smart.ParseScopes(r.Scope)
	switch {
	case err != nil:
		errs = append(errs, errors.New("registration.scope: scopes separated by single spaces"))
	case len(set.Unknown()) > 0:
		errs = append(errs, fmt.Errorf("registration.scope: not understood: %s", strings.Join(set.Unknown(), " ")))
	case set.HasLevel(smart.LevelSystem):
		errs = append(errs, errors.New("registration.scope: system scopes act for nobody, and nobody registers for them by itself"))
	}
	if s := r.SelfService; s != SelfServiceOff && s != SelfServiceReviewed && s != SelfServiceAtOnce {
		errs = append(errs, fmt.Errorf("registration.self_service: %q is not off, reviewed or at_once", s))
	}
	if r.MaxWaiting < 1 || r.MaxWaiting > 100_000 {
		errs = append(errs, fmt.Errorf("registration.max_waiting: %d is outside of 1 to 100000", r.MaxWaiting))
	}
	if _, err := (Config{Registration: r}).calendar(); err != nil {
		errs = append(errs, err)
	}
	if u, err := url.Parse(r.TermsURI); r.TermsURI != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		errs = append(errs, fmt.Errorf("registration.terms_uri: %q is no https URL", r.TermsURI))
	}
	if r.MaxClients < 1 || r.MaxClients > 100_000 {
		errs = append(errs, fmt.Errorf("registration.max_clients: %d is outside of 1 to 100000", r.MaxClients))
	}
	return errs
}
