// Package registration is the door at which clients register themselves and look
// after their registration.
//
//	POST   <endpoint>      initial access token ─▶ metadata ─▶ policy ─▶ one transaction:
//	                         401 ◀┘  400 ◀──────────┴──────────┘   a use of the token, the client, the event
//	GET    <endpoint>/{id} ┐
//	PUT    <endpoint>/{id} ├ registration access token of that client ─▶ read, replace, remove
//	DELETE <endpoint>/{id} ┘   401, the same for every client that is not its own
//
// Two kinds of tokens, each with its prefix and only its hash stored: it_ lets
// somebody register so many clients within a time, ra_ belongs to one client for its
// life. A use of it_ is taken in the transaction that stores the client; before that
// the token is only looked at, so that a mistake in the metadata costs nothing. ra_
// does not change with an update (RFC 7592 §5 leaves that open): an answer that is
// lost would lock the app out of its own registration.
//
// Tries are counted by address before anything is looked at, and there is an end to
// how many self-registered clients are kept. Removing a client ends its grants in
// the same transaction; this process knows before the answer leaves.
//
// It fulfils RFC 7591 §3 and RFC 7592 §2 and §3. What may be said of a client is
// judged by package register. It serves no pages: those for developers are package
// developer's. The first line is mounted where registration is switched on, the others
// where those pages are, too. An app that waits for its review manages its registration
// as any other; one that is declined or suspended does not.
package registration
