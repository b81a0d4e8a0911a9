package fhirstore

import (
	"math"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
)

// Tie is what one resource says about who leads to whom: a practitioner to a role of
// theirs or to an organization that they work for, and each of these to a patient whom
// they care for; and somebody who stands for a patient to the patient, or to the patient
// as a minor, who leads to the patient until they come of age.
type Tie struct {
	Agent   fhir.Reference // Practitioner, PractitionerRole, Organization, RelatedPerson or a minor
	LeadsTo fhir.Reference // PractitionerRole, Organization, Patient, a minor or Everybody
	Span
}

// Everybody is whom a role leads to that reaches all patients. It is no resource: no id is
// spelled so.
var Everybody = fhir.Reference{Type: "Patient", ID: "*"}

// minor is a patient who is not of age. It is no resource: there is no such type.
const minor fhir.ResourceType = "Minor"

// Minor is a patient as who they are until they come of age.
func Minor(patient string) fhir.Reference { return fhir.Reference{Type: minor, ID: patient} }

// IsMinor reports whether a tie leads to a patient as a minor.
func (t Tie) IsMinor() bool { return t.LeadsTo.Type == minor }

// Span is when something holds, in Unix milliseconds, both ends included.
type Span struct{ Since, Until int64 }

// Holds reports whether the span includes a moment.
func (s Span) Holds(at time.Time) bool {
	ms := at.UnixMilli()
	return s.Since <= ms && ms <= s.Until
}

// End is the first moment after the span; false: it has no end.
func (s Span) End() (time.Time, bool) {
	return time.UnixMilli(s.Until).Add(time.Millisecond).UTC(), s.Until != math.MaxInt64
}

// Within is the part of two spans that they have in common.
func (s Span) Within(o Span) Span { return Span{max(s.Since, o.Since), min(s.Until, o.Until)} }

// always is the span of what has no period.
var always = Span{math.MinInt64, math.MaxInt64}

// periodOf reads a Period, if there is one. What cannot be read never holds.
func periodOf(v any) (Span, bool) {
	span := always
	period, present := v.(fhir.Object)
	if !present {
		return span, v == nil
	}
	if start, ok := period["start"].(string); ok {
		from, _, good := moments(start)
		if !good {
			return span, false
		}
		span.Since = from.Add(time.Millisecond - time.Nanosecond).UnixMilli() // the first whole one
	}
	if end, ok := period["end"].(string); ok {
		_, to, good := moments(end)
		if !good {
			return span, false
		}
		span.Until = to.UnixMilli()
	}
	return span, true
}

// moments are the first and the last moment of a FHIR date or dateTime.
func moments(s string) (from, to time.Time, ok bool) {
	for _, form := range []struct {
		layout string
		years  int
		months int
		days   int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {"2006-01-02", 0, 0, 1}} {
		if t, err := time.Parse(form.layout, s); err == nil {
			return t, t.AddDate(form.years, form.months, form.days).Add(-time.Nanosecond), true
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, t, err == nil
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

func objects(v any) []fhir.Object {
	var all []fhir.Object
	for _, item := range listOf(v) {
		if o, ok := item.(fhir.Object); ok {
			all = append(all, o)
		}
	}
	return all
}

// localReference reads a Reference to a resource of this store, whatever its version.
func localReference(v any, base string) (fhir.Reference, bool) {
	o, _ := v.(fhir.Object)
	text, _ := o["reference"].(string)
	ref, ok := fhir.ParseReference(text, base)
	ref.Version = ""
	return ref, ok
}
