package upstream_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/smart"
)

// A chain from whom a resource is about to the patient leads to patients in the view
// alone: what others are called changes nothing, and is not asked.
//
// attack: B.40, B.25
func TestTheOneChain(t *testing.T) {
	h := newHonest(t, of(append(both,
		`{"resourceType":"Patient","id":"kid","name":[{"family":"Adams"}]}`, observation("kid", `,"id":"k1","performer":[{"reference":"Patient/alice"}]`),
		`{"resourceType":"Observation","id":"no-subject","status":"final","code":{"text":"x"},"performer":[{"reference":"Patient/alice"}]}`)...))
	g := newGate(t, h.base)
	panel := userToken("alice", "bob")
	one := patientToken("alice", "patient/Observation.rs", "patient/Patient.rs?name=Nobody")
	many := userToken(append(many(80), "alice")...)
	for _, row := range []struct {
		name, query string
		who         access.Facts
		want        []string
	}{
		{"own name", "patient.name=Adams", patientToken("alice"), []string{"Observation/a1"}},
		{"by the other parameter", "subject:Patient.name=Adams", patientToken("alice"), []string{"Observation/a1"}},
		{"another's name", "patient.name=" + secret, patientToken("alice"), []string{}},
		{"nobody's name", "patient.name=Nobody", patientToken("alice"), []string{}},
		{"a panel", "patient.name=Adams", panel, []string{"Observation/a1"}},
		{"all of a panel", "patient.name:contains=a", panel, []string{"Observation/a1"}},
		{"two chains", "patient.name=Adams&patient._id=bob", panel, []string{}},
		{"and a name", "patient.name=Adams&patient=bob", panel, []string{}},
		{"and a condition", "patient.name=Adams&identifier=urn:i|one", panel, []string{"Observation/a1"}},
		{"where Patient is constrained", "patient.name=Adams", one, []string{}},
		{"many patients", "patient.name=Adams", many, []string{"Observation/a1"}},
		{"everybody", "patient.name=Adams", access.Facts{ClientID: "s", GrantID: "s", Scopes: smart.NewScopeSet([]string{"system/*.rs"}), Own: access.Own{All: true}, Base: base}, []string{"Observation/a1", "Observation/k1"}},
	} {
		h.asked()
		page, err := find(t, g, row.who, "Observation", row.query)
		if err != nil || !slices.Equal(sorted(ids(page.Matches)), row.want) {
			t.Errorf("%s: %v, %v", row.name, ids(page.Matches), err)
		}
		calls, forms := h.asked()
		for i, r := range calls {
			asked := r.URL.RawQuery + forms[i]
			if row.who.HasUser && strings.Contains(asked, ".") && strings.Contains(asked, "name=") && !strings.Contains(asked, "_id=") {
				t.Errorf("%s: asked %s?%s", row.name, r.URL.Path, asked)
			}
			if strings.Contains(asked, "patient.name") || strings.Contains(asked, "subject%3APatient") {
				t.Errorf("%s: a chain was sent on: %s", row.name, asked)
			}
		}
	}
	if got := get(doorBefore(t, g), "both", "/Observation?patient.name=Adams&_count=1&_total=accurate"); got.Code != 200 || !strings.Contains(got.Body.String(), `"total":1`) || !strings.Contains(got.Body.String(), `patient.name=Adams`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// many are patients who are not there.
func many(n int) (list []string) {
	for i := range n {
		list = append(list, "nobody-"+string(rune('a'+i/26))+string(rune('a'+i%26)))
	}
	return list
}
