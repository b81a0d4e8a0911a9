package discovery

import (
	"slices"

	"github.com/emberlatch/emberlatch/internal/brand"
)

// Features says what is switched on and where it stands.
type Features struct {
	Issuer   string // origin, no trailing slash
	FHIRBase string
	// Paths below the issuer.
	Authorize, Token, Introspect, Revoke, UserInfo, JWKS, Logout string
	// Manage is where people see and stop what they share.
	Manage string
	// Register is where apps register themselves; empty: nowhere (DISC-21).
	Register string
	// Pushed is the path of pushed authorization requests; empty: they are not offered.
	Pushed string
	// RequirePushed: every client pushes its requests.
	RequirePushed bool
	// Capabilities are the SMART capabilities (SMART App Launch 2.2, conformance).
	Capabilities []string
	// Scopes that can be granted, and are worth naming.
	Scopes []string
	// GrantTypes and AuthMethods as RFC 7591 §2 spells them.
	GrantTypes, AuthMethods []string
	// AssertionAlgorithms that client assertions may be signed with; none when
	// private_key_jwt is not among AuthMethods.
	AssertionAlgorithms []string
	// ProofAlgorithms that DPoP proofs may be signed with; none: DPoP is not offered.
	ProofAlgorithms []string
	// IDTokenAlgorithms that ID tokens may be signed with.
	IDTokenAlgorithms []string
	// IntrospectionAlgorithms that introspection answers may be signed with; empty: they
	// are not signed.
	IntrospectionAlgorithms []string
	// Brands, served at BrandsPath; the zero value: none are published.
	Brands     brand.Bundle
	BrandsPath string
}

// common are the members that all documents share (RFC 8414 §2).
type common struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	JWKSURI               string `json:"jwks_uri"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
	UserInfoEndpoint      string `json:"userinfo_endpoint"`
	RegistrationEndpoint  string `json:"registration_endpoint,omitempty"`
	// PushedRequestEndpoint and whether every client has to use it (RFC 9126 §5).
	PushedRequestEndpoint    string   `json:"pushed_authorization_request_endpoint,omitempty"`
	RequirePushed            bool     `json:"require_pushed_authorization_requests"`
	ScopesSupported          []string `json:"scopes_supported"`
	ResponseTypes            []string `json:"response_types_supported"`
	ResponseModes            []string `json:"response_modes_supported"`
	GrantTypes               []string `json:"grant_types_supported"`
	CodeChallengeMethods     []string `json:"code_challenge_methods_supported"`
	TokenAuthMethods         []string `json:"token_endpoint_auth_methods_supported"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	// What assertions are signed with, at each endpoint that takes them (RFC 8414 §2).
	TokenAuthAlgorithms         []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	IntrospectionAuthAlgorithms []string `json:"introspection_endpoint_auth_signing_alg_values_supported,omitempty"`
	RevocationAuthAlgorithms    []string `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
	// What introspection answers are signed with (RFC 9701 §7).
	IntrospectionAlgorithms []string `json:"introspection_signing_alg_values_supported,omitempty"`
	// ProofAlgorithms of DPoP (RFC 9449 §5.1); there when it is offered.
	ProofAlgorithms []string `json:"dpop_signing_alg_values_supported,omitempty"`
	// ResponseIssuer: every authorization response carries iss (RFC 9207 §3).
	ResponseIssuer bool `json:"authorization_response_iss_parameter_supported"`
}

// smartConfiguration is .well-known/smart-configuration. The issuer is that of ID
// tokens: it stands there with sso-openid-connect, and without it does not
// (SMART App Launch 2.2, conformance; DISC-11).
type smartConfiguration struct {
	common
	Issuer       string   `json:"issuer,omitempty"` // in place of the common one
	Capabilities []string `json:"capabilities"`
	// Management is where people see and stop what they share (DISC-20).
	Management string `json:"management_endpoint"`
	// Who runs this server, for people (SMART App Launch 2.2, user-access brands).
	BrandBundle     string            `json:"user_access_brand_bundle,omitempty"`
	BrandIdentifier *brand.Identifier `json:"user_access_brand_identifier,omitempty"`
}

// providerConfiguration is openid-configuration, and oauth-authorization-server
// with the same members (OpenID Connect Discovery §3).
type providerConfiguration struct {
	common
	SubjectTypes      []string `json:"subject_types_supported"`
	IDTokenAlgorithms []string `json:"id_token_signing_alg_values_supported"`
	Claims            []string `json:"claims_supported"`
	Prompts           []string `json:"prompt_values_supported"`
	UILocales         []string `json:"ui_locales_supported"`
	// EndSession is where apps sign people out (RP-Initiated Logout §2.1).
	EndSession string `json:"end_session_endpoint"`
	// Apps are told of logouts, with the session (Back-Channel Logout 1.0 §2.1).
	LogoutNotices    bool `json:"backchannel_logout_supported"`
	LogoutSessions   bool `json:"backchannel_logout_session_supported"`
	ClaimsParameter  bool `json:"claims_parameter_supported"`
	RequestParameter bool `json:"request_parameter_supported"`
	RequestURI       bool `json:"request_uri_parameter_supported"`
}

func (f Features) common() common {
	secrets := make([]string, 0, len(f.AuthMethods))
	for _, m := range f.AuthMethods {
		if m != "none" { // a public client has nothing to prove itself with
			secrets = append(secrets, m)
		}
	}
	registration, pushed := "", ""
	if f.Register != "" {
		registration = f.Issuer + f.Register
	}
	if f.Pushed != "" {
		pushed = f.Issuer + f.Pushed
	}
	return common{
		RegistrationEndpoint: registration, PushedRequestEndpoint: pushed, RequirePushed: f.RequirePushed,
		Issuer: f.Issuer, AuthorizationEndpoint: f.Issuer + f.Authorize, TokenEndpoint: f.Issuer + f.Token,
		JWKSURI: f.Issuer + f.JWKS, IntrospectionEndpoint: f.Issuer + f.Introspect, RevocationEndpoint: f.Issuer + f.Revoke,
		UserInfoEndpoint: f.Issuer + f.UserInfo, ScopesSupported: f.Scopes,
		ResponseTypes: []string{"code"}, ResponseModes: []string{"query", "form_post"},
		GrantTypes: f.GrantTypes, CodeChallengeMethods: []string{"S256"}, // DISC-10: never plain
		TokenAuthMethods: f.AuthMethods, IntrospectionAuthMethods: secrets, RevocationAuthMethods: f.AuthMethods,
		TokenAuthAlgorithms: f.AssertionAlgorithms, IntrospectionAuthAlgorithms: f.AssertionAlgorithms, RevocationAuthAlgorithms: f.AssertionAlgorithms,
		IntrospectionAlgorithms: f.IntrospectionAlgorithms, ProofAlgorithms: f.ProofAlgorithms, ResponseIssuer: true,
	}
}

func (f Features) smart() smartConfiguration {
	c := smartConfiguration{common: f.common(), Capabilities: f.Capabilities, Management: f.Issuer + f.Manage}
	if slices.Contains(f.Capabilities, "sso-openid-connect") {
		c.Issuer = f.Issuer
	}
	if !f.Brands.IsZero() {
		primary := f.Brands.Primary()
		c.BrandBundle, c.BrandIdentifier = f.Issuer+f.BrandsPath, &primary
	}
	return c
}

func (f Features) provider() providerConfiguration {
	return providerConfiguration{
		common: f.common(), EndSession: f.Issuer + f.Logout, LogoutNotices: true, LogoutSessions: true, SubjectTypes: []string{"public"}, IDTokenAlgorithms: f.IDTokenAlgorithms,
		Claims:    []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "acr", "azp", "at_hash", "sid", "fhirUser", "profile"},
		Prompts:   []string{"none", "login", "consent", "select_account"},
		UILocales: []string{"en", "es"},
	}
}
