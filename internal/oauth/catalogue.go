package oauth

// The errors that have a name. A value is what the code uses; nothing else makes one.
const (
	_ Slug = iota
	SlugClientMissing
	SlugClientUnknown
	SlugClientDisabled
	SlugClientNotEnabled
	SlugClientRedirectMissing
	SlugClientRedirectNotRegistered
	SlugClientGrantType
	SlugClientNotAuthenticated
	SlugClientTwoMethods
	SlugClientMismatch
	SlugClientAssertion
	SlugClientThrottled
	SlugClientWithoutSecret
	SlugClientMayNotLaunch
	SlugClientNeedsKey
	SlugIntrospectionThrottled
	SlugIntrospectionIssuer
	SlugRequestMethod
	SlugRequestTooLong
	SlugRequestMalformed
	SlugRequestRepeated
	SlugRequestParameterMissing
	SlugRequestTwoHeaders
	SlugRequestResponseType
	SlugRequestResponseTypeUnsupported
	SlugRequestResponseMode
	SlugRequestState
	SlugRequestLength
	SlugRequestPrompt
	SlugRequestMaxAge
	SlugRequestIDTokenHint
	SlugRequestObject
	SlugRequestURI
	SlugRequestRegistration
	SlugRequestPushed
	SlugRequestPushedTwice
	SlugRequestPushedTooMany
	SlugRequestNotPushed
	SlugRequestExpired
	SlugRequestAnswered
	SlugLaunchAudMissing
	SlugLaunchAudMismatch
	SlugLaunchMissing
	SlugLaunchScopeMissing
	SlugLaunchUnknown
	SlugLaunchOtherUser
	SlugLaunchOutOfReach
	SlugLaunchRefused
	SlugTargetUnknown
	SlugPKCEMissing
	SlugPKCEMethod
	SlugPKCEMalformed
	SlugScopeMissing
	SlugScopeMalformed
	SlugScopeNotAllowed
	SlugScopeNotSystem
	SlugScopeWider
	SlugScopeTooMany
	SlugGrantTypeUnsupported
	SlugCodeRefused
	SlugRefreshTokenRefused
	SlugTokenInvalid
	SlugTokenWithoutOpenID
	SlugTokenInURL
	SlugDPoPProofMissing
	SlugDPoPProof
	SlugDPoPReplayed
	SlugDPoPNonce
	SlugDPoPTokenBinding
	SlugDPoPKey
	SlugDPoPOff
	SlugPersonDeclined
	SlugPersonWithoutPatient
	SlugPersonApprovedNothing
	SlugPersonSignedOut
	SlugPromptLogin
	SlugPromptInteraction
	SlugPromptConsent
	SlugRegistrationMetadata
	SlugRegistrationRedirectURI
	SlugRegistrationStatement
	SlugRegistrationStatementIssuer
	SlugRegistrationToken
	SlugRegistrationTooMany
	SlugRegistrationFull
	SlugFormNotAccepted
	SlugPathUnknown
	SlugLogoutMethod
	SlugLogoutMalformed
	SlugLogoutClientMismatch
	SlugLogoutClientUnknown
	SlugLogoutClientMissing
	SlugLogoutState
	SlugLogoutRedirectNotRegistered
	SlugServerFailure
	SlugServerUnavailable
)

// catalogue is the only source of what the error pages, docs/errors.md and error_uri say.
var catalogue = [...]Explanation{
	SlugClientMissing: {
		"client.missing", InvalidRequest, "authorization and pushed request endpoint",
		"Send client_id once, with the id that you got when the app was registered.",
		"RFC 6749 §4.1.1",
	},
	SlugClientUnknown: {
		"client.unknown", InvalidRequest, "authorization and pushed request endpoint",
		"Check that client_id was copied whole, and that it belongs to this server: test and production have clients of their own.",
		"RFC 6749 §4.1.2.1",
	},
	SlugClientDisabled: {
		"client.disabled", UnauthorizedClient, "authorization endpoint, token endpoint",
		"The operator has switched this app off. Ask the operator why.",
		"RFC 6749 §4.1.2.1",
	},
	SlugClientNotEnabled: {
		"client.not_enabled", UnauthorizedClient, "authorization and pushed request endpoint",
		"The organisation has not let this app in yet. The page for developers tells how far it is, and by when there is an answer. After a change of name, addresses or keys an app is looked at again.",
		"45 CFR 170.404(b)(1)",
	},
	SlugClientRedirectMissing: {
		"client.redirect_missing", InvalidRequest, "authorization and pushed request endpoint",
		"Send redirect_uri once, even if only one is registered.",
		"SMART App Launch 2.2, app launch",
	},
	SlugClientRedirectNotRegistered: {
		"client.redirect_not_registered", InvalidRequest, "authorization and pushed request endpoint",
		"Compare redirect_uri with what is registered, letter by letter: scheme, port, path, query, a slash at the end. Only the port of a loopback address of a native app may differ. Register the URI that you need.",
		"RFC 9700 §2.1",
	},
	SlugClientGrantType: {
		"client.grant_type", UnauthorizedClient, "authorization and pushed request endpoint, token endpoint",
		"Register the app with this grant type in grant_types, or use one that it has.",
		"RFC 6749 §4.1.2.1, §5.2",
	},
	SlugClientNotAuthenticated: {
		"client.not_authenticated", InvalidClient, "token, pushed request, introspection and revocation endpoint, launch endpoint of an EHR",
		"Send client_id, and authenticate by the method that is registered (token_endpoint_auth_method) with the secret or key that is in force. A public client sends client_id alone. All reasons have one answer, so that it tells a stranger nothing.",
		"RFC 6749 §5.2",
	},
	SlugClientTwoMethods: {
		"client.two_methods", InvalidRequest, "token, pushed request, introspection and revocation endpoint, launch endpoint of an EHR",
		"Use one way of client authentication: a header, a secret in the body, or an assertion. Many libraries add a header by themselves.",
		"RFC 6749 §2.3",
	},
	SlugClientMismatch: {
		"client.mismatch", InvalidRequest, "token, pushed request, introspection and revocation endpoint, launch endpoint of an EHR",
		"client_id in the body is another client than the one that authenticated. Send the same, or leave it out.",
		"RFC 6749 §3.2.1",
	},
	SlugClientAssertion: {
		"client.assertion", InvalidClient, "token, pushed request, introspection and revocation endpoint, launch endpoint of an EHR",
		"The sentence says what is wrong with the assertion. Make a new one for each request: alg RS384 or ES384, kid, iss and sub the client_id, aud the token endpoint, exp at most five minutes ahead, and a jti that was never used.",
		"SMART App Launch 2.2, client-confidential-asymmetric; RFC 7523 §3",
	},
	SlugClientThrottled: {
		"client.throttled", TemporarilyUnavailable, "token, pushed request, introspection and revocation endpoint, launch endpoint of an EHR",
		"Stop, and wait as long as Retry-After says. Put the credentials right before you try again.",
		"RFC 6749 §2.3.1",
	},
	SlugClientWithoutSecret: {
		"client.without_secret", InvalidClient, "introspection endpoint",
		"A public client asks with a Bearer token of its own; a confidential one with its credentials.",
		"RFC 7662 §2.1",
	},
	SlugClientMayNotLaunch: {
		"client.may_not_launch", UnauthorizedClient, "launch endpoint of an EHR",
		"Only a client that the operator registered as an EHR starts other apps.",
		"SMART App Launch 2.2, app launch",
	},
	SlugClientNeedsKey: {
		"client.needs_key", UnauthorizedClient, "token endpoint",
		"Register the backend service with private_key_jwt and its keys.",
		"SMART App Launch 2.2, backend-services",
	},
	SlugIntrospectionThrottled: {
		"introspection.throttled", TemporarilyUnavailable, "introspection endpoint",
		"Wait as long as Retry-After says. Good tokens are answered all the while; ask about a text only when it looks like a token, and keep the answer for a moment.",
		"RFC 7662 §4",
	},
	SlugIntrospectionIssuer: {
		"introspection.issuer", TemporarilyUnavailable, "introspection endpoint",
		"The token is of another server, which this one asks and cannot reach now. Ask again after Retry-After; until then do not let the token in, and do not tell its holder that it is bad.",
		"RFC 7662 §2.2, §4",
	},
	SlugRequestMethod: {
		"request.method", InvalidRequest, "every endpoint for apps",
		"Use the method that the header Allow names.",
		"RFC 6749 §3.1, §3.2",
	},
	SlugRequestTooLong: {
		"request.too_long", InvalidRequest, "authorization and pushed request endpoint, every endpoint for apps",
		"The authorization endpoint takes long requests by POST; other bodies have to be shorter.",
		"SMART App Launch 2.2, authorize-post",
	},
	SlugRequestMalformed: {
		"request.malformed", InvalidRequest, "authorization and pushed request endpoint, every endpoint for apps",
		"Send parameters as application/x-www-form-urlencoded in UTF-8, by a library that encodes them: a raw percent sign, semicolon or control character is not taken. Endpoints that take POST read the body only.",
		"RFC 6749 §3.1, §3.2",
	},
	SlugRequestRepeated: {
		"request.repeated", InvalidRequest, "authorization and pushed request endpoint, every endpoint for apps",
		"Send each parameter once.",
		"RFC 6749 §3.1, §3.2",
	},
	SlugRequestParameterMissing: {
		"request.parameter_missing", InvalidRequest, "every endpoint for apps",
		"Send the parameter that the sentence names. One without a value counts as left out.",
		"RFC 6749 §4.1.3, §6",
	},
	SlugRequestTwoHeaders: {
		"request.two_headers", InvalidRequest, "every endpoint for apps",
		"Send one Authorization header.",
		"RFC 6749 §2.3",
	},
	SlugRequestResponseType: {
		"request.response_type", InvalidRequest, "authorization and pushed request endpoint",
		"Send response_type=code.",
		"RFC 6749 §3.1.1",
	},
	SlugRequestResponseTypeUnsupported: {
		"request.response_type_unsupported", UnsupportedResponseType, "authorization and pushed request endpoint",
		"Use the authorization code grant with PKCE: response_type=code. Tokens in the URL are not offered.",
		"RFC 9700 §2.1.2",
	},
	SlugRequestResponseMode: {
		"request.response_mode", InvalidRequest, "authorization and pushed request endpoint",
		"Leave response_mode out, or send form_post with a redirect_uri of https or http.",
		"OpenID Connect Core §3.1.2.1",
	},
	SlugRequestState: {
		"request.state", InvalidRequest, "authorization and pushed request endpoint",
		"Send a state of at most 2048 bytes that cannot be guessed, and compare it when the browser comes back.",
		"SMART App Launch 2.2, app launch",
	},
	SlugRequestLength: {
		"request.length", InvalidRequest, "authorization and pushed request endpoint",
		"Send a shorter value; the sentence says how long it may be.",
		"OpenID Connect Core §3.1.2.1",
	},
	SlugRequestPrompt: {
		"request.prompt", InvalidRequest, "authorization and pushed request endpoint",
		"prompt is none by itself, or some of login, consent, select_account, separated by single spaces.",
		"OpenID Connect Core §3.1.2.1",
	},
	SlugRequestMaxAge: {
		"request.max_age", InvalidRequest, "authorization and pushed request endpoint",
		"max_age is a whole number of seconds, zero or more.",
		"OpenID Connect Core §3.1.2.1",
	},
	SlugRequestIDTokenHint: {
		"request.id_token_hint", InvalidRequest, "authorization and pushed request endpoint",
		"Send an ID token that this server has signed, expired or not, or leave the hint out.",
		"OpenID Connect Core §3.1.2.1",
	},
	SlugRequestObject: {
		"request.object", RequestNotSupported, "authorization and pushed request endpoint",
		"Send plain parameters, without request.",
		"OpenID Connect Core §6.1",
	},
	SlugRequestURI: {
		"request.request_uri", RequestURINotSupported, "authorization and pushed request endpoint",
		"request_uri is what you get for a pushed request, and nothing else: send plain parameters, or push them.",
		"OpenID Connect Core §6.2",
	},
	SlugRequestRegistration: {
		"request.registration", RegistrationNotSupported, "authorization and pushed request endpoint",
		"Leave registration out: clients register beforehand.",
		"OpenID Connect Core §7.2.1",
	},
	SlugRequestPushed: {
		"request.pushed", InvalidRequestURI, "authorization endpoint",
		"A request_uri is good once, for a short time, and for the client that pushed the request. Push it again, each time that a person starts.",
		"RFC 9126 §4",
	},
	SlugRequestPushedTwice: {
		"request.pushed_twice", InvalidRequest, "pushed authorization request endpoint",
		"Push the parameters themselves; request_uri is what you get for them.",
		"RFC 9126 §2.1",
	},
	SlugRequestPushedTooMany: {
		"request.pushed_too_many", TemporarilyUnavailable, "pushed request endpoint",
		"Wait as long as Retry-After says, and push a request when somebody signs in, not in advance. A server that pushes for many people proves itself, and the operator knows it.",
		"RFC 9126 §2.3",
	},
	SlugRequestNotPushed: {
		"request.not_pushed", InvalidRequest, "authorization endpoint",
		"Push the parameters to pushed_authorization_request_endpoint, and send the browser with client_id and request_uri alone.",
		"RFC 9126 §4",
	},
	SlugRequestExpired: {
		"request.expired", "", "pages",
		"The person took longer than 20 minutes, or came with another browser. Start again at the authorization endpoint; never keep an address of a page of ours.",
		"WCAG 2.2, 2.2.1",
	},
	SlugRequestAnswered: {
		"request.answered", "", "pages",
		"The request has its answer already, often in another tab. Start again if the app did not get it.",
		"RFC 6749 §4.1.2",
	},
	SlugLaunchAudMissing: {
		"launch.aud_missing", InvalidRequest, "authorization and pushed request endpoint",
		"Send aud with the FHIR base URL: the iss that the EHR has sent, or the one that you took the configuration from.",
		"SMART App Launch 2.2, app launch",
	},
	SlugLaunchAudMismatch: {
		"launch.aud_mismatch", InvalidRequest, "authorization and pushed request endpoint",
		"aud is the FHIR base URL of this server as its configuration spells it, scheme and host included; a slash at the end is tolerated. The wrong value often comes from another environment.",
		"SMART App Launch 2.2, app launch",
	},
	SlugLaunchMissing: {
		"launch.missing", InvalidRequest, "authorization and pushed request endpoint",
		"The scope launch is for apps that an EHR has started: send the launch value that came with iss. Standalone apps ask for launch/patient.",
		"SMART App Launch 2.2, scopes and launch context",
	},
	SlugLaunchScopeMissing: {
		"launch.scope_missing", InvalidRequest, "authorization and pushed request endpoint",
		"Ask for the scope launch beside the launch value, and register it for the app.",
		"SMART App Launch 2.2, scopes and launch context",
	},
	SlugLaunchUnknown: {
		"launch.unknown", InvalidRequest, "authorization endpoint",
		"A launch value is good once, for minutes, and for one app. Start the app from the EHR again.",
		"SMART App Launch 2.2, app launch",
	},
	SlugLaunchOtherUser: {
		"launch.other_user", AccessDenied, "authorization endpoint",
		"Somebody else has signed in than the one who started the app. Ask them to start it again as themselves.",
		"SMART App Launch 2.2, app launch",
	},
	SlugLaunchOutOfReach: {
		"launch.out_of_reach", AccessDenied, "authorization endpoint",
		"The person may not open this chart now. Nothing that an app can put right.",
		"SMART App Launch 2.2, scopes and launch context",
	},
	SlugLaunchRefused: {
		"launch.refused", InvalidRequest, "launch endpoint of an EHR",
		"The sentence names what is wrong with the launch: the app, the patient, the encounter, the user, or a value.",
		"SMART App Launch 2.2, scopes and launch context",
	},
	SlugTargetUnknown: {
		"target.unknown", InvalidTarget, "authorization and pushed request endpoint, token endpoint",
		"resource is the FHIR base URL of this server, or left out.",
		"RFC 8707 §2",
	},
	SlugPKCEMissing: {
		"pkce.missing", InvalidRequest, "authorization and pushed request endpoint",
		"Send code_challenge and code_challenge_method=S256. Every client needs PKCE.",
		"RFC 7636 §4.4.1",
	},
	SlugPKCEMethod: {
		"pkce.method", InvalidRequest, "authorization and pushed request endpoint",
		"Send code_challenge_method=S256; plain is not offered.",
		"RFC 7636 §4.3",
	},
	SlugPKCEMalformed: {
		"pkce.malformed", InvalidRequest, "authorization and pushed request endpoint",
		"code_challenge is the SHA-256 of the verifier in base64url without padding: 43 characters.",
		"RFC 7636 §4.2",
	},
	SlugScopeMissing: {
		"scope.missing", InvalidScope, "authorization and pushed request endpoint, token endpoint",
		"Send scope.",
		"RFC 6749 §3.3",
	},
	SlugScopeMalformed: {
		"scope.malformed", InvalidScope, "authorization and pushed request endpoint, token endpoint",
		"Separate scopes by one space, and encode the list once.",
		"RFC 6749 §3.3",
	},
	SlugScopeNotAllowed: {
		"scope.not_allowed_for_client", InvalidScope, "authorization and pushed request endpoint, token endpoint",
		"Compare what you ask for with the scopes that the app has registered, and with scopes_supported. One scope too many does no harm; here none is left.",
		"RFC 6749 §3.3; SMART App Launch 2.2, scopes and launch context",
	},
	SlugScopeNotSystem: {
		"scope.not_system", InvalidScope, "token endpoint",
		"A backend service asks for system/ scopes and nothing else.",
		"SMART App Launch 2.2, backend-services",
	},
	SlugScopeWider: {
		"scope.wider_than_granted", InvalidScope, "token endpoint",
		"A refresh asks for what was granted or for less. Leave scope out to get all of it; ask the person again for more.",
		"RFC 6749 §6",
	},
	SlugScopeTooMany: {
		"scope.too_many", InvalidScope, "token endpoint",
		"The scopes do not fit into one access token. Ask for fewer, or for a wildcard.",
		"RFC 6749 §3.3",
	},
	SlugGrantTypeUnsupported: {
		"grant_type.unsupported", UnsupportedGrantType, "token endpoint",
		"Use authorization_code, refresh_token or client_credentials.",
		"RFC 6749 §5.2",
	},
	SlugCodeRefused: {
		"code.refused", InvalidGrant, "token endpoint",
		"A code is good once, for a short time, with the client_id and redirect_uri of the request, the verifier of its challenge, and the key of dpop_jkt if that was sent. A code that was tried with the wrong ones is burnt. Start again; if it happens always, compare the values.",
		"RFC 6749 §4.1.3; RFC 7636 §4.6",
	},
	SlugRefreshTokenRefused: {
		"refresh_token.refused", InvalidGrant, "token endpoint",
		"Access has ended: the person stopped it, it was not used for too long, or a token was used twice; or the DPoP proof is of another key than that of the public app. Keep the newest refresh token of each answer, refresh from one place at a time, and ask the person again.",
		"RFC 6749 §6; RFC 9700 §4.14",
	},
	SlugTokenInvalid: {
		"token.invalid", InvalidToken, "UserInfo and introspection endpoint",
		"Get another access token by the refresh token, or ask the person again.",
		"RFC 6750 §3.1",
	},
	SlugTokenWithoutOpenID: {
		"token.without_openid", InsufficientScope, "UserInfo endpoint",
		"Ask for the scope openid.",
		"OpenID Connect Core §5.3",
	},
	SlugTokenInURL: {
		"token.in_url", InvalidRequest, "UserInfo and introspection endpoint",
		"Send the access token in the Authorization header: addresses end up in logs.",
		"RFC 6750 §2.1; RFC 9700 §4.3.2",
	},
	SlugDPoPProofMissing: {
		"dpop.proof_missing", InvalidDPoPProof, "token endpoint, every endpoint that takes access tokens",
		"Send one header DPoP with a new proof. At the token endpoint this app needs one for every request, since it is registered with dpop_bound_access_tokens; with an access token the scheme DPoP needs one.",
		"RFC 9449 §4.1, §5.2, §7.1",
	},
	SlugDPoPProof: {
		"dpop.proof", InvalidDPoPProof, "token and pushed request endpoint, every endpoint that takes access tokens",
		"The sentence says what is wrong with the proof. Make a new one for each request: typ dpop+jwt, alg one of dpop_signing_alg_values_supported, jwk the public key, jti new, htm and htu of this request, iat now; with an access token its hash as ath.",
		"RFC 9449 §4.2, §4.3",
	},
	SlugDPoPReplayed: {
		"dpop.replayed", InvalidDPoPProof, "token and pushed request endpoint, every endpoint that takes access tokens",
		"A proof is good for one request. Make a new one, with a new jti, for each; for one that is sent again too.",
		"RFC 9449 §11.1",
	},
	SlugDPoPNonce: {
		"dpop.nonce", UseDPoPNonce, "token and pushed request endpoint, every endpoint that takes access tokens",
		"Send the request again with a new proof that has the value of the header DPoP-Nonce as nonce. Keep the newest value that you were sent, and use it everywhere here.",
		"RFC 9449 §8, §9",
	},
	SlugDPoPTokenBinding: {
		"dpop.token_binding", InvalidToken, "every endpoint that takes access tokens",
		"Present an access token as its token_type says: Authorization: DPoP and a proof of the key that it was issued for, or Authorization: Bearer.",
		"RFC 9449 §7.1, §7.2",
	},
	SlugDPoPKey: {
		"dpop.key", InvalidRequest, "authorization and pushed request endpoint",
		"dpop_jkt is the JWK SHA-256 thumbprint of the key in base64url without padding: 43 characters. Beside the header DPoP it is of the same key.",
		"RFC 9449 §10",
	},
	SlugDPoPOff: {
		"dpop.off", UnauthorizedClient, "token endpoint",
		"The app is registered for DPoP, which this server does not offer. Register it without dpop_bound_access_tokens, or ask the operator.",
		"RFC 9449 §5.1, §5.2",
	},
	SlugPersonDeclined: {
		"person.declined", AccessDenied, "authorization endpoint",
		"The person said no, or closed the request. Say so in the app, and let them start again when they want to.",
		"RFC 6749 §4.1.2.1",
	},
	SlugPersonWithoutPatient: {
		"person.without_patient", AccessDenied, "authorization endpoint",
		"The person who signed in reaches no record. Patient scopes cannot be granted to them.",
		"SMART App Launch 2.2, scopes and launch context",
	},
	SlugPersonApprovedNothing: {
		"person.approved_nothing", AccessDenied, "authorization endpoint",
		"The person left nothing that can be granted. Ask for what the app needs, and say why.",
		"RFC 6749 §4.1.2.1",
	},
	SlugPersonSignedOut: {
		"person.signed_out", LoginRequired, "authorization endpoint",
		"The person signed out in another window while the answer was made. Let them start again.",
		"OpenID Connect Back-Channel Logout 1.0 §2.1",
	},
	SlugPromptLogin: {
		"prompt.login", LoginRequired, "authorization endpoint",
		"Ask again without prompt=none.",
		"OpenID Connect Core §3.1.2.6",
	},
	SlugPromptInteraction: {
		"prompt.interaction", InteractionRequired, "authorization endpoint",
		"Ask again without prompt=none.",
		"OpenID Connect Core §3.1.2.6",
	},
	SlugPromptConsent: {
		"prompt.consent", ConsentRequired, "authorization endpoint",
		"Ask again without prompt=none.",
		"OpenID Connect Core §3.1.2.6",
	},
	SlugRegistrationMetadata: {
		"registration.metadata", InvalidClientMetadata, "registration endpoint, operator's command line",
		"The sentence names the member and what it may hold. Send one JSON object as application/json, each member once.",
		"RFC 7591 §2, §3.2.2",
	},
	SlugRegistrationRedirectURI: {
		"registration.redirect_uri", InvalidRedirectURI, "registration endpoint, operator's command line",
		"Register https URIs in full, without wildcards and fragments; private schemes and loopback addresses are for application_type native.",
		"RFC 7591 §3.2.2; RFC 8252 §7; RFC 9700 §2.1",
	},
	SlugRegistrationStatement: {
		"registration.statement", InvalidSoftwareStatement, "registration endpoint",
		"Get a new software statement from its issuer: signed, not expired, of an algorithm that is accepted here.",
		"RFC 7591 §2.3, §3.2.2",
	},
	SlugRegistrationStatementIssuer: {
		"registration.statement_issuer", UnapprovedSoftwareStatement, "registration endpoint",
		"The operator does not accept statements of that issuer. Ask the operator, or register without.",
		"RFC 7591 §3.2.2",
	},
	SlugRegistrationToken: {
		"registration.token", InvalidToken, "registration endpoint",
		"To register, send the initial access token that the operator gave you, which ends by time and by use; to look after an app, the registration_access_token that came with it.",
		"RFC 7591 §3; RFC 7592 §2",
	},
	SlugRegistrationTooMany: {
		"registration.too_many", TemporarilyUnavailable, "registration endpoint",
		"Wait as long as Retry-After says, and register an app once, not at each start.",
		"RFC 7591 §5",
	},
	SlugRegistrationFull: {
		"registration.full", TemporarilyUnavailable, "registration endpoint",
		"The server keeps only so many apps that registered themselves. Ask the operator.",
		"RFC 7591 §5",
	},
	SlugFormNotAccepted: {
		"form.not_accepted", "", "pages",
		"The form was sent twice, came from another site, or its page was too old. Open the page again; forms of ours are for people, not for programs.",
		"RFC 9700 §4.16",
	},
	SlugPathUnknown: {
		"path.unknown", "", "pages",
		"Take addresses from the discovery documents; they are not guessed.",
		"RFC 8414 §3",
	},
	SlugLogoutMethod: {
		"logout.method", InvalidRequest, "logout endpoint",
		"Use GET or POST.",
		"OpenID Connect RP-Initiated Logout 1.0 §2",
	},
	SlugLogoutMalformed: {
		"logout.malformed", InvalidRequest, "logout endpoint",
		"Send parameters as application/x-www-form-urlencoded, each once.",
		"OpenID Connect RP-Initiated Logout 1.0 §2",
	},
	SlugLogoutClientMismatch: {
		"logout.client_mismatch", InvalidRequest, "logout endpoint",
		"Send the client_id that the ID token was issued to, or leave it out.",
		"OpenID Connect RP-Initiated Logout 1.0 §2",
	},
	SlugLogoutClientUnknown: {
		"logout.client_unknown", InvalidRequest, "logout endpoint",
		"Check client_id; the operator may have switched the app off.",
		"OpenID Connect RP-Initiated Logout 1.0 §2",
	},
	SlugLogoutClientMissing: {
		"logout.client_missing", InvalidRequest, "logout endpoint",
		"Send id_token_hint or client_id, so that we know whose addresses to compare with.",
		"OpenID Connect RP-Initiated Logout 1.0 §2",
	},
	SlugLogoutState: {
		"logout.state", InvalidRequest, "logout endpoint",
		"Send a state of at most 2048 bytes.",
		"OpenID Connect RP-Initiated Logout 1.0 §2",
	},
	SlugLogoutRedirectNotRegistered: {
		"logout.redirect_not_registered", InvalidRequest, "logout endpoint",
		"Register the address in post_logout_redirect_uris, and send it letter by letter.",
		"OpenID Connect RP-Initiated Logout 1.0 §2",
	},
	SlugServerFailure: {
		"server.failure", ServerError, "pages, every endpoint for apps",
		"The fault is ours. Try again in a moment; if it stays, tell the operator the error number.",
		"RFC 6749 §4.1.2.1",
	},
	SlugServerUnavailable: {
		"server.unavailable", TemporarilyUnavailable, "pages, every endpoint for apps",
		"Try again after a moment, as long as Retry-After says if it is there.",
		"RFC 6749 §4.1.2.1",
	},
}
