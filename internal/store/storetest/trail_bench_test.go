package storetest_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// What 1,000 reads of 100 patients cost to write and to chain: at 10,000 a second this
// comes ten times a second.
func BenchmarkAppendAccesses(b *testing.B) {
	var list []trail.Entry
	for i := range 1000 {
		patient := strconv.Itoa(i % 100)
		list = append(list, trail.Entry{
			At: time.Now(), Who: trail.Who{Client: "app", Grant: "g", User: "u" + patient, TokenID: "jti-of-a-token-" + patient, Address: "192.0.2.7"},
			Code: "read", Target: fhir.Reference{Type: "Observation", ID: "o-" + strconv.Itoa(i)}, Patients: []string{patient}, Status: 200, Reason: "scope.patient", Request: "W7XQ2OBZWC6CSX5ZK2K3V6WC3E",
		})
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			url := sqliteURL(b)
			if engine == "postgres" {
				url = testdb.PostgreSQL(b)
			}
			s, _ := open(b, db.Config{URL: url})
			k := keeper(b, s)
			b.ReportAllocs()
			for b.Loop() {
				sheets, err := trail.Sheets(list)
				must(b, err)
				must(b, s.AppendSheets(ctx, sheets))
				must(b, k.Chain(ctx))
			}
		})
	}
}
