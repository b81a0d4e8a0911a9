// Package developer is the door of those who make apps: they register one by
// themselves, see what people will read, and how far the operator is with it.
//
//	GET  /developers            how it goes, by when, within which limits
//	GET  /developers/register   the form
//	POST /developers/register   budget of the network ─▶ ticket of this browser, once
//	                            ─▶ RFC 7591 metadata ─▶ register (its one validator)
//	                            ─▶ store, with event ─▶ id, secret and token, once; preview
//	GET  /developers/app        asks for client id and registration access token
//	POST /developers/app        budget ─▶ ticket ─▶ token compared ─▶ state, preview
//
// Registration for patient apps is open to any developer (REG-05); what such an app
// may ask for is bounded by register.OpenScope, how many there are by the store, and
// how often one network tries by two budgets: of tries, shared with the registration
// endpoint, and of apps. Secrets travel in forms and answers, never in an address.
//
// A ticket is a MAC over browser, page and time. It lets a form in that was shown
// here, in this browser, within half a day; one that registers is used up by it, so
// that a button pressed twice registers one app.
//
// It serves no app: RFC 7592 stands in package registration, and the decisions are
// the operator's (packages admin and review). It is mounted only where it is switched on.
package developer
