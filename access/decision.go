package access

import (
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Decision is the outcome of Decide. Only this package makes one that allows;
// the zero value denies and sees nothing.
type Decision struct {
	allowed    bool
	system     bool
	permission byte
	subject    Subject
	reasons    []string
	refusal    Refusal
}

// Refusal says why not, in a sentence that is safe for strangers.
type Refusal struct {
	// InsufficientScope: another token might (RFC 6750 §3.1).
	InsufficientScope bool
	Text              string
}

// HTTPStatus is the status of the answer.
func (r Refusal) HTTPStatus() int { return http.StatusForbidden }

// OutcomeCode is the issue code of the OperationOutcome.
func (r Refusal) OutcomeCode() string { return "forbidden" }

func (d Decision) refuse(r Refusal) Decision {
	d.allowed, d.refusal = false, r
	d.reasons = []string{"refused: " + r.Text}
	return d
}

// Allowed reports whether the interaction may be tried.
func (d Decision) Allowed() bool { return d.allowed }

// Refusal is why not, when Allowed is false.
func (d Decision) Refusal() Refusal {
	if !d.allowed && d.refusal.Text == "" {
		return Refusal{Text: "Nothing allows this."}
	}
	return d.refusal
}

// Reasons name the rules that decided, for the record of the server.
func (d Decision) Reasons() []string { return d.reasons }

// Base is the FHIR base whose absolute references count as local.
func (d Decision) Base() string { return d.subject.facts.Base }

// View is the condition that resources of a type fulfil to be found or read. A
// nil Expr matches nothing.
func (d Decision) View(t fhir.ResourceType) search.Expr {
	if !d.allowed {
		return nil
	}
	if d.system {
		return search.And{}
	}
	return d.subject.view(t, string(d.permission))
}

// IncludeView is the condition for resources that come along by reference: what
// the subject may read or find.
func (d Decision) IncludeView(t fhir.ResourceType) search.Expr {
	if !d.allowed {
		return nil
	}
	if d.system {
		return search.And{}
	}
	return d.subject.view(t, "rs")
}

// Admits reports whether a resource is in the view.
func (d Decision) Admits(r fhir.Resource, owners search.Owners) bool {
	return !r.IsZero() && search.Match(d.View(r.Type()), r, owners, d.Base())
}

// AdmitsInclude reports whether a resource may come along.
func (d Decision) AdmitsInclude(r fhir.Resource, owners search.Owners) bool {
	return !r.IsZero() && search.Match(d.IncludeView(r.Type()), r, owners, d.Base())
}

// view is the union of what the scopes with one of the permissions cover.
// Unconstrained ones are merged into one set of patients, so that the usual view
// is a single condition.
func (s Subject) view(t fhir.ResourceType, permissions string) search.Expr {
	class := compartment.ClassOf(t)
	if class == compartment.Closed || t == "" {
		return nil
	}
	u := union{}
	for _, scope := range s.facts.Scopes.Clinical() {
		if !scope.Concerns(t) {
			continue
		}
		for i := 0; i < len(permissions); i++ {
			if scope.Allows(permissions[i]) && s.levelStands(scope, t, permissions[i]) {
				u.add(s.base(scope.Level(), class), constraint(scope, t))
				break
			}
		}
	}
	for i := 0; i < len(permissions); i++ {
		if permissions[i] == 'r' {
			u.addSelf(s, t)
		}
	}
	return u.expr()
}
