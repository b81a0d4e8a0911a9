package authorize

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// check makes the stored request of the parameters, one sentence of the
// specifications at a time. Errors travel back to the app.
func (d *Door) check(p oauth.Parameters, t redirectable) (store.AuthorizationRequest, *oauth.Error) {
	q := d.started(store.AuthorizationRequest{
		ClientID: t.client.ID, RedirectURI: t.uri, State: t.state, HasState: t.hasState,
		Audience: d.deps.FHIRBase, Nonce: p.Get("nonce"), LoginHint: p.Get("login_hint"), UILocales: p.Get("ui_locales"), MaxAge: -1,
	})
	for _, rule := range []func(oauth.Parameters, redirectable, *store.AuthorizationRequest) *oauth.Error{
		checkUnsupported, checkResponseMode, checkResponseType, checkState, checkLengths, d.checkAudience, checkChallenge, checkKey, checkPrompt, checkMaxAge, d.checkHint, d.checkScopes,
		checkLaunch,
	} {
		if err := rule(p, t, &q); err != nil {
			return q, err
		}
	}
	return q, nil
}

// started is a request that begins now.
func (d *Door) started(q store.AuthorizationRequest) store.AuthorizationRequest {
	now := d.deps.Now().UTC()
	q.Version, q.CreatedAt, q.ExpiresAt = 1, now, now.Add(requestLife)
	return q
}

func invalid(slug oauth.Slug, parameter, text string) *oauth.Error {
	return oauth.New(oauth.InvalidRequest, "%s", text).About(parameter).Slugged(slug)
}

// OpenID Connect Core §3.1.2.6: what is not offered is named.
func checkUnsupported(p oauth.Parameters, _ redirectable, _ *store.AuthorizationRequest) *oauth.Error {
	switch {
	case p.Has("request"):
		return oauth.New(oauth.RequestNotSupported, "Request objects are not offered").About("request").Slugged(oauth.SlugRequestObject)
	case p.Has("request_uri"):
		return oauth.New(oauth.RequestURINotSupported, "request_uri is offered for pushed requests only, if at all").About("request_uri").Slugged(oauth.SlugRequestURI)
	case p.Has("registration"):
		return oauth.New(oauth.RegistrationNotSupported, "registration is not offered").About("registration").Slugged(oauth.SlugRequestRegistration)
	}
	return nil
}

// OAuth 2.0 Form Post Response Mode §1. fragment is not offered: it is for tokens in
// addresses, and none are issued there (Multiple Response Type Encoding Practices §2.1).
func checkResponseMode(p oauth.Parameters, t redirectable, q *store.AuthorizationRequest) *oauth.Error {
	switch mode := p.Get("response_mode"); {
	case mode == "" || mode == "query":
	case mode != formPost:
		return invalid(oauth.SlugRequestResponseMode, "response_mode", "response_mode is query, form_post, or left out")
	case !takesPost(t.uri):
		return invalid(oauth.SlugRequestResponseMode, "response_mode", "response_mode form_post needs a redirect_uri of https or http, which a browser can post to")
	default:
		q.ResponseMode = mode
	}
	return nil
}

// RFC 6749 §3.1.1; RFC 9700 §2.1.2: code is the only response type.
func checkResponseType(p oauth.Parameters, t redirectable, _ *store.AuthorizationRequest) *oauth.Error {
	switch kind := p.Get("response_type"); {
	case kind == "":
		return invalid(oauth.SlugRequestResponseType, "response_type", "response_type is missing")
	case kind != "code":
		return oauth.New(oauth.UnsupportedResponseType, "response_type is code").About("response_type").Slugged(oauth.SlugRequestResponseTypeUnsupported)
	}
	return checkGrantType(t)
}

func checkGrantType(t redirectable) *oauth.Error {
	if !t.client.HasGrantType(oauth.GrantAuthorizationCode) {
		return oauth.New(oauth.UnauthorizedClient, "This client is not registered for the authorization code grant").Slugged(oauth.SlugClientGrantType)
	}
	return nil
}

// SMART App Launch 2.2, app launch: state is required. Divergence: a client with
// the legacy switch may leave it out.
func checkState(_ oauth.Parameters, t redirectable, _ *store.AuthorizationRequest) *oauth.Error {
	if len(t.state) > maxState {
		return invalid(oauth.SlugRequestState, "state", "state is longer than 2048 bytes")
	}
	if !t.hasState && !t.client.PKCEOptional {
		return invalid(oauth.SlugRequestState, "state", "state is missing")
	}
	return nil
}

// checkLengths bounds what is kept as it was sent: a request of nobody in
// particular must not fill the disk (AZ-36).
func checkLengths(p oauth.Parameters, _ redirectable, _ *store.AuthorizationRequest) *oauth.Error {
	for _, most := range []struct {
		parameter string
		bytes     int
	}{{"nonce", 512}, {"login_hint", 256}, {"ui_locales", 256}} {
		if len(p.Get(most.parameter)) > most.bytes {
			return invalid(oauth.SlugRequestLength, most.parameter, most.parameter+" is longer than "+strconv.Itoa(most.bytes)+" bytes")
		}
	}
	return nil
}

// checkAudience: aud, or resource, names this FHIR server, one trailing slash
// tolerated (SMART App Launch 2.2; RFC 8707 §2). Order: before login, so that a
// counterfeit server shows nobody our login page.
func (d *Door) checkAudience(p oauth.Parameters, t redirectable, _ *store.AuthorizationRequest) *oauth.Error {
	aud, resource := p.Get("aud"), p.Get("resource")
	if resource != "" && strings.TrimSuffix(resource, "/") != d.deps.FHIRBase {
		return oauth.New(oauth.InvalidTarget, "resource is not a FHIR server that this server protects").About("resource").Slugged(oauth.SlugTargetUnknown)
	}
	if aud == "" && resource == "" {
		if t.client.PKCEOptional { // Divergence: the legacy switch; there is one FHIR base
			return nil
		}
		return invalid(oauth.SlugLaunchAudMissing, "aud", "aud is missing: send the FHIR base URL")
	}
	if aud != "" && aud != d.deps.FHIRBase && aud != d.deps.FHIRBase+"/" {
		return invalid(oauth.SlugLaunchAudMismatch, "aud", "aud is not the FHIR base URL of this server")
	}
	return nil
}

// RFC 7636 §4.3, §4.4.1; SMART App Launch 2.2: S256 for everybody. Divergence: a
// confidential client with the legacy switch may send no challenge at all.
func checkChallenge(p oauth.Parameters, t redirectable, q *store.AuthorizationRequest) *oauth.Error {
	challenge, method := p.Get("code_challenge"), p.Get("code_challenge_method")
	if challenge == "" && method == "" && t.mayLeaveOutPKCE() {
		return nil
	}
	switch {
	case challenge == "":
		return noChallenge()
	case method != "S256":
		return invalid(oauth.SlugPKCEMethod, "code_challenge_method", "code_challenge_method is S256")
	case !oauth.ValidChallenge(challenge):
		return invalid(oauth.SlugPKCEMalformed, "code_challenge", "code_challenge is 43 characters of base64url without padding")
	}
	q.CodeChallenge = challenge
	return nil
}

func noChallenge() *oauth.Error {
	return invalid(oauth.SlugPKCEMissing, "code_challenge", "code_challenge is missing: PKCE with S256 is required")
}

// RFC 9449 §10: the code is for this key. AT-15: of a client that gets Bearer tokens it
// has no meaning.
func checkKey(p oauth.Parameters, t redirectable, q *store.AuthorizationRequest) *oauth.Error {
	key := p.Get("dpop_jkt")
	if !t.client.DPoPBound || key == "" {
		return nil
	}
	if !dpop.ValidThumbprint(key) {
		return invalid(oauth.SlugDPoPKey, "dpop_jkt", "dpop_jkt is the SHA-256 thumbprint of a key: 43 characters of base64url without padding")
	}
	q.DPoPKey = key
	return nil
}

var prompts = []string{"none", "login", "consent", "select_account"}

// OpenID Connect Core §3.1.2.1: prompt, a list with one space between its words; none
// stands alone.
func checkPrompt(p oauth.Parameters, _ redirectable, q *store.AuthorizationRequest) *oauth.Error {
	if !p.Has("prompt") {
		return nil
	}
	q.Prompt = strings.Split(p.Get("prompt"), " ")
	for _, word := range q.Prompt {
		if !slices.Contains(prompts, word) {
			return invalid(oauth.SlugRequestPrompt, "prompt", "prompt is none, or some of login, consent and select_account, separated by single spaces")
		}
	}
	if has(q.Prompt, "none") && len(q.Prompt) > 1 {
		return invalid(oauth.SlugRequestPrompt, "prompt", "prompt=none stands alone")
	}
	return nil
}

func has(list []string, word string) bool { return slices.Contains(list, word) }

// longestAge is what a longer max_age counts as: no session is that old, and the
// time fits into a time.Duration.
const longestAge = math.MaxInt32

// OpenID Connect Core §3.1.2.1: max_age in seconds, without a greatest value.
func checkMaxAge(p oauth.Parameters, _ redirectable, q *store.AuthorizationRequest) *oauth.Error {
	if !p.Has("max_age") {
		return nil
	}
	n, err := strconv.ParseUint(p.Get("max_age"), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return invalid(oauth.SlugRequestMaxAge, "max_age", "max_age is a whole number of seconds")
	}
	q.MaxAge = int64(min(n, longestAge)) // out of range, n is the greatest number
	return nil
}

// OpenID Connect Core §3.1.2.1: a hint is an ID token that was issued here, expired
// or not. It only ever says for whom nobody else may answer (AZ-18).
func (d *Door) checkHint(p oauth.Parameters, _ redirectable, q *store.AuthorizationRequest) *oauth.Error {
	if !p.Has("id_token_hint") {
		return nil
	}
	hinted, ours := d.deps.HintedUser(p.Get("id_token_hint"))
	if !ours || hinted == "" {
		return invalid(oauth.SlugRequestIDTokenHint, "id_token_hint", "id_token_hint is not an ID token of this server")
	}
	q.HintedUser = hinted
	return nil
}

// checkScopes keeps what can be granted: understood, registered for the client,
// offered, and meaningful in an interactive request (SCOPE-16, SCOPE-22, SCOPE-40,
// SCOPE-42).
func (d *Door) checkScopes(p oauth.Parameters, t redirectable, q *store.AuthorizationRequest) *oauth.Error {
	if !p.Has("scope") {
		return oauth.New(oauth.InvalidScope, "scope is missing").About("scope").Slugged(oauth.SlugScopeMissing)
	}
	asked, err := smart.ParseScopes(p.Get("scope"))
	if err != nil {
		return oauth.New(oauth.InvalidScope, "scope is a list of scopes separated by single spaces").About("scope").Slugged(oauth.SlugScopeMalformed)
	}
	return d.keepGrantable(asked, t, q)
}

func (d *Door) keepGrantable(asked smart.ScopeSet, t redirectable, q *store.AuthorizationRequest) *oauth.Error {
	kept := d.grantable(asked, t.client)
	if reachesNothing(kept) {
		return oauth.New(oauth.InvalidScope, "None of the scopes can be granted to this client").About("scope").Slugged(oauth.SlugScopeNotAllowed)
	}
	q.Scopes = kept.Strings()
	return nil
}

// reachesNothing: neither records nor who somebody is. Lasting access to nothing is
// refused before anybody is asked to approve it (SCOPE-44).
func reachesNothing(set smart.ScopeSet) bool {
	return len(set.Clinical()) == 0 && !set.Has(smart.OpenID)
}

func (d *Door) grantable(asked smart.ScopeSet, client store.Client) smart.ScopeSet {
	kept := d.deps.Offered(smart.Allowed(asked, smart.NewScopeSet(strings.Fields(client.Scope))))
	openid, offline := kept.Has(smart.OpenID), kept.Has(smart.OfflineAccess)
	kept = kept.Without(func(text string) bool {
		switch text {
		case smart.FHIRUser, smart.Profile:
			return !openid
		case smart.OnlineAccess:
			return offline
		}
		return strings.HasPrefix(text, "system/")
	})
	return kept
}
