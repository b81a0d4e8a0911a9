package fhirsql_test

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/smart"
)

const (
	benchPatients = 50
	benchValues   = 259 // of each; 13,000 resources with the patients
)

// population is fifty patients with laboratory values and vital signs.
func population() iter.Seq[fhirstore.Incoming] { return people(0, benchPatients) }

// record is one patient with their values.
func record(p int) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		if !yield(fhirstore.Incoming{JSON: fmt.Appendf(nil, `{"resourceType":"Patient","id":"p%d","name":[{"family":"Nr%d"}]}`, p, p)}) {
			return
		}
		for i := range benchValues {
			category := []string{"laboratory", "vital-signs"}[i%2]
			if !yield(fhirstore.Incoming{JSON: fmt.Appendf(nil, `{"resourceType":"Observation","id":"p%d-%d","status":"final","subject":{"reference":"Patient/p%d"},
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":%q}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"718-%d"}]},"effectiveDateTime":"20%02d-03-0%dT08:30:00Z",
"valueQuantity":{"value":%d.5,"unit":"g/dL","system":"http://unitsofmeasure.org","code":"g/dL"}}`, p, i, p, category, i%7, 10+i%16, 1+i%9, i)}) {
				return
			}
		}
	}
}

// subjectOf is a user who reaches so many patients, with scopes of that level.
func subjectOf(level string, patients int) access.Subject {
	ids := make([]string, patients)
	for i := range ids {
		ids[i] = fmt.Sprintf("p%d", (i+7)%benchPatients)
	}
	f := access.Facts{ClientID: "app", UserID: "u", HasUser: true, Reach: search.NewIDSet(ids...), GrantID: "g", Base: base,
		FHIRUser: fhir.Reference{Type: "Practitioner", ID: "d"}, Scopes: smart.NewScopeSet([]string{level + "/*.rs"})}
	if level == "patient" {
		f.Patient = "p7"
	}
	return access.NewSubject(f)
}

// What the view costs: the same search of 20 laboratory values of one patient as
// the server itself, as that patient, and as a clinician with 1 to 50 patients.
func BenchmarkSearchView(b *testing.B) {
	values := url.Values{"patient": {"p7"}, "category": {"laboratory"}, "_count": {"20"}}
	query, err := search.Parse("Observation", values, base)
	if err != nil {
		b.Fatal(err)
	}
	interaction := fhir.Interaction{Code: fhir.SearchType, Type: "Observation"}
	views := []struct {
		name     string
		decision access.Decision
	}{
		{"none", access.System("benchmark", base)},
		{"patient", access.Decide(subjectOf("patient", 1), interaction)},
		{"panel-of-20", access.Decide(subjectOf("user", 20), interaction)},
	}
	for name, engine := range engines {
		b.Run(name, func(b *testing.B) {
			s := engine(b)
			load(b, s, population())
			for _, v := range views {
				b.Run(v.name, func(b *testing.B) {
					for b.Loop() {
						page, err := s.Search(context.Background(), v.decision, query)
						if err != nil || len(page.Matches) != 20 {
							b.Fatal(len(page.Matches), err)
						}
					}
				})
			}
		})
	}
}

// What a chain costs, and its view on both variables: 20 laboratory values of whoever
// has a name, as the server itself, as that patient, and as a clinician.
func BenchmarkSearchChain(b *testing.B) {
	values := url.Values{"subject:Patient.name": {"Nr7"}, "category": {"laboratory"}, "_count": {"20"}}
	query, err := search.Parse("Observation", values, base)
	if err != nil {
		b.Fatal(err)
	}
	interaction := fhir.Interaction{Code: fhir.SearchType, Type: "Observation"}
	views := []struct {
		name     string
		decision access.Decision
	}{
		{"none", access.System("benchmark", base)},
		{"patient", access.Decide(subjectOf("patient", 1), interaction)},
		{"panel-of-20", access.Decide(subjectOf("user", 20), interaction)},
	}
	for name, engine := range engines {
		b.Run(name, func(b *testing.B) {
			s := engine(b)
			load(b, s, population())
			for _, v := range views {
				b.Run(v.name, func(b *testing.B) {
					for b.Loop() {
						page, err := s.Search(context.Background(), v.decision, query)
						if err != nil || len(page.Matches) != 20 {
							b.Fatal(len(page.Matches), err)
						}
					}
				})
			}
		})
	}
}

// What a view without two categories costs, beside the same without a configuration: 20
// laboratory values of one patient, and counting all of a panel.
func BenchmarkSearchWithheld(b *testing.B) {
	interaction := fhir.Interaction{Code: fhir.SearchType, Type: "Observation"}
	for name, address := range map[string]func() string{"sqlite": func() string { return testdb.SQLite(b) }, "postgres": func() string { return testdb.PostgreSQL(b) }} {
		b.Run(name, func(b *testing.B) {
			d, err := db.Open(b.Context(), db.Config{URL: address()})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Sensitive: categories, Now: time.Now})
			if err == nil {
				err = s.Classify(b.Context(), nil)
			}
			if err != nil {
				b.Fatal(err)
			}
			load(b, s, population())
			for _, careful := range []bool{false, true} {
				f := access.Facts{ClientID: "app", UserID: "u", HasUser: true, GrantID: "g", Base: base, FHIRUser: fhir.Reference{Type: "Practitioner", ID: "d"}, Scopes: smart.NewScopeSet([]string{"user/*.rs"})}
				if careful {
					f.Sensitive = categories.Policy()
				}
				for question, values := range map[string]url.Values{"page": {"patient": {"p7"}, "category": {"laboratory"}, "_count": {"20"}}, "count": {"_summary": {"count"}}} {
					f.Reach = search.NewIDSet("p7", "p8", "p9", "p10", "p11")
					decision := access.Decide(access.NewSubject(f), interaction)
					query, err := search.Parse("Observation", values, base)
					if err != nil {
						b.Fatal(err)
					}
					b.Run(fmt.Sprint(question, "/withheld=", careful), func(b *testing.B) {
						for b.Loop() {
							if page, err := s.Search(b.Context(), decision, query); err != nil || len(page.Matches)+page.Total == 0 {
								b.Fatal(len(page.Matches), err)
							}
						}
					})
				}
			}
		})
	}
}
