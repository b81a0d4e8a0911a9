package access

import (
	"errors"
	"reflect"
	"slices"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// ErrHidden: what should be changed is not in the view. To the caller it is as if
// it were not there.
var ErrHidden = errors.New("access: not in the view")

// State is a resource as it is stored or would be, with the patients it is about.
// The zero State is no resource.
type State struct {
	Resource fhir.Resource
	Owners   search.Owners
}

// Change is a write that the policy permits, from one state to another. Only
// Decision.Change makes one; a backend writes nothing without it, and writes what
// it says and nothing else. The zero Change permits nothing.
type Change struct {
	permission    byte
	before, after State
}

// Creates reports whether the change makes a resource that was not there.
func (c Change) Creates() bool { return c.permission == 'c' }

// Deletes reports whether the change takes a resource away.
func (c Change) Deletes() bool { return c.permission == 'd' }

// IsZero reports whether nothing is permitted.
func (c Change) IsZero() bool { return c.permission == 0 }

// After is what is written; the zero State for a deletion.
func (c Change) After() State { return c.after }

// Change judges a write by the old state and by the new one (C.2 of the design):
// the zero State before is a creation, the zero State after a deletion. Both must
// be in the view of the permission; whom a resource is about stays as it was, and
// so do labels and what says who reaches whom. The error is ErrHidden, or a Refusal
// that depends on nothing but what the caller sends and sees.
func (d Decision) Change(before, after State) (Change, error) {
	creates, deletes := before.Resource.IsZero(), after.Resource.IsZero()
	c := Change{permission: d.permission, before: before, after: after}
	switch {
	case !d.allowed:
		return Change{}, d.Refusal()
	case d.system || creates && deletes || creates != (d.permission == 'c') || deletes != (d.permission == 'd') || d.permission == 'r' || d.permission == 's':
		return Change{}, Refusal{Text: "This is not what was allowed."}
	}
	if !creates {
		if err := d.mayTouch(before); err != nil {
			return Change{}, err
		}
	}
	if deletes {
		return c, nil
	}
	if !creates {
		if err := keeps(before, after); err != nil {
			return Change{}, err
		}
	}
	if touchesPolicy(before.Resource, after.Resource, policyElements[after.Resource.Type()]) {
		return Change{}, Refusal{Text: "No app sets what says who reaches a patient: generalPractitioner, managingOrganization and link stay as they are."}
	}
	if !creates && d.known.facts.AgeLeads && touchesPolicy(before.Resource, after.Resource, lastingElements[after.Resource.Type()]) {
		return Change{}, Refusal{Text: "No app changes how long somebody stands for a patient: birthDate stays as it is."}
	}
	if !d.Admits(after.Resource, after.Owners) {
		return Change{}, Refusal{Text: "This access does not reach what the content would be: look at whom it is about, at the conditions of the scopes, and at what of it is sensitive."}
	}
	return c, nil
}

// mayTouch: the old state must be in the view. Where it can be read, it is told
// openly that it cannot be changed.
func (d Decision) mayTouch(before State) error {
	switch {
	case d.Admits(before.Resource, before.Owners):
		return nil
	case d.Shows(before):
		return Refusal{Text: "This access reads the resource and does not change it."}
	}
	return ErrHidden
}

// keeps: what an update leaves as it was (rows 62 and 72 of the leak catalogue).
func keeps(before, after State) error {
	switch {
	case before.Resource.Reference() != after.Resource.Reference():
		return Refusal{Text: "A resource stays what it is: its type and id do not change."}
	case !sameOwners(before.Owners, after.Owners):
		return Refusal{Text: "Whom a resource is about does not change. Create another one for the other patient."}
	case !before.Resource.SameLabels(after.Resource):
		return Refusal{Text: "Labels and tags stay as they are."}
	}
	return nil
}

func sameOwners(a, b search.Owners) bool {
	return slices.Equal(slices.Sorted(slices.Values(a.Required)), slices.Sorted(slices.Values(b.Required)))
}

// touchesPolicy: one of the elements, which say who reaches whom, or how long, is another.
func touchesPolicy(before, after fhir.Resource, elements []string) bool {
	for _, name := range elements {
		if !reflect.DeepEqual(before.Tree()[name], after.Tree()[name]) || !reflect.DeepEqual(before.Tree()["_"+name], after.Tree()["_"+name]) {
			return true
		}
	}
	return false
}

// Shows reports whether the subject may read a state: whether the answer to a write
// may hold it (RSX-22).
func (d Decision) Shows(s State) bool {
	return d.allowed && !d.system && !s.Resource.IsZero() && search.Match(d.known.of(s.Resource.Type()).read, s.Resource, s.Owners, d.Base())
}

// Edits: a patch fails and succeeds by what is there, so only who may read that sends
// one (row 65 of the leak catalogue). The error is a Refusal.
func (d Decision) Edits(before State) error {
	if !d.Shows(before) {
		return Refusal{Text: "A patch depends on what is there, and this access does not read the resource. Send an update."}
	}
	return nil
}

// TargetView is the condition for what a write may name: what it may change, and
// what is read, which is told openly that it stays.
func (d Decision) TargetView(t fhir.ResourceType) search.Expr {
	if !d.allowed || d.system {
		return nil
	}
	changes, reads := d.View(t), d.known.of(t).read
	switch {
	case changes == nil:
		return reads
	case reads == nil:
		return changes
	}
	return search.Or{changes, reads}
}

// Knows reports whether a new reference to a patient or to who logged in may stand
// in what somebody writes, though no scope lets them read it: whom the content is
// about was judged already, and fhirUser was told by the token.
func (d Decision) Knows(ref fhir.Reference, of State) bool {
	if !d.allowed || d.known == nil {
		return false
	}
	if ref.Type == "Patient" && slices.Contains(of.Owners.Required, ref.ID) {
		return true
	}
	own := d.known.facts.FHIRUser
	return d.known.readsSelf && ref.Type == own.Type && ref.ID == own.ID
}
