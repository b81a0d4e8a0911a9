package access

import "github.com/emberlatch/emberlatch/smart"

// Reason is the stable name of why a decision, or the row behind it, came out as it
// did. Records, headers and commands name it; a published one keeps its meaning.
type Reason string

// Why an interaction may be tried.
const (
	ScopeForPatient Reason = "scope.patient" // a patient/ scope covers it
	ScopeForUser    Reason = "scope.user"    // a user/ scope covers it
	ScopeForSystem  Reason = "scope.system"  // a system/ scope covers it
	OwnTrail        Reason = "trail.patient" // a patient/AuditEvent scope: who looked at the record of the patient in context
	OwnRecord       Reason = "self"          // who logged in reads the record that fhirUser names
	ServerItself    Reason = "server"        // the server's own work
)

// Why it may not.
const (
	NothingAllows      Reason = "nothing" // the zero decision
	NotOffered         Reason = "interaction.not-offered"
	TypeClosed         Reason = "type.closed"
	TypeNotChanged     Reason = "type.not-changed"
	ScopeMissing       Reason = "scope.missing"
	ScopeWithoutEffect Reason = "scope.without-effect" // one is there, and nobody in context for it to mean
)

// Why a row is seen or not, when the interaction may be tried.
const (
	RowInView       Reason = "row.in-view"
	RowOfOthers     Reason = "row.of-others"    // about a patient who is not reached
	RowOfNobody     Reason = "row.of-nobody"    // in nobody's record
	RowNotMatching  Reason = "row.not-matching" // reached, and outside of the query of each scope
	RowWithheld     Reason = "row.withheld"     // reached, and of a category of sensitive content that is not read
	NobodyIsReached Reason = "reach.nobody"     // what the scopes stand for reaches nobody now
)

// reasonOf is the reason of a scope that covers, by its level.
func reasonOf(l smart.Level) Reason {
	switch l {
	case smart.LevelPatient:
		return ScopeForPatient
	case smart.LevelUser:
		return ScopeForUser
	}
	return ScopeForSystem
}

// reasonFor is the same, with the one type that has a rule of its own.
func reasonFor(scope smart.Scope) Reason {
	if scope.Type() == trailType {
		return OwnTrail
	}
	return reasonOf(scope.Level())
}

// Reason names why the decision came out as it did; never empty.
func (d Decision) Reason() Reason {
	if d.reason == "" {
		return NothingAllows
	}
	return d.reason
}
