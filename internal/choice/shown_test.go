package choice_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/choice"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

// What was granted is told in the words of the approval page: each kind once, reading
// apart from writing, a wildcard as what it is, a part as a part.
//
// spec: CONS-18, CONS-12
func TestShown(t *testing.T) {
	const lab = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
	for name, row := range map[string]struct {
		granted     []string
		read, write []string
	}{
		"nothing clinical":       {[]string{"openid", "fhirUser", "offline_access", "launch/patient"}, nil, nil},
		"unknown":                {[]string{"patient/Nonsense.zz", "x"}, nil, nil},
		"one type":               {[]string{"patient/MedicationRequest.rs"}, []string{"medicines patient/MedicationRequest.rs type.MedicationRequest"}, nil},
		"reading and writing":    {[]string{"patient/Observation.cruds"}, []string{"observations patient/Observation.rs "}, []string{"observations patient/Observation.cud access.delete"}},
		"a part":                 {[]string{lab}, []string{"observations " + lab + " part.laboratory"}, nil},
		"a wildcard":             {[]string{"patient/*.rs"}, []string{"everything patient/*.rs "}, nil},
		"a wildcard of SMART 1":  {[]string{"patient/*.read"}, []string{"everything patient/*.read "}, nil},
		"what a wildcard covers": {[]string{"patient/*.rs", "patient/Condition.rs", lab}, []string{"everything patient/*.rs "}, nil},
		"beside a wildcard": {[]string{"patient/*.rs", "patient/Goal.cu"}, []string{"everything patient/*.rs "},
			[]string{"care patient/Goal.cu access.update"}},
		"a wildcard that writes": {[]string{"user/*.cruds"}, []string{"everything user/*.rs "}, []string{"everything user/*.cud "}},
	} {
		read, write := choice.Shown(row.granted)
		if diff := cmp.Diff(row.read, flat(read)) + cmp.Diff(row.write, flat(write)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func flat(rows []page.ScopeRow) []string {
	var list []string
	for _, r := range rows {
		for _, c := range r.Choices {
			list = append(list, r.Group+" "+c.Value+" "+c.Label)
		}
	}
	return list
}

// What is told of an app says what is known of it, and no more.
//
// spec: CONS-23
func TestApp(t *testing.T) {
	for want, c := range map[string]store.Client{
		"checked": {Checked: true, SelfRegistered: true}, "self": {SelfRegistered: true}, "registered": {},
	} {
		if got := choice.App(c, false); got.Status != want {
			t.Errorf("%s: %s", want, got.Status)
		}
	}
	if got := choice.App(store.Client{Name: "n", Maker: "m"}, true); got.Status != "test" || got.Name != "n" || got.Maker != "m" {
		t.Errorf("in a sandbox: %+v", got)
	}
}
