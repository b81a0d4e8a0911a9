// Package enrol lets a patient without credentials prove who they are and then
// create them, inside of the authorization request that brought them.
//
//	/enrol?request=H ─▶ who are you? ─▶ count tries ─▶ invitation ∧ name ∧ birth date
//	                        one text for every failure ◀┘        │ fact: this patient, by this code
//	                    user name and password ◀─────────────────┘
//	POST ─▶ consume the invitation and create the account together ─▶ session ─▶ continue
//
// Unknown patient, wrong date, wrong name, used and expired codes get the same
// page, after the same work (LOGIN-04). Tries are counted by invitation, by address
// and in total before anything is compared (LOGIN-05). The second step exists only
// for a request that carries the fact of the first, and the account that it makes
// is for that patient, whatever the form says (LOGIN-03).
//
// Invitation codes are random, kept as hashes and used once. Names are compared
// without case, accents and punctuation; who has one name only types it in either
// field, and what the record has decides.
package enrol
