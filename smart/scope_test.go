package smart_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/smart"
)

const (
	labs   = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
	vitals = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
)

// read is what a parsed scope says.
type read struct {
	Level       smart.Level
	Type        fhir.ResourceType
	Permissions string
	Version1    bool
	Query       []string
}

func reading(s smart.Scope) read {
	r := read{s.Level(), s.Type(), s.Permissions(), s.Version1(), nil}
	for _, c := range s.Query() {
		r.Query = append(r.Query, c.String())
	}
	return r
}

// spec: SCOPE-01, SCOPE-02, SCOPE-07, SCOPE-08, SCOPE-13, SCOPE-28, SCOPE-34, SCOPE-35, RSX-11
func TestScopesThatAreUnderstood(t *testing.T) {
	for _, row := range []struct {
		text string
		want read
	}{
		// Appendix A, accept.
		{"patient/Observation.rs", read{smart.LevelPatient, "Observation", "rs", false, nil}},
		{"user/*.cruds", read{smart.LevelUser, smart.AnyType, "cruds", false, nil}},
		{"system/Encounter.cud", read{smart.LevelSystem, "Encounter", "cud", false, nil}},
		{"patient/Patient.r", read{smart.LevelPatient, "Patient", "r", false, nil}},
		{"patient/*.read", read{smart.LevelPatient, smart.AnyType, "rs", true, nil}},
		{"user/Observation.*", read{smart.LevelUser, "Observation", "cruds", true, nil}},
		{"patient/Observation.rs?category=" + labs, read{smart.LevelPatient, "Observation", "rs", false, []string{"category=" + labs}}},
		{"patient/Observation.rs?category=a|b&code=c|d", read{smart.LevelPatient, "Observation", "rs", false, []string{"category=a|b", "code=c|d"}}},
		// Version 1 words.
		{"patient/Observation.write", read{smart.LevelPatient, "Observation", "cud", true, nil}},
		{"system/*.read", read{smart.LevelSystem, smart.AnyType, "rs", true, nil}},
		{"patient/*.*", read{smart.LevelPatient, smart.AnyType, "cruds", true, nil}}, // SC-13
		// Single letters and any subset in order.
		{"user/Condition.c", read{smart.LevelUser, "Condition", "c", false, nil}},
		{"user/Condition.s", read{smart.LevelUser, "Condition", "s", false, nil}},
		{"user/Condition.cds", read{smart.LevelUser, "Condition", "cds", false, nil}},
		// Constraints: lists, dates with prefixes, references, the wildcard's own.
		{"patient/Observation.s?category=laboratory,vital-signs", read{smart.LevelPatient, "Observation", "s", false, []string{"category=laboratory,vital-signs"}}},
		{"patient/Observation.r?date=ge2024-01", read{smart.LevelPatient, "Observation", "r", false, []string{"date=ge2024-01"}}},
		{"patient/Observation.rs?patient=B", read{smart.LevelPatient, "Observation", "rs", false, []string{"patient=B"}}}, // SC-12
		{"patient/Observation.rs?category=http://x.example/a?b=c|d", read{smart.LevelPatient, "Observation", "rs", false, []string{"category=http://x.example/a?b=c|d"}}},
		{"patient/*.rs?_tag=http://example.org|t", read{smart.LevelPatient, smart.AnyType, "rs", false, []string{"_tag=http://example.org|t"}}},
		{"user/*.rs?_security=http://example.org|t", read{smart.LevelUser, smart.AnyType, "rs", false, []string{"_security=http://example.org|t"}}},
	} {
		t.Run(row.text, func(t *testing.T) {
			scope, err := smart.ParseScope(row.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, reading(scope)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if scope.String() != row.text || scope.IsZero() {
				t.Errorf("printed as %q", scope.String())
			}
		})
	}
}

// refusals are texts that grant nothing, with the row that says so.
var refusals = []struct{ row, text string }{
	{"A", "patient/Observation.dus"}, {"A", "patient/Observation."}, {"A", "patient/Observation.rr"}, {"A", "patient/observation.rs"},
	{"A", "Patient/Observation.rs"}, {"A", "patient/Observation"}, {"A", "patient/Observation.rs?"}, {"A", "patient/Observation.rs?category"},
	{"A", "patient/Observation.rs?=x"}, {"A", "patient/.rs"}, {"A", "patients/Observation.rs"}, {"A", "patient/Observation.readwrite"},
	{"A", "patient/Observation.sr"}, {"A", "launch/Patient"}, {"A", "patient/Observation.read?category=x"},
	{"SC-01", "patient/Observation.read-only"}, {"SC-01", "patient/Observation.rsXYZ"}, {"SC-01", "patient/Observation.rs."}, {"SC-01", "patient/Observation.r s"},
	{"SC-03", "patient/Observation.sr"}, {"SC-03", "patient/Observation.dc"}, {"SC-03", "patient/Observation.sdurc"},
	{"SC-04", "PATIENT/Observation.rs"}, {"SC-04", "patient/Observation.RS"}, {"SC-04", "patient/Observation.Read"},
	{"SC-06", "/Observation.rs"}, {"SC-06", "patient//Observation.rs"}, {"SC-06", "patient/Observation.rs/"}, {"SC-06", "patient/"}, {"SC-06", "patient"},
	{"SC-07", "patient/Observation.rs?active"}, {"SC-07", "patient/Observation.rs??a=b"}, {"SC-07", "patient/Observation.rs?a=b?c=d"},
	{"SC-07", "patient/Observation.rs?category=b?c=d"}, {"SC-07", "patient/Observation.rs?category=u:b?c=d"}, {"SC-07", "patient/Observation.rs?category=a&"},
	{"SC-07", "patient/Observation.rs?&category=a"}, {"SC-07", "patient/Observation.rs?category="}, {"SC-07", "patient/Observation.rs?category=a,"},
	{"SC-09", "patient/Observation.rs?subject.name=Smith"}, {"SC-09", "patient/Observation.rs?subject:Patient.name=Smith"},
	{"SC-10", "patient/Patient.rs?_has:Observation:patient:code=x"}, {"SC-10", "patient/Observation.rs?_include=Observation:subject"},
	{"SC-10", "patient/Observation.rs?_INCLUDE=Observation:subject"}, {"SC-10", "patient/Observation.rs?_revinclude=Provenance:target"},
	{"SC-10", "patient/Observation.rs?_filter=x"}, {"SC-10", "patient/Observation.rs?_query=x"}, {"SC-10", "patient/Observation.rs?_id=B"},
	{"SC-10", "patient/Observation.rs?_count=1"}, {"SC-10", "patient/Observation.rs?_sort=date"}, {"SC-10", "patient/Observation.rs?_list=x"},
	{"SC-10", "patient/Observation.rs?_text=x"}, {"SC-10", "patient/Observation.rs?_content=x"},
	{"SC-13", "patient/*.rs?category=laboratory"}, {"SC-13", "*/*.*"}, {"SC-13", "patient/**.rs"},
	{"SC-18", "patient%2FObservation.rs"}, {"SC-19", "launch/"}, {"SC-19", "launch/PATIENT"}, {"SC-19", "launch/patient/../encounter"}, {"SC-19", "launch/practitioner?role=x"},
	{"SC-22", "patient/Observation.rs?category=" + strings.Repeat("x", 1025-len("patient/Observation.rs?category="))},
	{"SC-24", "user/all.all"}, {"SC-24", "patient/all.read"}, {"SC-25", "openid%20patient/Patient.rs"}, {"SC-25", "patient/Patient.rs\n"},
	{"SCOPE-04", "patient/Banana.rs"}, {"SCOPE-04", "patient/Resource.rs"}, {"SCOPE-04", "patient/DomainResource.rs"},
	{"SCOPE-03", "patient/Observation.rs?category=a\"b"}, {"SCOPE-03", "patient/Observation.rs?category=a\\,b"}, {"SCOPE-03", "patient/\tObservation.rs"}, {"SCOPE-03", "patient/Observation.rs\u00a0"},
	{"SCOPE-31", "patient/Observation.rs?foo=bar"}, {"SCOPE-31", "patient/Observation.rs?value-quantity=5"}, {"SCOPE-31", "patient/Observation.rs?combo-code-value-quantity=a$5"},
	{"SCOPE-31", "patient/Observation.rs?category=a&foo=bar"}, {"SCOPE-31", "patient/Observation.rs?date=soon"}, {"SCOPE-31", "patient/Patient.rs?category=laboratory"},
	{"SCOPE-32", "patient/Observation.rs?category:in=http://x"}, {"SCOPE-32", "patient/Observation.rs?code:in=http://x"}, {"SCOPE-32", "patient/Observation.rs?category:not=laboratory"},
	{"SCOPE-32", "patient/Observation.rs?category:missing=true"}, {"SCOPE-32", "patient/Observation.rs?subject:Patient=x"}, {"SCOPE-32", "patient/Patient.rs?name:exact=x"},
	{"SCOPE-47", "__x"}, {"SCOPE-47", "http://example.org/scope"}, {"SCOPE-47", "patient/Observation.rs?__x=1"},
	{"", ""},
}

// spec: SCOPE-03, SCOPE-04, SCOPE-05, SCOPE-06, SCOPE-07, SCOPE-31, SCOPE-32, SCOPE-47
// attack: SC-01, SC-03, SC-04, SC-06, SC-07, SC-09, SC-10, SC-13, SC-18, SC-19, SC-22, SC-24, SC-25, B.111
func TestScopesThatGrantNothing(t *testing.T) {
	for _, row := range refusals {
		t.Run(row.row+" "+row.text, func(t *testing.T) {
			scope, err := smart.ParseScope(row.text)
			if !errors.Is(err, smart.ErrScope) || !scope.IsZero() {
				t.Errorf("parsed as %+v, error %v", reading(scope), err)
			}
			if set := smart.NewScopeSet([]string{row.text}); !set.IsEmpty() || len(set.Clinical()) > 0 {
				t.Errorf("understood as %q", set)
			}
		})
	}
}

// spec: SCOPE-25
func TestEveryTypeHasItsScopes(t *testing.T) {
	for _, kind := range fhir.ResourceTypes() {
		for _, level := range []smart.Level{smart.LevelPatient, smart.LevelUser, smart.LevelSystem} {
			for _, word := range []string{"rs", "read"} {
				scope, err := smart.ParseScope(string(level) + "/" + string(kind) + "." + word)
				if err != nil || scope.Type() != kind || scope.Permissions() != "rs" || scope.Level() != level {
					t.Errorf("%s %s: %+v, %v", kind, word, reading(scope), err)
				}
			}
		}
	}
}

// spec: SCOPE-27, SCOPE-28, SCOPE-29, SCOPE-30
func TestCategoriesOfUSCore(t *testing.T) {
	for system, codes := range map[string][]string{
		"Condition http://terminology.hl7.org/CodeSystem/condition-category":                          {"encounter-diagnosis", "problem-list-item"},
		"Condition http://hl7.org/fhir/us/core/CodeSystem/condition-category":                         {"health-concern"},
		"Observation http://terminology.hl7.org/CodeSystem/observation-category":                      {"laboratory", "social-history", "survey", "vital-signs", "procedure"},
		"Observation http://hl7.org/fhir/us/core/CodeSystem/us-core-category":                         {"sdoh", "care-experience-preference", "treatment-intervention-preference"},
		"DocumentReference http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category": {"clinical-note"},
		"ServiceRequest http://hl7.org/fhir/us/core/CodeSystem/us-core-category":                      {"sdoh"},
	} {
		kind, url, _ := strings.Cut(system, " ")
		for _, code := range codes {
			scope, err := smart.ParseScope("patient/" + kind + ".rs?category=" + url + "|" + code)
			if err != nil {
				t.Errorf("%s %s: %v", kind, code, err)
				continue
			}
			operand := scope.Query()[0].Operands[0]
			if operand.System != url || operand.Code != code {
				t.Errorf("%s %s: read as %q and %q", kind, code, operand.System, operand.Code)
			}
		}
	}
}

func TestPermissionsOfAScope(t *testing.T) {
	scope, err := smart.ParseScope("patient/Observation.rs")
	if err != nil {
		t.Fatal(err)
	}
	for permission, want := range map[byte]bool{'c': false, 'r': true, 'u': false, 'd': false, 's': true, 0: false, 'x': false} {
		if got := scope.Allows(permission); got != want {
			t.Errorf("Allows(%q) = %v", permission, got)
		}
	}
	for kind, want := range map[fhir.ResourceType]bool{"Observation": true, "Condition": false, "": false} {
		if got := scope.Concerns(kind); got != want {
			t.Errorf("Concerns(%q) = %v", kind, got)
		}
	}
	var zero smart.Scope
	if zero.Allows(0) || zero.Allows('r') || zero.Concerns("") || !zero.IsZero() {
		t.Error("the zero scope allows something")
	}
}

// spec: SCOPE-10
func TestComposedScopesAreUnderstood(t *testing.T) {
	for _, row := range []struct {
		permissions string
		version1    bool
		want        string
	}{
		{"rs", true, "patient/Observation.read"}, {"cud", true, "patient/Observation.write"}, {"cruds", true, "patient/Observation.*"},
		{"r", true, "patient/Observation.r"}, {"rs", false, "patient/Observation.rs"},
	} {
		got := smart.Compose(smart.LevelPatient, "Observation", row.permissions, row.version1)
		scope, err := smart.ParseScope(got)
		if got != row.want || err != nil || scope.Permissions() != row.permissions {
			t.Errorf("%s, version 1 %v: %q (%v), want %q", row.permissions, row.version1, got, err, row.want)
		}
	}
}
