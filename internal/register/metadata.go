package register

import (
	stdjson "encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// metadata is what a client says about itself (RFC 7591 §2). Unknown members are
// mistakes: a misspelt one would otherwise be silence.
type metadata struct {
	ClientName      string   `json:"client_name,omitempty"`
	ClientURI       string   `json:"client_uri,omitempty"`
	LogoURI         string   `json:"logo_uri,omitempty"`
	PolicyURI       string   `json:"policy_uri,omitempty"`
	TermsURI        string   `json:"tos_uri,omitempty"`
	Contacts        []string `json:"contacts,omitempty"`
	RedirectURIs    []string `json:"redirect_uris,omitempty"`
	PostLogoutURIs  []string `json:"post_logout_redirect_uris,omitempty"`
	LogoutURI       string   `json:"backchannel_logout_uri,omitempty"`
	LogoutSession   bool     `json:"backchannel_logout_session_required,omitempty"`
	AuthMethod      string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes      []string `json:"grant_types,omitempty"`
	ResponseTypes   []string `json:"response_types,omitempty"`
	Scope           string   `json:"scope,omitempty"`
	ApplicationType string   `json:"application_type,omitempty"`
	IDTokenAlg      string   `json:"id_token_signed_response_alg,omitempty"`
	// IntrospectionAlg is that of signed introspection answers (RFC 9701 §6).
	IntrospectionAlg string `json:"introspection_signed_response_alg,omitempty"`
	LaunchURI        string `json:"initiate_login_uri,omitempty"`
	SoftwareID       string `json:"software_id,omitempty"`
	SoftwareVersion  string `json:"software_version,omitempty"`
	RequirePushed    bool   `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBound        bool   `json:"dpop_bound_access_tokens,omitempty"`
	keyMetadata
	Maker         string   `json:"emberlatch_maker,omitempty"`
	Origins       []string `json:"emberlatch_origins,omitempty"`
	PKCEOptional  bool     `json:"emberlatch_pkce_optional,omitempty"`
	KeepRefresh   bool     `json:"emberlatch_keep_refresh_token,omitempty"`
	RefreshLife   int64    `json:"emberlatch_refresh_life_seconds,omitempty"`
	MayIntrospect bool     `json:"emberlatch_may_introspect,omitempty"`
	MayLaunch     bool     `json:"emberlatch_may_launch,omitempty"`
	ContextRefs   bool     `json:"emberlatch_fhir_context_references,omitempty"`
	Checked       bool     `json:"emberlatch_checked,omitempty"`
	Preapproved   bool     `json:"emberlatch_preapproved,omitempty"`
	Data          *data    `json:"emberlatch_data,omitempty"`
	Trusted       *bool    `json:"emberlatch_trusted,omitempty"` // nil is false, but in an operator's new registration
}

// defaultScope is what a client may ask for that does not say (RFC 7591 §2: the
// server may choose): reading for one patient, and who that is.
const defaultScope = "launch/patient patient/*.rs openid fhirUser offline_access"

func wrong(member, text string) *oauth.Error {
	return oauth.New(oauth.InvalidClientMetadata, "%s: %s", member, text).About(member).Slugged(oauth.SlugRegistrationMetadata)
}

// complete fills in what was left out (RFC 7591 §2 defaults), and gives names one
// spelling.
func (m *metadata) complete(sandbox bool) {
	m.ClientName, m.Maker, m.JWKS = oneSpelling(m.ClientName), oneSpelling(m.Maker), oneForm(m.JWKS)
	if m.ClientName == "" {
		m.ClientName = nameless
	}
	if m.AuthMethod == "" {
		m.AuthMethod = string(store.AuthSecretBasic)
	}
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}
	}
	if len(m.ResponseTypes) == 0 && !m.backend() {
		m.ResponseTypes = []string{"code"}
	}
	if m.Scope == "" && !m.backend() {
		m.Scope = defaultScope
	}
	if m.IDTokenAlg == "" {
		m.IDTokenAlg = "RS256"
	}
	if m.ApplicationType == "" {
		m.ApplicationType = m.guessType(sandbox)
	}
}

// guessType: what only a native app can receive makes it one (RFC 8252 §7).
func (m *metadata) guessType(sandbox bool) string {
	for _, uri := range m.RedirectURIs {
		if !strings.HasPrefix(uri, "https://") {
			if u, err := url.Parse(uri); sandbox && err == nil && u.Scheme == "http" && u.Port() != "" && m.AuthMethod != string(store.AuthNone) {
				continue // a server on this machine
			}
			return string(store.ApplicationNative)
		}
	}
	return string(store.ApplicationWeb)
}

// rules are checked in this order; the first mistake is told.
var rules = []func(m *metadata) *oauth.Error{
	checkNames, checkContacts, checkMethod, checkGrantTypes, checkResponseTypes, checkType, checkRedirects, checkPostLogout, checkLogout, checkLaunch, checkLinks,
	checkOrigins, checkScope, checkAlg, checkSwitches, checkKeys, checkData,
}

func checkMethod(m *metadata) *oauth.Error {
	switch store.AuthMethod(m.AuthMethod) {
	case store.AuthNone, store.AuthSecretBasic, store.AuthSecretPost, store.AuthPrivateKeyJWT:
		return nil
	}
	return wrong("token_endpoint_auth_method", "none, client_secret_basic, client_secret_post or private_key_jwt")
}

func checkGrantTypes(m *metadata) *oauth.Error {
	if m.backend() {
		return checkBackendGrant(m)
	}
	for _, g := range m.GrantTypes {
		if g != oauth.GrantAuthorizationCode && g != oauth.GrantRefreshToken {
			return wrong("grant_types", "authorization_code and refresh_token are offered, and client_credentials by itself")
		}
	}
	if !slices.Contains(m.GrantTypes, oauth.GrantAuthorizationCode) {
		return wrong("grant_types", "authorization_code is the only grant that begins")
	}
	return nil
}

func checkResponseTypes(m *metadata) *oauth.Error {
	if m.backend() {
		if len(m.ResponseTypes) > 0 {
			return wrong("response_types", "none for a backend service, which nobody signs in to")
		}
		return nil
	}
	if len(m.ResponseTypes) != 1 || m.ResponseTypes[0] != "code" {
		return wrong("response_types", "code is the only one offered")
	}
	return nil
}

func checkType(m *metadata) *oauth.Error {
	switch store.ApplicationType(m.ApplicationType) {
	case store.ApplicationWeb, store.ApplicationNative:
		return nil
	case store.ApplicationBrowser: // RFC 6749 §2.1: it cannot keep a secret
		if m.AuthMethod != string(store.AuthNone) {
			return wrong("token_endpoint_auth_method", "an app that runs in a browser keeps no secret: none")
		}
		return nil
	}
	return wrong("application_type", "web, browser or native")
}

const maxRedirects = 20

func checkRedirects(m *metadata) *oauth.Error {
	if m.backend() {
		if len(m.RedirectURIs) > 0 {
			return oauth.New(oauth.InvalidRedirectURI, "redirect_uris: none for a backend service, which nobody signs in to").About("redirect_uris").Slugged(oauth.SlugRegistrationRedirectURI)
		}
		return nil
	}
	if len(m.RedirectURIs) == 0 || len(m.RedirectURIs) > maxRedirects {
		return oauth.New(oauth.InvalidRedirectURI, "redirect_uris: name 1 to 20").About("redirect_uris").Slugged(oauth.SlugRegistrationRedirectURI)
	}
	native := m.ApplicationType == string(store.ApplicationNative)
	for i, uri := range m.RedirectURIs {
		if err := checkRedirect(uri, native); err != nil {
			return oauth.New(oauth.InvalidRedirectURI, "redirect_uris[%d]: %s", i, err.Error()).About("redirect_uris").Slugged(oauth.SlugRegistrationRedirectURI)
		}
	}
	return nil
}

// checkScope: every scope is understood; one that is not would grant nothing and
// be found out late.
func checkScope(m *metadata) *oauth.Error {
	if m.backend() && m.Scope == "" {
		return checkBackendScope(smart.ScopeSet{})
	}
	set, err := smart.ParseScopes(m.Scope)
	if err != nil {
		return wrong("scope", "scopes separated by single spaces")
	}
	if unknown := set.Unknown(); len(unknown) > 0 {
		return wrong("scope", "not understood: "+strings.Join(unknown, " "))
	}
	if m.backend() {
		return checkBackendScope(set)
	}
	if set.HasLevel(smart.LevelSystem) {
		return wrong("scope", "system scopes are not offered to clients that act for people")
	}
	return nil
}

func checkAlg(m *metadata) *oauth.Error {
	if m.IDTokenAlg != "RS256" && m.IDTokenAlg != "ES256" {
		return wrong("id_token_signed_response_alg", "RS256 or ES256")
	}
	if m.IntrospectionAlg != "" && m.IntrospectionAlg != "RS256" && m.IntrospectionAlg != "ES256" {
		return wrong("introspection_signed_response_alg", "RS256 or ES256")
	}
	return nil
}

// checkSwitches: a public client gets no leniency (PKCE-08, RT-20).
func checkSwitches(m *metadata) *oauth.Error {
	public := m.AuthMethod == string(store.AuthNone)
	switch {
	case public && m.PKCEOptional:
		return wrong("emberlatch_pkce_optional", "never for a public client")
	case public && m.KeepRefresh:
		return wrong("emberlatch_keep_refresh_token", "never for a public client")
	case public && m.MayIntrospect:
		return wrong("emberlatch_may_introspect", "never for a public client")
	case public && m.MayLaunch:
		return wrong("emberlatch_may_launch", "never for a public client")
	case public && m.Preapproved: // CONS-15
		return wrong("emberlatch_preapproved", "never for a public client")
	case m.RefreshLife < 0 || m.RefreshLife > 0 && m.RefreshLife < 60 || m.RefreshLife > 5*365*24*3600:
		return wrong("emberlatch_refresh_life_seconds", "60 to 157680000")
	}
	return nil
}

// trusted reports whether the operator lets errors go to the app by themselves.
func (m *metadata) trusted() bool { return m.Trusted != nil && *m.Trusted }

// client is the stored form, without id and secret.
func (m *metadata) client(now time.Time) store.Client {
	return store.Client{
		Name: m.ClientName, Maker: m.Maker, ClientURI: m.ClientURI, LogoURI: m.LogoURI, PolicyURI: m.PolicyURI, TermsURI: m.TermsURI,
		SoftwareID: m.SoftwareID, SoftwareVersion: m.SoftwareVersion, Checked: m.Checked, Preapproved: m.Preapproved, Trusted: m.trusted(),
		Contacts: some(m.Contacts), ApplicationType: store.ApplicationType(m.ApplicationType), AuthMethod: store.AuthMethod(m.AuthMethod),
		RedirectURIs: m.RedirectURIs, PostLogoutRedirectURIs: some(m.PostLogoutURIs),
		BackchannelLogoutURI: m.LogoutURI, BackchannelLogoutSession: m.LogoutSession, Origins: some(m.Origins), Scope: m.Scope, GrantTypes: m.GrantTypes,
		IDTokenAlg: m.IDTokenAlg, IntrospectionAlg: m.IntrospectionAlg,
		RequirePushed: m.RequirePushed, DPoPBound: m.DPoPBound, PKCEOptional: m.PKCEOptional, KeepRefreshToken: m.KeepRefresh, MayIntrospect: m.MayIntrospect,
		LaunchURI: m.LaunchURI, MayLaunch: m.MayLaunch, FHIRContextReferences: m.ContextRefs,
		RefreshLife: time.Duration(m.RefreshLife) * time.Second, CreatedAt: now,
		JWKS: stdjson.RawMessage(m.JWKS), JWKSURI: m.JWKSURI, AssertionAlg: m.AssertionAlg, Data: m.Data.stored(),
	}
}

// some is a list; an empty one is none, so that a client has one form.
func some(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}

// metadataOf is what a client has registered, the other way round.
func metadataOf(c store.Client) metadata {
	var trusted *bool
	if c.Trusted {
		trusted = &c.Trusted
	}
	return metadata{
		ClientName: c.Name, Maker: c.Maker, ClientURI: c.ClientURI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TermsURI: c.TermsURI,
		LaunchURI: c.LaunchURI, MayLaunch: c.MayLaunch, ContextRefs: c.FHIRContextReferences,
		SoftwareID: c.SoftwareID, SoftwareVersion: c.SoftwareVersion, Checked: c.Checked, Preapproved: c.Preapproved, Trusted: trusted,
		Contacts: c.Contacts, ApplicationType: string(c.ApplicationType), AuthMethod: string(c.AuthMethod),
		RedirectURIs: c.RedirectURIs, PostLogoutURIs: c.PostLogoutRedirectURIs,
		LogoutURI: c.BackchannelLogoutURI, LogoutSession: c.BackchannelLogoutSession, Origins: c.Origins, Scope: c.Scope, GrantTypes: c.GrantTypes, ResponseTypes: responseTypes(c),
		IDTokenAlg: c.IDTokenAlg, IntrospectionAlg: c.IntrospectionAlg, RequirePushed: c.RequirePushed, DPoPBound: c.DPoPBound, PKCEOptional: c.PKCEOptional, KeepRefresh: c.KeepRefreshToken, MayIntrospect: c.MayIntrospect,
		RefreshLife: int64(c.RefreshLife / time.Second), Data: dataOf(c.Data),
		keyMetadata: keyMetadata{JWKS: jsontext.Value(c.JWKS), JWKSURI: c.JWKSURI, AssertionAlg: c.AssertionAlg},
	}
}

// responseTypes follow from the grant types (RFC 7591 §2.1).
func responseTypes(c store.Client) []string {
	if c.HasGrantType(oauth.GrantAuthorizationCode) {
		return []string{"code"}
	}
	return nil
}
