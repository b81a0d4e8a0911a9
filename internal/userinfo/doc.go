// Package userinfo is the UserInfo endpoint (OpenID Connect Core §5.3): it tells
// the holder of an access token who logged in, within the scopes granted.
//
//	GET|POST ─▶ Bearer ─▶ tokens.Verify ─▶ openid granted? ─▶ sub, fhirUser
//	     405 ◀┘    401 ◀┘        401/503 ◀┘          403 ◀┘
//
// It tells nothing that the ID token does not tell: no name, no e-mail.
package userinfo
