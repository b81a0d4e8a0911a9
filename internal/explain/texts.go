package explain

import "github.com/emberlatch/emberlatch/access"

// Reasons of what package access does not see.
const (
	tokenAccepted     access.Reason = "token.accepted"
	tokenInvalid      access.Reason = "token.invalid"
	requestUnderstood access.Reason = "request.understood"
	requestUnknown    access.Reason = "request.unknown"
	notReplayed       access.Reason = "row.not-replayed"
	rowsInView        access.Reason = "rows.in-view"
	versionsInView    access.Reason = "versions.in-view"
	rowMissing        access.Reason = "row.missing"
	rowNone           access.Reason = "row.none"
	rowOnlyRead       access.Reason = "row.only-read"
	rowNotRead        access.Reason = "row.not-read"

	contentNotReplayed access.Reason = "content.not-replayed"
)

// texts say each reason to an operator.
var texts = map[access.Reason]string{
	tokenAccepted:             "The token is good, and so is its grant.",
	tokenInvalid:              "The token is expired, revoked, forged, or meant for another server; or its app or its user is disabled.",
	requestUnderstood:         "The method and the path name a FHIR interaction.",
	requestUnknown:            "The method and the path name nothing on this server. Paths stand below the FHIR base: Observation/1.",
	access.ScopeForPatient:    "A patient/ scope covers the interaction.",
	access.ScopeForUser:       "A user/ scope covers the interaction.",
	access.ScopeForSystem:     "A system/ scope covers the interaction.",
	access.OwnTrail:           "A patient/AuditEvent scope: what was recorded about the patient in context, for that patient or somebody who stands for them.",
	access.OwnRecord:          "It is the record of who logged in, and the token has openid with fhirUser or profile.",
	access.NothingAllows:      "Nothing allows this.",
	access.NotOffered:         "No scope is about this interaction. A batch and $validate are judged entry by entry; the others apps cannot use.",
	access.TypeClosed:         "The type is closed to apps; no scope opens it.",
	access.TypeNotChanged:     "The type is about no patient; apps read it and do not change it.",
	access.ScopeMissing:       "No scope of the token covers the interaction on this type.",
	access.ScopeWithoutEffect: "A scope would cover it, and its level means nothing for this token; the scopes below say why.",
	notReplayed:               "The scopes allow it. What is said of the resources themselves is not replayed.",
	rowsInView:                "A search finds what the scopes reach, and nothing else; hidden rows are not counted.",
	versionsInView:            "A history has the versions and deletions that the scopes reach, each by its own content; hidden ones are not counted.",
	rowNone:                   "Nothing is there before it is created.",
	rowOnlyRead:               "The token reads the resource and does not change it: no scope with the permission reaches it. The caller is told so.",
	rowNotRead:                "The token changes the resource and does not read it, and a patch depends on what is there. The caller is told so.",
	contentNotReplayed:        "What the request would make of the resource is judged as well, and is not replayed: it must be reached too, whom it is about and its labels stay, and it says nothing of who reaches whom.",
	access.RowInView:          "The resource is reached.",
	access.RowOfOthers:        "The resource is there, and about a patient whom the token does not reach. The caller is told what is told of a missing one.",
	access.RowOfNobody:        "The resource is there, and in nobody's record, which only everything reaches. The caller is told what is told of a missing one.",
	access.RowNotMatching:     "The patient is reached, and the resource is outside of what the query of the scope narrows it to. The caller is told what is told of a missing one.",
	access.RowWithheld:        "The patient is reached, and the resource holds sensitive content that is withheld from this audience or in this app (sensitive.categories of the configuration), or nobody has classified it. The caller is told what is told of a missing one.",
	access.NobodyIsReached:    "The scopes reach nobody now: the user has lost the patient in context, or reaches no patients. The caller is told what is told of a missing resource.",
	rowMissing:                "There is no such resource, or it was deleted.",
}

func scopeOf(f access.Finding) Scope {
	return Scope{Scope: f.Scope, Covers: f.Covers(), Reaches: f.Reaches, Patients: f.Patients, Text: scopeText(f)}
}

func scopeText(f access.Finding) string {
	switch {
	case !f.Concerns:
		return "is about another type"
	case !f.Allows:
		return "does not have the permission"
	case !f.Stands:
		return "has nobody to mean: no patient in context, no user behind the token, or nobody named for the service; or means no such change"
	case f.Conditions:
		return "covers what its query holds for"
	}
	return "covers"
}
