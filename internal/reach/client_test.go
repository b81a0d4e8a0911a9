package reach_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/store"
)

// A client that acts for itself reaches whom the operator named, now, and nobody
// when nobody was named.
//
// spec: BS-11
func TestClientsReachWhomTheOperatorNamed(t *testing.T) {
	entity := func(ref, more string) string { return `{"entity":{"reference":"` + ref + `"}` + more + `}` }
	group := func(id, more, members string) string {
		return `{"resourceType":"Group","id":"` + id + `","type":"person","actual":true` + more + `,"member":[` + members + `]}`
	}
	clinic := open(t,
		patient("a", ""), patient("b", ""), patient("c", `,"managingOrganization":{"reference":"Organization/o1"}`),
		patient("d", `,"managingOrganization":{"reference":"Organization/o2"}`), patient("e", ""),
		`{"resourceType":"Organization","id":"o1"}`, `{"resourceType":"Organization","id":"o2"}`,
		group("g1", `,"active":true`, entity("Patient/a", "")+","+entity("Patient/b", `,"inactive":true`)+","+entity("Patient/e", past)+","+entity("Practitioner/p1", "")),
		group("g2", "", entity("Patient/b", "")), group("g3", `,"active":false`, entity("Patient/d", "")),
	)
	for _, row := range []struct {
		name string
		data store.ClientData
		want []string
	}{
		{"nobody was named", store.ClientData{}, nil},
		{"patients", store.ClientData{Patients: []string{"a", "nobody"}}, []string{"a", "nobody"}},
		{"a group", store.ClientData{Groups: []string{"g1"}}, []string{"a"}},
		{"groups", store.ClientData{Groups: []string{"g1", "g2", "g3", "none"}}, []string{"a", "b"}},
		{"a group that is not active", store.ClientData{Groups: []string{"g3"}}, nil},
		{"an organization", store.ClientData{Organizations: []string{"o1"}}, []string{"c"}},
		{"organizations", store.ClientData{Organizations: []string{"o1", "o2"}}, []string{"c", "d"}},
		{"the union", store.ClientData{Patients: []string{"e"}, Groups: []string{"g2"}, Organizations: []string{"o1"}}, []string{"b", "c", "e"}},
	} {
		own, err := clinic.OfClient(t.Context(), store.Client{ID: "c", Data: row.data})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Clone(own.Patients.List())
		slices.Sort(got)
		if diff := cmp.Diff(row.want, got); len(row.want)+len(got) > 0 && diff != "" || own.All {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
	if own, err := clinic.OfClient(t.Context(), store.Client{ID: "c", Data: store.ClientData{All: true}}); err != nil || !own.All {
		t.Errorf("all: %+v, %v", own, err)
	}
	if own, err := clinic.OfClient(t.Context(), store.Client{ID: "c", Disabled: true, Data: store.ClientData{All: true}}); err != nil || own.All || own.Patients.Len() > 0 {
		t.Errorf("a disabled client: %+v, %v", own, err)
	}
	clinic.backend.err = errors.New("disk gone")
	for _, data := range []store.ClientData{{Groups: []string{"g1"}}, {Organizations: []string{"o1"}, Patients: []string{"a"}}} {
		if own, err := clinic.OfClient(t.Context(), store.Client{ID: "c", Data: data}); err == nil || own.Patients.Len() > 0 {
			t.Errorf("the store is away: %+v, %v", own, err)
		}
	}
}

// As many as a registration may name are asked for, in whatever order they stand.
//
// spec: BS-11
func TestClientsReachAllThatMayBeNamed(t *testing.T) {
	clinic := open(t, patient("a", ""), patient("c", `,"managingOrganization":{"reference":"Organization/last"}`),
		`{"resourceType":"Organization","id":"last"}`,
		`{"resourceType":"Group","id":"last","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/a"}}]}`)
	var named []string
	for i := range 999 {
		named = append(named, fmt.Sprint("none", i))
	}
	named = append(named, "last")
	for want, data := range map[string]store.ClientData{"a": {Groups: named}, "c": {Organizations: named}} {
		own, err := clinic.OfClient(t.Context(), store.Client{ID: "c", Data: data})
		if err != nil || !slices.Equal(own.Patients.List(), []string{want}) {
			t.Errorf("reaches %v, want %s, %v", own.Patients.List(), want, err)
		}
	}
}
