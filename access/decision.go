package access

import (
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Decision is the outcome of Decide. Only this package makes one that allows;
// the zero value denies and sees nothing. It is immutable.
type Decision struct {
	allowed    bool
	system     bool
	permission byte
	known      *known
	base       string // of a system decision
	reason     Reason
	rule, what string
	refusal    Refusal
}

// Refusal says why not, in a sentence that is safe for strangers.
type Refusal struct {
	// InsufficientScope: another token might (RFC 6750 §3.1).
	InsufficientScope bool
	Text              string
}

// Error makes a Refusal the error of a write; its text is safe for strangers.
func (r Refusal) Error() string { return r.Text }

// HTTPStatus is the status of the answer. Every refusal is 403: it comes from
// token and request line, never from data, which is told as missing.
func (r Refusal) HTTPStatus() int { return http.StatusForbidden }

// OutcomeCode is the issue code of the OperationOutcome.
func (r Refusal) OutcomeCode() string { return "forbidden" }

func (d Decision) allow(reason Reason, rule, what string) Decision {
	d.allowed, d.reason, d.rule, d.what = true, reason, rule, what
	return d
}

func (d Decision) refuse(reason Reason, r Refusal) Decision {
	d.refusal, d.reason, d.rule, d.what = r, reason, "refused: ", r.Text
	return d
}

// Allowed reports whether the interaction may be tried.
func (d Decision) Allowed() bool { return d.allowed }

// Refusal is why not; the zero value when Allowed is true.
func (d Decision) Refusal() Refusal {
	if !d.allowed && d.refusal.Text == "" {
		return Refusal{Text: "Nothing allows this."}
	}
	return d.refusal
}

// Reasons name the rules that decided, for the record of the server.
func (d Decision) Reasons() []string {
	if d.rule == "" {
		return []string{"refused: " + d.Refusal().Text}
	}
	return []string{d.rule + d.what}
}

// Base is the FHIR base whose absolute references count as local.
func (d Decision) Base() string {
	if d.known != nil {
		return d.known.facts.Base
	}
	return d.base
}

// View is the condition that resources of a type fulfil to be found or read. A
// nil Expr matches nothing.
func (d Decision) View(t fhir.ResourceType) search.Expr {
	switch {
	case !d.allowed:
		return nil
	case d.system:
		return search.And{}
	}
	c := d.known.of(t)
	switch d.permission {
	case 'r':
		return c.read
	case 's':
		return c.find
	case exporting:
		return c.exported()
	}
	if c.class == compartment.Closed {
		return nil
	}
	return d.known.cleared(c.class, d.known.union(t, c.class, string(d.permission)).expr())
}

// IncludeView is the condition for resources that come along by reference: what
// the subject may read or find.
func (d Decision) IncludeView(t fhir.ResourceType) search.Expr {
	switch {
	case !d.allowed:
		return nil
	case d.system:
		return search.And{}
	case d.permission == exporting: // what comes along is exported by its own type
		return nil
	}
	return d.known.of(t).include
}

// Admits reports whether a resource is in the view.
func (d Decision) Admits(r fhir.Resource, owners search.Owners) bool {
	return !r.IsZero() && search.Match(d.View(r.Type()), r, owners, d.Base())
}

// AdmitsInclude reports whether a resource may come along.
func (d Decision) AdmitsInclude(r fhir.Resource, owners search.Owners) bool {
	return !r.IsZero() && search.Match(d.IncludeView(r.Type()), r, owners, d.Base())
}
