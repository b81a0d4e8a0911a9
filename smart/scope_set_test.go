package smart_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/smart"
)

func set(t testing.TB, text string) smart.ScopeSet {
	t.Helper()
	if text == "" {
		return smart.ScopeSet{}
	}
	s, err := smart.ParseScopes(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return s
}

// spec: SCOPE-03, SCOPE-12, SCOPE-14, SCOPE-37, SCOPE-41, SCOPE-47
// attack: SC-15, SC-16, SC-21, SC-24, SC-25
func TestListsOfScopes(t *testing.T) {
	for _, row := range []struct {
		name, text        string
		understood, wrong []string
	}{
		{"SCOPE-37 names", "openid fhirUser launch launch/patient launch/encounter offline_access online_access profile",
			[]string{"openid", "fhirUser", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access", "profile"}, nil},
		{"SCOPE-12 both versions", "patient/Observation.read patient/Condition.rs user/Patient.*",
			[]string{"patient/Observation.read", "patient/Condition.rs", "user/Patient.*"}, nil},
		{"SCOPE-14 doubles", "openid patient/Patient.r openid patient/Patient.r patient/Patient.s",
			[]string{"openid", "patient/Patient.r", "patient/Patient.s"}, nil},
		{"SC-16 broad and constrained", "patient/Observation.rs patient/Observation.rs?category=laboratory",
			[]string{"patient/Observation.rs", "patient/Observation.rs?category=laboratory"}, nil},
		{"SCOPE-47 unknown ones", "__x openid http://example.org/x __x patient/all.read",
			[]string{"openid"}, []string{"__x", "http://example.org/x", "patient/all.read"}},
		{"nothing understood", "nonsense/only", nil, []string{"nonsense/only"}},
		{"a name in another case", "OpenID Launch/patient", nil, []string{"OpenID", "Launch/patient"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := set(t, row.text)
			if diff := cmp.Diff(row.understood, got.Strings()); diff != "" && len(row.understood)+len(got.Strings()) > 0 {
				t.Errorf("understood (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.wrong, got.Unknown()); diff != "" {
				t.Errorf("unknown (-want +got):\n%s", diff)
			}
			if got.String() != strings.Join(row.understood, " ") || got.IsEmpty() != (len(row.understood) == 0) {
				t.Errorf("printed as %q, empty %v", got, got.IsEmpty())
			}
			for _, text := range row.understood {
				if !got.Has(text) {
					t.Errorf("does not have %q", text)
				}
			}
			for _, text := range row.wrong {
				if got.Has(text) {
					t.Errorf("has %q", text)
				}
			}
			if diff := cmp.Diff(got.Strings(), smart.NewScopeSet(strings.Split(row.text, " ")).Strings()); diff != "" {
				t.Errorf("made of single texts (-list +singles):\n%s", diff)
			}
		})
	}
}

// spec: SCOPE-03
// attack: SC-01, SC-25
func TestTextsThatAreNoLists(t *testing.T) {
	for _, text := range []string{
		"", " ", "openid ", " openid", "openid  profile", "openid\tprofile", "openid\nprofile", "openid\r\nprofile", "openid\u00a0profile",
		"openid \"x\"", "openid \\", "openid \x7f", "openid é", strings.Repeat("a ", 1000) + "a",
	} {
		got, err := smart.ParseScopes(text)
		if !errors.Is(err, smart.ErrScopes) || !got.IsEmpty() || len(got.Unknown()) > 0 {
			t.Errorf("%.40q: %q, error %v", text, got, err)
		}
	}
}

func TestSingleTextsThatNoScopeMayLookLike(t *testing.T) {
	got := smart.NewScopeSet([]string{"", "openid profile", "openid\n", "openid profile", "openid", ""})
	if diff := cmp.Diff([]string{"openid profile", "openid\n"}, got.Unknown()); diff != "" {
		t.Errorf("unknown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"openid"}, got.Strings()); diff != "" {
		t.Errorf("understood (-want +got):\n%s", diff)
	}
}

// attack: SC-21
func TestOneScopeManyTimes(t *testing.T) {
	got := set(t, strings.TrimSuffix(strings.Repeat("patient/Observation.rs ", 500), " "))
	if diff := cmp.Diff([]string{"patient/Observation.rs"}, got.Strings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// spec: SCOPE-48
func TestManyLongScopes(t *testing.T) {
	var list []string
	for i := range 300 {
		list = append(list, fmt.Sprintf("patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|c%020d", i))
	}
	text := strings.Join(list, " ")
	if len(text) < 30_000 {
		t.Fatalf("only %d bytes", len(text))
	}
	got := set(t, text)
	if got.String() != text || len(got.Clinical()) != 300 {
		t.Errorf("%d scopes remain of 300", len(got.Clinical()))
	}
}

func TestTheZeroSetGrantsNothing(t *testing.T) {
	var zero smart.ScopeSet
	scope, err := smart.ParseScope("patient/Patient.r")
	if err != nil {
		t.Fatal(err)
	}
	if !zero.IsEmpty() || zero.Has("openid") || zero.Has("") || zero.Covers(scope) || zero.Covers(smart.Scope{}) || zero.HasLevel(smart.LevelPatient) || zero.String() != "" {
		t.Error("the zero set has something")
	}
}

func TestLevelsOfASet(t *testing.T) {
	got := set(t, "openid patient/Patient.r user/Practitioner.r")
	for level, want := range map[smart.Level]bool{smart.LevelPatient: true, smart.LevelUser: true, smart.LevelSystem: false, "": false} {
		if got.HasLevel(level) != want {
			t.Errorf("HasLevel(%q) = %v", level, !want)
		}
	}
}

func TestScopesTakenOut(t *testing.T) {
	before := set(t, "openid patient/Patient.rs offline_access online_access patient/Observation.read user/*.s nonsense")
	after := before.Without(func(text string) bool { return text == "online_access" || strings.HasPrefix(text, "user/") })
	want := set(t, "openid patient/Patient.rs offline_access patient/Observation.read")
	if diff := cmp.Diff(want.Strings(), after.Strings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var levels []smart.Level
	for _, s := range after.Clinical() {
		levels = append(levels, s.Level())
	}
	if diff := cmp.Diff([]smart.Level{"patient", "patient"}, levels); diff != "" {
		t.Errorf("clinical (-want +got):\n%s", diff)
	}
	if after.Has("online_access") || after.HasLevel(smart.LevelUser) || !before.Has("online_access") {
		t.Error("taken out of the wrong set")
	}
}
