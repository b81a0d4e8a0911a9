package oauth

// CodeMeaning is what a code says whatever the error is.
type CodeMeaning struct {
	Code    Code
	Meaning string
	Section string
}

var codes = []CodeMeaning{
	{InvalidRequest, "The request itself is wrong: something is missing, doubled, malformed or contradicts itself. Sending it again changes nothing.", "RFC 6749 §4.1.2.1, §5.2"},
	{InvalidClient, "The client did not prove who it is by the method that it has registered.", "RFC 6749 §5.2"},
	{InvalidGrant, "The authorization code or refresh token is not good, or not good for this client. Ask the person again.", "RFC 6749 §5.2"},
	{UnauthorizedClient, "The client is known, and may not do this.", "RFC 6749 §4.1.2.1, §5.2"},
	{UnsupportedGrantType, "The token endpoint does not know this grant_type.", "RFC 6749 §5.2"},
	{UnsupportedResponseType, "The authorization endpoint answers response_type=code only.", "RFC 6749 §4.1.2.1"},
	{InvalidScope, "No scope was asked for, or none that can be given.", "RFC 6749 §4.1.2.1, §5.2"},
	{InvalidTarget, "resource is not the FHIR base URL of this server.", "RFC 8707 §2"},
	{InvalidToken, "The access token is malformed, expired, revoked, or meant for another server. Get another one.", "RFC 6750 §3.1"},
	{InsufficientScope, "The access token is good, and was not granted what this needs.", "RFC 6750 §3.1"},
	{AccessDenied, "The person declined, or there is nothing that could be shared. Respect it: do not ask again at once.", "RFC 6749 §4.1.2.1"},
	{ServerError, "The fault is ours. Try again in a moment; if it stays, tell the operator the error number.", "RFC 6749 §4.1.2.1"},
	{TemporarilyUnavailable, "The server cannot answer at present, or you have tried too often. Wait as long as Retry-After says.", "RFC 6749 §4.1.2.1"},
	{LoginRequired, "prompt=none, and nobody is signed in. Ask again without prompt=none.", "OpenID Connect Core §3.1.2.6"},
	{ConsentRequired, "prompt=none, and the person has to approve the app first. Ask again without prompt=none.", "OpenID Connect Core §3.1.2.6"},
	{InteractionRequired, "prompt=none, and the person has to choose something first. Ask again without prompt=none.", "OpenID Connect Core §3.1.2.6"},
	{RequestNotSupported, "Request objects are not offered: send plain parameters.", "OpenID Connect Core §3.1.2.6"},
	{InvalidRequestURI, "The reference of a pushed request is unknown, used, expired or made for another client.", "RFC 9126 §4; RFC 9101 §7"},
	{RequestURINotSupported, "request_uri is for pushed requests only: send plain parameters.", "OpenID Connect Core §3.1.2.6"},
	{RegistrationNotSupported, "The parameter registration is not offered: clients register beforehand.", "OpenID Connect Core §3.1.2.6"},
	{InvalidRedirectURI, "A redirect URI of a registration cannot be used; the sentence says why.", "RFC 7591 §3.2.2"},
	{InvalidClientMetadata, "A member of a registration cannot be used; the sentence names it.", "RFC 7591 §3.2.2"},
	{InvalidSoftwareStatement, "The software statement of a registration is not valid.", "RFC 7591 §3.2.2"},
	{InvalidDPoPProof, "The DPoP proof of the request is missing or not good; the sentence says why. Make a new proof for each request.", "RFC 9449 §5, §7.1"},
	{UseDPoPNonce, "The server wants its own value in the proof: send the request again, with a new proof that has the value of the header DPoP-Nonce as nonce.", "RFC 9449 §8, §9"},
	{UnapprovedSoftwareStatement, "Software statements of that issuer are not accepted here.", "RFC 7591 §3.2.2"},
}
