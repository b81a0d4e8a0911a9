// Package trust answers for tokens of other servers that the operator has listed, so
// that a resource server asks one place.
//
//	text ─▶ About ─▶ says a listed issuer ─▶ that one        ┐
//	               ─▶ says nothing readable ─▶ the one for    ├▶ Question ─▶ Ask ─▶ Answer
//	                                           opaque tokens  ┘
//	               ─▶ any other issuer, ours too: not a question for here
//
//	Ask, by keys:      header ─▶ key by issuer, kid, alg ─▶ signature ─▶ claims ─▶ Answer
//	Ask, by endpoint:  POST token ─▶ 200, JSON, bounded ─────────────▶ claims ─▶ Answer
//
// Which server is asked follows from iss alone, byte for byte, and from the
// configuration; nothing of a token says where anything is fetched. A token is sent to
// nobody but the server that it says it is of, and our own are sent to nobody. iss is
// the only claim that is read before a signature is proven.
//
// The claims are judged alike for both kinds: issuer, audience, times, the kind of
// token, whom it is bound to. A binding (cnf) that is not understood is a no, since
// whoever copied the rest would make a bearer token of it. What is copied stands in
// Claims and nowhere else. Unknown means not active; ErrUnavailable means that nobody
// can say now, within seconds: fail closed, and tell the caller to ask again.
//
// It fulfils RFC 9068 §4 (validating access tokens), RFC 7662 §2.2 and §4, RFC 8725
// §3.1, §3.8, §3.9 and §3.11, and the security design rules E-10, E-11, E-12, E-23 and
// E-24. It keeps no answer: what a server has revoked is over at once where that
// server is asked, and at the end of the token where keys are all there is. It makes
// nothing of such a token good at any door of ours.
//
// Start reading at List.About, then Question.Ask.
package trust
