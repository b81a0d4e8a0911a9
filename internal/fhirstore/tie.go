package fhirstore

import (
	"math"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
)

// Tie is what one resource says about who leads to whom: a practitioner to a role of
// theirs, and either of them to a patient whom they care for.
type Tie struct {
	Agent   fhir.Reference // Practitioner or PractitionerRole
	LeadsTo fhir.Reference // PractitionerRole or Patient
	Span
}

// Span is when something holds, in Unix milliseconds, both ends included.
type Span struct{ Since, Until int64 }

// Holds reports whether the span includes a moment.
func (s Span) Holds(at time.Time) bool {
	ms := at.UnixMilli()
	return s.Since <= ms && ms <= s.Until
}

// within is the part of two spans that they have in common.
func (s Span) within(o Span) Span { return Span{max(s.Since, o.Since), min(s.Until, o.Until)} }

// always is the span of what has no period.
var always = Span{math.MinInt64, math.MaxInt64}

// tying are the types that tie, each with its rule.
var tying = map[fhir.ResourceType]func(r fhir.Resource, base string) []Tie{
	"PractitionerRole": roleTies, "Patient": patientTies, "CareTeam": careTeamTies, "Group": groupTies,
}

// Ties returns what a resource ties. References that are not local tie nobody.
func Ties(r fhir.Resource, base string) []Tie {
	rule, ok := tying[r.Type()]
	if !ok {
		return nil
	}
	var list []Tie
	for _, t := range rule(r, base) {
		agent := t.Agent.Type == "Practitioner" || t.Agent.Type == "PractitionerRole" && t.LeadsTo.Type == "Patient"
		if agent && t.Since <= t.Until {
			list = append(list, t)
		}
	}
	return list
}

// roleTies: a role that is active leads from its practitioner.
func roleTies(r fhir.Resource, base string) []Tie {
	role := r.Tree()
	span, readable := periodOf(role["period"])
	practitioner, ok := localReference(role["practitioner"], base)
	if role["active"] == false || !readable || !ok || practitioner.Type != "Practitioner" {
		return nil
	}
	return []Tie{{practitioner, fhir.Reference{Type: "PractitionerRole", ID: r.ID()}, span}}
}

// patientTies: whom a patient names as their general practitioner.
func patientTies(r fhir.Resource, base string) []Tie {
	var list []Tie
	for _, named := range listOf(r.Tree()["generalPractitioner"]) {
		if agent, ok := localReference(named, base); ok {
			list = append(list, Tie{agent, fhir.Reference{Type: "Patient", ID: r.ID()}, always})
		}
	}
	return list
}

// careTeamTies: the participants of an active care team, and its subject.
func careTeamTies(r fhir.Resource, base string) []Tie {
	team := r.Tree()
	span, readable := periodOf(team["period"])
	subject, ok := localReference(team["subject"], base)
	if team["status"] != "active" || !readable || !ok || subject.Type != "Patient" {
		return nil
	}
	var list []Tie
	for _, p := range objects(team["participant"]) {
		taking, readable := periodOf(p["period"])
		if agent, ok := localReference(p["member"], base); ok && readable {
			list = append(list, Tie{agent, subject, span.within(taking)})
		}
	}
	return list
}

// groupTies: who manages a Group of persons, and its active members.
func groupTies(r fhir.Resource, base string) []Tie {
	agent, ok := localReference(r.Tree()["managingEntity"], base)
	if !ok {
		return nil
	}
	var list []Tie
	for _, m := range Members(r, base) {
		list = append(list, Tie{agent, m.Patient, m.Span})
	}
	return list
}

// Member is a patient in a Group, and when.
type Member struct {
	Patient fhir.Reference
	Span
}

// Members returns the active members of a Group of persons who are patients.
func Members(r fhir.Resource, base string) []Member {
	group := r.Tree()
	if group["active"] == false || group["type"] != "person" {
		return nil
	}
	var list []Member
	for _, m := range objects(group["member"]) {
		span, readable := periodOf(m["period"])
		patient, ok := localReference(m["entity"], base)
		if m["inactive"] != true && readable && ok && patient.Type == "Patient" {
			list = append(list, Member{patient, span})
		}
	}
	return list
}

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
