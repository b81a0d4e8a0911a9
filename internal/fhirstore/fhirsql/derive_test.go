package fhirsql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// targeting is a Provenance of these targets.
func targeting(id string, targets ...string) string {
	for i, t := range targets {
		targets[i] = `{"reference":"` + t + `"}`
	}
	return `{"resourceType":"Provenance","id":"` + id + `","recorded":"2024-01-01T00:00:00Z","target":[` + strings.Join(targets, ",") + `]}`
}

// about is an Observation about a patient, or about what else is referenced.
func about(id, subject string) string {
	return `{"resourceType":"Observation","id":"` + id + `","status":"final","subject":{"reference":"` + subject + `"}}`
}

// document attaches a Binary.
func document(id, subject, url string) string {
	return `{"resourceType":"DocumentReference","id":"` + id + `","status":"current","subject":{"reference":"` + subject + `"},` +
		`"content":[{"attachment":{"url":"` + url + `"}}]}`
}

// derivations are loads, each step by itself, and whether a token for Patient/a
// reads a resource afterwards.
type derivation struct {
	steps []string
	ref   string
	want  bool
}

func derived(t *testing.T, rows map[string]derivation) {
	t.Helper()
	for engine, open := range engines {
		for name, row := range rows {
			t.Run(engine+": "+name, func(t *testing.T) {
				s := open(t)
				for _, step := range row.steps {
					load(t, s, of(step))
				}
				ref, _ := fhir.ParseReference(row.ref, "")
				if got := reads(t, s, patientToken("a"), ref); got != row.want {
					t.Errorf("%s read: %v, want %v", row.ref, got, row.want)
				}
				if got := finds(t, s, patientToken("a"), ref); got != row.want {
					t.Errorf("%s found: %v, want %v", row.ref, got, row.want)
				}
			})
		}
	}
}

// Who may see what is derived follows every change of what it derives from: an
// attachment that is gone, and a target whose own owners change later.
//
// attack: B.14, B.44
func TestDerivedOwnersFollowChanges(t *testing.T) {
	const binary = `{"resourceType":"Binary","id":"b","contentType":"text/plain"}`
	var (
		attached = document("d", "Patient/a", "Binary/b")
		detached = document("d", "Patient/a", "Binary/gone")
		second   = document("e", "Patient/z", "Binary/b")
		record   = targeting("p", "Binary/b")
	)
	derived(t, map[string]derivation{
		"attached":                                {[]string{binary, attached}, "Binary/b", true},
		"no longer attached by anything":          {[]string{binary, attached, detached}, "Binary/b", false},
		"no longer attached by a second record":   {[]string{binary, attached, second, detached}, "Binary/b", false},
		"provenance of what is attached later":    {[]string{binary, record, attached}, "Provenance/p", true},
		"provenance of what becomes shared later": {[]string{binary, attached, record, second}, "Provenance/p", false},
	})
}

// What derives from what is derived follows as well, however many steps away, in
// whatever order they came, and where they go round in a circle.
//
// attack: B.44
func TestDerivedOwnersFollowOverSteps(t *testing.T) {
	mine, moved := about("o", "Patient/a"), about("o", "Patient/z")
	derived(t, map[string]derivation{
		"two steps": {[]string{mine, targeting("p", "Observation/o"), targeting("q", "Provenance/p")}, "Provenance/q", true},
		"two steps, the target moves": {[]string{mine, targeting("p", "Observation/o"), targeting("q", "Provenance/p"), moved},
			"Provenance/q", false},
		"two steps in reversed order, the target moves": {[]string{targeting("q", "Provenance/p"), targeting("p", "Observation/o"), mine, moved},
			"Provenance/q", false},
		"three steps in reversed order": {[]string{targeting("r", "Provenance/q"), targeting("q", "Provenance/p"), targeting("p", "Observation/o"), mine},
			"Provenance/r", true},
		"three steps, the target moves": {[]string{mine, targeting("p", "Observation/o"), targeting("q", "Provenance/p"), targeting("r", "Provenance/q"), moved},
			"Provenance/r", false},
		"over a Binary that a Provenance secures": {[]string{mine, targeting("p", "Observation/o"),
			`{"resourceType":"Binary","id":"b","contentType":"text/plain","securityContext":{"reference":"Provenance/p"}}`,
			targeting("q", "Binary/b"), targeting("r", "Provenance/q"), moved}, "Provenance/r", false},
		"a circle": {[]string{targeting("p", "Provenance/q"), targeting("q", "Provenance/p", "Observation/o"), mine}, "Provenance/p", true},
		"a circle, the target moves": {[]string{targeting("p", "Provenance/q"), targeting("q", "Provenance/p", "Observation/o"), mine, moved},
			"Provenance/p", false},
		"a circle that loses its target": {[]string{targeting("p", "Provenance/q"), targeting("q", "Provenance/p", "Observation/o"), mine,
			targeting("q", "Provenance/p")}, "Provenance/p", false},
		"a circle about nobody":    {[]string{targeting("p", "Provenance/q"), targeting("q", "Provenance/p")}, "Provenance/p", false},
		"itself and a record":      {[]string{targeting("p", "Provenance/p", "Observation/o"), mine}, "Provenance/p", true},
		"itself and nothing else":  {[]string{targeting("p", "Provenance/p")}, "Provenance/p", false},
		"beside a circle of other": {[]string{mine, targeting("p", "Observation/o", "Provenance/q"), targeting("q", "Provenance/r"), targeting("r", "Provenance/q")}, "Provenance/p", false},
	})
}

// All that something derives from must be visible: one record of nobody's hides
// it, a shared type says nothing (rows 14 and 44).
//
// attack: B.14, B.44
func TestWhatDerivesFromNobodysRecordIsHidden(t *testing.T) {
	const (
		binary       = `{"resourceType":"Binary","id":"b","contentType":"text/plain"}`
		practitioner = `{"resourceType":"Practitioner","id":"p"}`
		group        = `{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}}]}`
	)
	mine := about("o", "Patient/a")
	nobodys := about("n", "Group/g")
	derived(t, map[string]derivation{
		"a shared type beside a record":            {[]string{mine, practitioner, targeting("p", "Observation/o", "Practitioner/p")}, "Provenance/p", true},
		"a shared type alone":                      {[]string{practitioner, targeting("p", "Practitioner/p")}, "Provenance/p", false},
		"a record of nobody's":                     {[]string{mine, nobodys, targeting("p", "Observation/o", "Observation/n")}, "Provenance/p", false},
		"a record that becomes nobody's":           {[]string{mine, about("n", "Patient/a"), targeting("p", "Observation/o", "Observation/n"), nobodys}, "Provenance/p", false},
		"a record that becomes somebody's":         {[]string{mine, nobodys, targeting("p", "Observation/o", "Observation/n"), about("n", "Patient/a")}, "Provenance/p", true},
		"a closed type":                            {[]string{mine, group, targeting("p", "Observation/o", "Group/g")}, "Provenance/p", false},
		"a Provenance of a shared type":            {[]string{mine, practitioner, targeting("q", "Practitioner/p"), targeting("p", "Observation/o", "Provenance/q")}, "Provenance/p", false},
		"a Binary that nothing attaches":           {[]string{mine, binary, targeting("p", "Observation/o", "Binary/b")}, "Provenance/p", false},
		"a target that is not here":                {[]string{mine, targeting("p", "Observation/o", "Observation/none")}, "Provenance/p", true},
		"attached by a record, and by nobody's":    {[]string{binary, document("d", "Patient/a", "Binary/b"), document("e", "Group/g", "Binary/b")}, "Binary/b", false},
		"attached by a record, and by a directory": {[]string{binary, document("d", "Patient/a", "Binary/b"), `{"resourceType":"Practitioner","id":"p","photo":[{"url":"Binary/b"}]}`}, "Binary/b", true},
		"attached by a directory alone":            {[]string{binary, `{"resourceType":"Practitioner","id":"p","photo":[{"url":"Binary/b"}]}`}, "Binary/b", false},
		"attached by a closed type as well":        {[]string{binary, document("d", "Patient/a", "Binary/b"), `{"resourceType":"Person","id":"p","photo":{"url":"Binary/b"}}`}, "Binary/b", false},
	})
}

// A change may concern much at once.
//
// attack: B.44
func TestManyDependents(t *testing.T) {
	const many = 1000
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			all := []string{about("o", "Patient/a")}
			var targets []string
			for i := range many {
				all = append(all, targeting(fmt.Sprint("p", i), "Observation/o"))
				targets = append(targets, fmt.Sprint("Provenance/p", i))
			}
			all = append(all, targeting("q", targets...))
			slices.Reverse(all)
			load(t, s, of(all...))
			last := fhir.Reference{Type: "Provenance", ID: "q"}
			if !reads(t, s, patientToken("a"), last) {
				t.Error("what targets many is hidden from its patient")
			}
			load(t, s, of(about("o", "Patient/z")))
			if reads(t, s, patientToken("a"), last) {
				t.Error("what targets many is still shown to a patient it is not about")
			}
		})
	}
}
