package fhirsql_test

import (
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// The categories of every universe: x is read by patients about themselves, and by
// practitioners in one app; y by those who stand for patients, and by services, in another.
var categories = sensitive.New([]sensitive.Definition{
	{Name: "x", Codes: []sensitive.Code{{System: "urn:s", Code: "x*"}}, Labels: []sensitive.Code{{System: "urn:l", Code: "x"}}, Readers: []access.Reader{
		{Audience: access.AudiencePatient, Apps: []string{"*"}}, {Audience: access.AudiencePractitioner, Apps: []string{"ehr"}}}},
	{Name: "y", Codes: []sensitive.Code{{System: "urn:s", Code: "y"}}, Readers: []access.Reader{
		{Audience: access.AudienceRepresentative, Apps: []string{"app"}}, {Audience: access.AudienceService, Apps: []string{"app"}}}},
	{Name: sensitive.Unlisted, Readers: []access.Reader{{Audience: access.AudiencePractitioner, Apps: []string{"*"}}}},
}, []sensitive.Code{{System: "urn:l", Code: "o"}})

// marked are resources of which some hold codes and labels, wherever they may stand.
func marked(plain map[string]func(t *rapid.T) object) map[string]func(t *rapid.T) object {
	all := map[string]func(t *rapid.T) object{}
	for kind, make := range plain {
		all[kind] = func(t *rapid.T) object {
			content := make(t)
			if code := one(t, nil, nil, nil, nil, nil, "x1", "y", "z", "yy"); code != nil {
				coding := object{"system": "urn:s", "code": code}
				content["extension"] = []any{object{"url": "urn:e", "valueCodeableConcept": object{"coding": []any{object{"system": "urn:t", "code": "x1"}, coding}}}}
			}
			label := one(t, nil, nil, nil, nil, nil, nil, object{"system": "urn:l", "code": "x"}, object{"system": "urn:l", "code": "o"}, object{"system": "urn:l", "code": "?"})
			if label != nil {
				meta, _ := content["meta"].(object)
				if meta = maps.Clone(meta); meta == nil {
					meta = object{}
				}
				meta["security"] = []any{label}
				content["meta"] = meta
			}
			return content
		}
	}
	return all
}

// standing draws who stands behind a token.
func (g grant) standing(t *rapid.T) grant {
	g.Careful = rapid.Bool().Draw(t, "something is withheld")
	g.App = one(t, "app", "ehr").(string)
	if g.HasUser {
		g.FHIRUser = one(t, "", "Patient/a", "Patient/b", "RelatedPerson/r", "Practitioner/p", "Person/q").(string)
	}
	return g
}

// The oracle's own idea of all this.

// holds are the categories of a resource: its own, and of whatever it derives from.
func (u *universe) holdsCategories(r *thing) []string {
	all := []*thing{r}
	for next := all; len(next) > 0; next = next[1:] {
		for _, s := range append(u.rawSources(next[0]), u.targets(step(next[0].content, "medicationReference", ""))...) {
			if !slices.Contains(all, s) {
				all, next = append(all, s), append(next, s)
			}
		}
	}
	var found []string
	for _, part := range all {
		meta, _ := part.content["meta"].(object)
		labels, _ := meta["security"].([]any)
		for _, label := range labels {
			switch label.(object)["code"] {
			case "x":
				found = append(found, "x")
			case "?":
				found = append(found, "unlisted")
			}
		}
		if slices.Contains(sharedKinds, part.kind) && part.kind != "Medication" {
			continue
		}
		for _, code := range codesIn(part.content, "urn:s") {
			if strings.HasPrefix(code, "x") {
				found = append(found, "x")
			} else if code == "y" {
				found = append(found, "y")
			}
		}
	}
	return found
}

// codesIn are the codes of a system anywhere in content.
func codesIn(v any, system string) []string {
	var all []string
	switch v := v.(type) {
	case object:
		if code, ok := v["code"].(string); ok && v["system"] == system {
			all = append(all, code)
		}
		for _, part := range v {
			all = append(all, codesIn(part, system)...)
		}
	case []any:
		for _, part := range v {
			all = append(all, codesIn(part, system)...)
		}
	}
	return all
}

// cleared: whoever stands behind the token reads every category that the resource holds.
func (u *universe) cleared(g grant, r *thing) bool {
	if !g.Careful {
		return true
	}
	owners := setOf(u.owners(r))
	for _, category := range u.holdsCategories(r) {
		kind, id, _ := strings.Cut(g.FHIRUser, "/")
		who := map[string]string{"RelatedPerson": "representative", "Practitioner": "practitioner", "Patient": "representative"}[kind]
		if kind == "Patient" && slices.Equal(owners, []string{id}) {
			who = "patient"
		}
		if !g.HasUser && g.Patient == "" {
			who = "service"
		}
		reads := map[string]bool{
			"x patient": true, "x practitioner": g.App == "ehr", "y representative": g.App == "app", "y service": g.App == "app", "unlisted practitioner": true,
		}
		if !reads[category+" "+who] {
			return false
		}
	}
	return true
}

// keepingLabels is what an update comes to: labels stay as they were.
func keepingLabels(before *thing, content object) object {
	if before == nil {
		return content
	}
	next := maps.Clone(content)
	meta, _ := next["meta"].(object)
	if meta = maps.Clone(meta); meta == nil {
		meta = object{}
	}
	old, _ := before.content["meta"].(object)
	delete(meta, "security")
	if labels, ok := old["security"]; ok {
		meta["security"] = labels
	}
	next["meta"] = meta
	return next
}
