// Package oauth holds the words of OAuth 2 that every door shares: error codes,
// strictly parsed parameters and JSON, PKCE, redirect URI matching. It imports nothing
// of ours and does no I/O.
//
// It fulfils RFC 6749 §3.1, §3.1.2, §4.1.2.1 and §5.2, RFC 7636 §4, RFC 8252
// §7 and RFC 9700 §2.1 and §4.1. It does not know clients, stores or pages.
package oauth
