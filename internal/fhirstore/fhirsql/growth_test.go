package fhirsql_test

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/smart"
)

// growthSizes are how many resources there are, one after another: EMBERLATCH_GROWTH,
// numbers with commas between them. Two million take some minutes and gigabytes.
func growthSizes(b *testing.B) []int {
	b.Helper()
	text := os.Getenv("EMBERLATCH_GROWTH")
	if text == "" {
		b.Skip("EMBERLATCH_GROWTH names no sizes, such as 13000,100000")
	}
	var sizes []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(part)
		if err != nil {
			b.Fatal(err)
		}
		sizes = append(sizes, n)
	}
	return sizes
}

// people are patients from one number to another, each with benchValues values.
func people(from, to int) iter.Seq[fhirstore.Incoming] {
	return func(yield func(fhirstore.Incoming) bool) {
		for p := from; p < to; p++ {
			for r := range record(p) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// asker is somebody with questions about patients whom they reach.
type asker struct {
	decision access.Decision
	query    search.Query
}

// askers are so many of a kind, spread over everybody, so that what is asked for is
// rarely what was asked for before.
func askers(b *testing.B, level string, panel, patients int) []asker {
	b.Helper()
	var all []asker
	for range 500 {
		first := rand.IntN(patients - panel + 1) // #nosec G404 -- a choice of questions
		ids := make([]string, panel)
		for i := range ids {
			ids[i] = fmt.Sprintf("p%d", first+i)
		}
		f := access.Facts{ClientID: "app", UserID: "u", HasUser: true, Reach: search.NewIDSet(ids...), GrantID: "g", Base: base,
			FHIRUser: fhir.Reference{Type: "Practitioner", ID: "d"}, Scopes: smart.NewScopeSet([]string{level + "/*.rs"})}
		if level == "patient" {
			f.Patient = ids[0]
		}
		query, err := search.Parse("Observation", url.Values{"patient": {ids[panel/2]}, "category": {"laboratory"}, "_count": {"20"}}, base)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, asker{access.Decide(access.NewSubject(f), fhir.Interaction{Code: fhir.SearchType, Type: "Observation"}), query})
	}
	return all
}

// BenchmarkGrowth is a search of 20 laboratory values of one patient, page and sort
// included, as more and more patients are there. Median and the last of a hundred.
func BenchmarkGrowth(b *testing.B) {
	sizes := growthSizes(b)
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			s := engines[name](b)
			there := 0
			for _, size := range sizes {
				patients := size / (benchValues + 1)
				began := time.Now()
				load(b, s, people(there, patients))
				if patients > there {
					b.Logf("%d resources: %.0f loaded a second", size, float64((patients-there)*(benchValues+1))/time.Since(began).Seconds())
				}
				there = patients
				for _, who := range []struct {
					name, level string
					panel       int
				}{{"patient", "patient", 1}, {"panel-of-20", "user", 20}} {
					all := askers(b, who.level, who.panel, patients)
					b.Run(fmt.Sprintf("%d/%s", size, who.name), func(b *testing.B) {
						var took []time.Duration
						for i := 0; b.Loop(); i++ {
							a := all[i%len(all)]
							start := time.Now()
							page, err := s.Search(context.Background(), a.decision, a.query)
							if took = append(took, time.Since(start)); err != nil || len(page.Matches) != 20 {
								b.Fatal(len(page.Matches), err)
							}
						}
						slices.Sort(took)
						b.ReportMetric(float64(took[len(took)/2].Microseconds()), "median-µs")
						b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
					})
				}
			}
		})
	}
}
