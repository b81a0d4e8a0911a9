// Package userinfo is the UserInfo endpoint (OpenID Connect Core §5.3): it tells
// the holder of an access token who logged in, within the scopes granted.
//
//	GET|POST ─▶ access token ─▶ holder.Accept ─▶ openid granted? ─▶ sub, fhirUser
//	405 ◀┘            400/401 ◀┘    401/503 ◀┘          403 ◀┘
//
// A token in the URL or in a form is refused with 400 (RFC 6750 §2.2, §2.3).
// It tells nothing that the ID token does not tell: no name, no e-mail.
package userinfo
