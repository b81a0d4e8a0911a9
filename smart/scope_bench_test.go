package smart_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/smart"
)

// manyScopes is a request of so many scopes, as clients send it: the usual names,
// one scope a type, then constrained ones.
func manyScopes(n int) string {
	list := []string{"patient/Observation.rs", "launch/patient", "openid", "fhirUser", "offline_access"}
	for _, t := range fhir.ResourceTypes() {
		list = append(list, "patient/"+string(t)+".rs")
	}
	for i := 0; len(list) < n; i++ {
		list = append(list, fmt.Sprintf("patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|c%d", i))
	}
	return strings.Join(list[:n], " ")
}

func BenchmarkParseScopes(b *testing.B) {
	for _, n := range []int{1, 20, 200} {
		text := manyScopes(n)
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := smart.ParseScopes(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	const granular = "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
	b.Run("granular", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := smart.ParseScope(granular); err != nil {
				b.Fatal(err)
			}
		}
	})
}
