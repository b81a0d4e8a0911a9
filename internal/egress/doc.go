// Package egress is how the server reaches what somebody else named: the key sets
// at the jwks_uri of clients, the backchannel_logout_uri that is told of a logout, and
// the servers that the operator trusts. No other part of it reaches what others name.
//
//	URL ─▶ Policy.CheckURL ─▶ resolve ─▶ address checked at dial ─▶ Get, Ask ─▶ 200, bounded body
//	        ErrRefused ◀┘                      ErrRefused ◀┘   │      redirect, other status: ErrAnswer
//	                                                           └─▶ Post ─▶ status, body unread
//
// The address is judged when the connection is made, after names were resolved
// and IPv6 spellings of IPv4 were undone, so that a name which answers differently
// the second time gains nothing. Ordinary global addresses are a table here; what
// is not in it is refused, unless the operator allowed that network. Ports are 443
// and 8443, and those the operator allowed. http is for loopback, and only where
// the configuration says so (`emberlatch dev`).
//
// No redirect is followed, no proxy of the environment is used, no cookie is sent, no
// connection is kept, and a compressed answer is not unpacked. Get sends no
// credentials; Ask sends those that the operator has for that URL, and nowhere else.
// Time, size, connections to each host and connections in all are bounded. Hosts that
// take their time share places of their own (place.go), so that whoever names silent
// ones holds up nobody whose host answers.
//
// It fulfils the security design rule E-23, and SMART App Launch 2.2
// client-confidential-asymmetric as far as it asks for https. It remembers
// nothing: how long an answer may be used again is the caller's question.
//
// Start reading at Policy, then Client.Get, Client.Ask and Client.Post.
package egress
