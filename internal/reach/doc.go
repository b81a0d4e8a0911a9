// Package reach answers whom a user may see at this moment: the upper bound of
// every user/ scope, and what a picker may offer.
//
//	patient         their own record                              source_self.go
//	representative  those they stand for, while it lasts          source_representation.go
//	                those whom their RelatedPerson stands for     source_related_person.go
//	practitioner    everybody, by a role that the operator named  whom.go, practitioner.go
//	                panel by Group                                source_panel.go
//	                panel by Patient.generalPractitioner          source_general_practitioner.go
//	                active care teams                             source_care_team.go
//	                visits that go on, or ended not long ago      source_visits.go
//	                all of an Organization, if the operator wants source_organization.go
//	                one patient, in an emergency, for hours      source_emergency.go
//	administrator   nobody
//
// A client that acts for itself reaches what the operator said about it: everybody,
// single patients, the members of Groups, the patients of Organizations, and by
// default nobody                                                source_client.go
//
// Each source is one file with one question; the answer is their union (Whom), with the ways
// that lead to each patient, for the record. What a resource
// says about who leads to whom is fhirstore.TieRules, which a refresh judges by as well.
// Which record is a user's own, and whom their account stands for, is the server's own
// record; no app writes a resource that leads to anybody. Sources in FHIR are read with access.System, which is easy to find.
//
// Answers are kept for two seconds, so that a removal from a care team is felt at
// once; Forget empties them when policy sources have been loaded. Who keeps one
// any further ends it when it ends here. Requests of one user at the same time
// find out once.
//
// A Directory tells people at work who may open records in an emergency who somebody is whom
// they do not reach: by an exact match, and no more than that (docs/adr/0034).
//
// The names and visits that a picker shows are found by an ordinary search under the user's
// own reach: the same rules that judge an app's request judge the picker's.
package reach
