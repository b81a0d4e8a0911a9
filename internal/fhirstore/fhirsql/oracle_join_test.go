package fhirsql_test

import (
	"slices"
	"strings"
)

// joined are conditions on other resources that are asked of a type.
var joined = map[string][][2]string{
	"Patient": {{"_has:Observation:patient:category", "laboratory"}, {"_has:Observation:patient:_has:DiagnosticReport:result:status", "final"}, {"_has:Group:member:_id", "g"},
		{"_has:Observation:performer:subject:Patient.gender", "male"}, {"link.name", "pen"}, {"link:Patient.gender:not", "male"}, {"organization.name", "clin"}, {"general-practitioner.name", "do"},
		{"general-practitioner.name", "cl"}, {"_has:Patient:link:gender", "male"}, {"_list", "1"}, {"_list", "0,2"}, {"_has:Encounter:patient:date:missing", "true"}},
	"Observation": {{"subject:Patient.name", "pen"}, {"patient.gender:not", "male"}, {"subject.family:exact", "Peña"}, {"patient.general-practitioner.name", "do"}, {"performer.name", "do"},
		{"performer.name", "p"}, {"performer:Patient.birthdate", "1980"}, {"encounter.status", "final"}, {"encounter.patient.gender", "female"}, {"has-member.category", "laboratory"},
		{"has-member.has-member.has-member.status", "final"}, {"_has:DiagnosticReport:result:status", "final"}, {"_has:Observation:has-member:date", "2024"}, {"_has:Provenance:target:recorded", "2024"},
		{"patient._has:Coverage:beneficiary:status", "active"}, {"patient.link.name", "pen"}, {"subject:Group._id", "g"}, {"_list", "0"}, {"encounter.patient:missing", "true"},
		{"subject._id", "a,b"}, {"patient._list", "3"}, {"has-member.subject", "Patient/b"}, {"has-member.component-code-value-quantity", "sys$120"}, {"_has:Observation:has-member:subject:identifier", "a"}, {"encounter._has:Condition:encounter:asserter", "Patient/b"}},
	"Encounter":        {{"_has:Observation:encounter:code", loinc + "|1-8"}, {"patient.name:contains", "EN"}, {"_has:Condition:encounter:patient.gender", "male"}},
	"DiagnosticReport": {{"result.value-quantity", "gt5"}, {"result.performer", "Patient/b"}, {"subject:Patient.birthdate", "lt1981"}},
	"Coverage":         {{"payor.name", "cl"}, {"payor:Patient.name", "pen"}, {"subscriber.gender", "female"}},
	"Provenance":       {{"target:Observation.status", "final"}, {"target:Patient.name", "pen"}, {"target:Provenance.target", "Patient/a"}},
	"List":             {{"item:Observation.status", "final"}, {"subject.name", "pen"}, {"item:Patient.gender", "male"}},
	"Practitioner":     {{"_has:Observation:performer:status", "final"}, {"_has:Patient:general-practitioner:name", "pen"}},
	"Organization":     {{"_has:Patient:organization:gender", "female"}, {"_has:Coverage:payor:status", "final"}, {"_has:Patient:organization:_has:Observation:subject:date", "ge2024"}},
}

// fulfils evaluates name=value on a resource and on what a grant finds around it.
func (u *universe) fulfils(g grant, r *thing, name, value string) bool {
	if name == "_list" {
		return u.fulfils(g, r, "_has:List:item:_id", value)
	}
	if reverse, ok := strings.CutPrefix(name, "_has:"); ok {
		parts := strings.SplitN(reverse, ":", 3)
		return slices.ContainsFunc(u.things, func(other *thing) bool {
			return other.kind == parts[0] && u.sees(g, other, "s") && slices.Contains(u.targets(u.defs.values(other, parts[1])), r) && u.fulfils(g, other, parts[2], value)
		})
	}
	head, rest, chained := strings.Cut(name, ".")
	if !chained {
		return u.holds(r, name, value)
	}
	code, kind, _ := strings.Cut(head, ":")
	return slices.ContainsFunc(u.targets(u.defs.values(r, code)), func(other *thing) bool {
		return (kind == "" || kind == other.kind) && u.sees(g, other, "s") && u.defs.knows(other.kind, rest) && u.fulfils(g, other, rest, value)
	})
}

// knows: a type has the first parameter of a condition.
func (d definitions) knows(kind, name string) bool {
	code, _, _ := strings.Cut(strings.Split(name, ".")[0], ":")
	_, own := d[kind][code]
	return own || strings.HasPrefix(code, "_")
}
