// Package holder decides whether who presents an access token may use it. It is the
// only way in for access tokens: every door that takes one as credentials asks here, so
// that no door can forget what a token is bound to.
//
//	Authorization ─▶ Bearer or DPoP ─▶ tokens.Verify ─▶ bound as it is presented? ─▶ Held
//	       401 400 ◀┘            401 503 ◀┘                  401 ◀┤
//	                                                        DPoP ─▶ proof of this request, token and key, once
//
// Held is proof: only Checker makes one. A token that is bound to a key comes under the
// scheme DPoP with a proof, and a token that is not comes under Bearer; each of them
// under the other scheme is refused (RFC 9449 §7.1, §7.2). Beside a Bearer token a
// proof has no meaning and is not looked at. Where DPoP is not offered its scheme is no
// credentials, and a token that was bound before opens nothing.
//
// The endpoints that judge a token which somebody else presents (introspection and
// revocation, as to their parameter token) do not ask here: there the token is a
// question, not credentials.
//
// It fulfils RFC 6750 §2.1 and §3 and RFC 9449 §7. Whether a token is good is package
// tokens' question, whether a proof is, package dpop's.
package holder
