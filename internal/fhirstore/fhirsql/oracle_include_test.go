package fhirsql_test

import (
	"slices"
	"strings"
)

// further includes that are asked of a type, or of any.
var further = map[string][][2]string{
	"": {{"_include", "*"}, {"_revinclude:iterate", "Provenance:target"}, {"_include:iterate", "Patient:*"}, {"_revinclude:iterate", "Observation:has-member"},
		{"_include:iterate", "Observation:subject:Patient"}, {"_revinclude:iterate", "Coverage:*"}, {"_include:iterate", "List:item"}},
	"Observation":      {{"_include:iterate", "Observation:has-member"}, {"_include:iterate", "Observation:encounter"}, {"_include:iterate", "Encounter:patient"}, {"_revinclude", "Observation:*"}, {"_include:iterate", "Observation:*"}},
	"Patient":          {{"_include:iterate", "Patient:link"}, {"_revinclude:iterate", "Patient:link"}, {"_include:iterate", "Patient:general-practitioner"}, {"_revinclude", "Encounter:*"}, {"_revinclude:iterate", "Observation:patient"}},
	"DiagnosticReport": {{"_include:iterate", "DiagnosticReport:result"}, {"_include:iterate", "Observation:has-member"}},
	"Provenance":       {{"_include:iterate", "Provenance:target"}, {"_include", "Provenance:*"}},
	"Organization":     {{"_revinclude:iterate", "Patient:organization"}, {"_revinclude:iterate", "Observation:patient"}},
}

// included are the references, in their order, that come along with a page.
func (u *universe) included(g grant, q question, page []*thing) []string {
	all := slices.Clone(page)
	take := func(name, value string, from []*thing) {
		for _, r := range u.things {
			if !slices.Contains(all, r) && u.sees(g, r, "rs") && slices.ContainsFunc(from, func(m *thing) bool { return u.comesWith(name, value, m, r) }) {
				all = append(all, r)
			}
		}
	}
	asked := append([][2]string{{"_include", q.Include}, {"_revinclude", q.RevInclude}}, q.More...)
	for _, i := range asked {
		if i[1] != "" && !strings.HasSuffix(i[0], ":iterate") {
			take(i[0], i[1], page)
		}
	}
	for before := 0; before < len(all); {
		before = len(all)
		for _, i := range asked {
			if name, iterated := strings.CutSuffix(i[0], ":iterate"); iterated {
				take(name, i[1], slices.Clone(all))
			}
		}
	}
	var refs []string
	for _, r := range all[len(page):] {
		refs = append(refs, r.kind+"\x00"+r.id)
	}
	slices.Sort(refs)
	for i := range refs {
		refs[i] = strings.Replace(refs[i], "\x00", "/", 1)
	}
	return refs
}

// comesWith: an include names a reference of m to r, or backwards one of r to m.
func (u *universe) comesWith(name, value string, m, r *thing) bool {
	if name == "_revinclude" {
		m, r = r, m
	}
	parts := strings.Split(value, ":")
	if value == "*" {
		parts = []string{m.kind, "*"}
	}
	if parts[0] != m.kind || len(parts) > 2 && parts[2] != r.kind {
		return false
	}
	for code, d := range u.defs[m.kind] {
		if d.kind == "reference" && (parts[1] == "*" || parts[1] == code) && slices.Contains(u.targets(u.defs.values(m, code)), r) {
			return true
		}
	}
	return false
}
