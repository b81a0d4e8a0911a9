// Package access is the policy: who may see what. It is one pure function,
//
//	Decide(Subject, fhir.Interaction) Decision
//
// and a Decision has four uses, all from the same rules, so that they cannot
// drift:
//
//	gate    Allowed, Refusal      may this be tried at all? token and request line only
//	filter  View, IncludeView     a condition that a backend puts into every query
//	admit   Admits, AdmitsInclude each resource once more before it leaves
//	change  Change                a write, by the old state and the new one
//
// The zero Decision and the zero Subject see nothing. A subject reaches what some
// scope of it covers (a union), and a scope covers a resource if it has the
// permission, concerns the type, its constraint matches the content, and
//
//	patient/  the resource is about the patient in context and nobody else, and
//	          the user still reaches that patient       rule_patient.go
//	user/     the resource is about patients the user reaches now     rule_user.go
//	system/   nobody stands behind the token, and the resource is about patients
//	          whom the client reaches by itself: nobody, unless the operator said
//	          so                                                     rule_system.go
//	shared    directories and definitions are read and searched by any scope that
//	          concerns them, and changed by none                      rule_shared.go
//	change    policy sources, and the elements that are, no app writes; a Patient is
//	          not deleted, and created only by who reaches everybody   rule_change.go
//	trail     what the server recorded about the patient in context is read and found by
//	          a patient/ scope that names AuditEvent, for that patient and those who
//	          stand for them                                        rule_trail.go
//	self      who logged in reads (not: finds) the one resource that fhirUser
//	          names when openid and fhirUser were granted             rule_self.go
//
// From each of these views is taken what the operator withholds: a category of sensitive
// content is read by its audiences, in the apps that are named for it, and by nobody
// else                                                        rule_sensitive.go
//
// A Change is the only thing that a backend writes. It exists when both states are
// in the view, and whom the resource is about, its labels and its policy elements
// are as before.                                                           change.go
//
// An export is judged by DecideExport: r and s together, in a token of a client that
// acts for itself (export.go).
//
// Types that are neither about patients nor shared are closed to everybody. A
// scope whose level means nothing for the caller (patient/ without a patient in
// context, user/ without a user, system/ with one) covers nothing. Start reading at decide.go, the
// order of the rules, and cover.go, what they come to for a type.
//
// Views are shared between requests: backends read them and change nothing.
//
// These pairs look alike to the caller and differ in the record of the server:
// a resource that is hidden, deleted or was never there (404); a search whose
// matches are all hidden and one without matches (200, empty); a page link of
// somebody else and a broken one (404). A type or permission that no scope
// covers is told openly (403), because token and request line alone say so.
//
// It fulfils SMART App Launch 2.2 scopes ("union", permissions, finer-grained
// constraints, user rights as the upper bound). It does no I/O: what a user
// reaches is handed in. It does not know about tokens, HTTP or SQL.
package access
