package fhirsql_test

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/smart"
)

// patientToken is a token with patient/*.rs for one patient.
func patientToken(patient string, scopes ...string) access.Subject {
	if len(scopes) == 0 {
		scopes = []string{"patient/*.rs"}
	}
	return access.NewSubject(access.Facts{
		ClientID: "app", GrantID: "g", UserID: "u", HasUser: true, Reach: search.NewIDSet(patient),
		Patient: patient, Scopes: smart.NewScopeSet(scopes), Base: base,
	})
}

// userToken is a token with user/*.rs for a user who reaches these patients.
func userToken(patients ...string) access.Subject {
	return access.NewSubject(access.Facts{
		ClientID: "app", GrantID: "g", UserID: "u", HasUser: true, Reach: search.NewIDSet(patients...),
		Scopes: smart.NewScopeSet([]string{"user/*.rs"}), Base: base,
	})
}

func reads(t *testing.T, s *fhirsql.Store, who access.Subject, ref fhir.Reference) bool {
	t.Helper()
	d := access.Decide(who, fhir.Interaction{Code: fhir.Read, Type: ref.Type, ID: ref.ID})
	r, err := s.Read(context.Background(), d, ref)
	if errors.Is(err, fhirstore.ErrNotFound) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	if !d.Admits(r.Resource, r.Owners) {
		t.Errorf("%s: the store returns what the decision does not admit", ref)
	}
	return true
}

func finds(t *testing.T, s *fhirsql.Store, who access.Subject, ref fhir.Reference) bool {
	t.Helper()
	d := access.Decide(who, fhir.Interaction{Code: fhir.SearchType, Type: ref.Type})
	q, err := search.Parse(ref.Type, url.Values{"_count": {"1000"}}, base)
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.Search(context.Background(), d, q)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(page.Matches, func(r fhirstore.Record) bool { return r.Resource.ID() == ref.ID })
}

// Every trap is answered as the table recommends, by read and by search, for
// every patient of the set and for a user who reaches two of them.
//
// spec: RSP-01, RSP-05, RSP-07, RSP-08, RSP-09, RSP-11, RSP-12, RSP-13, RSP-14, RSP-16
// attack: B.1, B.14, B.18, B.19, B.44, B.76, B.92
func TestTraps(t *testing.T) {
	dir := dataDir(t)
	patients := []string{"trap-alice", "trap-bob", "trap-carol", "trap-kid", "trap-alice2"}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			if report := load(t, s, ndjson(t, filepath.Join(dir, "traps/resources.ndjson.gz"))); len(report.Failures) > 0 {
				t.Fatal(report.Failures)
			}
			for _, row := range traps(t) {
				ref, ok := fhir.ParseReference(row.Ref, "")
				if !ok {
					t.Fatal(row.Ref)
				}
				for _, patient := range patients {
					want := row.Class == "shared" || row.Class == "record" && slices.Contains(row.Recommended, patient)
					who := patientToken(patient)
					if got := reads(t, s, who, ref); got != want {
						t.Errorf("%s read with the token of %s: %v, want %v", row.Ref, patient, got, want)
					}
					if got := finds(t, s, who, ref); got != want {
						t.Errorf("%s found with the token of %s: %v, want %v", row.Ref, patient, got, want)
					}
				}
				both := userToken("trap-alice", "trap-bob")
				want := row.Class == "shared" || row.Class == "record" && (slices.ContainsFunc(row.Recommended, func(p string) bool {
					return p == "trap-alice" || p == "trap-bob"
				}) || len(row.RequiresAll) > 0)
				if got := finds(t, s, both, ref); got != want {
					t.Errorf("%s found by a user who reaches both: %v, want %v", row.Ref, got, want)
				}
			}
		})
	}
}
