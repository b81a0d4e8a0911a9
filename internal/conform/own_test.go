package conform_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// The server of this project passes its own checks: nothing fails, nothing is left
// unasked, and it offers everything that the checks are about.
//
// spec: CORS-01, CORS-03, CORS-04, CORS-05, RT-12
func TestOurServerIsConformant(t *testing.T) {
	env := testenv.Start(t)
	with, err := conform.ReadSandbox(env.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	target, err := with.Target(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	report := check(t, target, everySuite...)
	for _, r := range report.Results {
		if r.Outcome != "pass" && r.ID != "TLS-01" { // the sandbox is http on loopback
			t.Error(r.Line())
		}
	}
	if !report.Conformant || !report.Passed() || report.Counts.Passed < 250 {
		t.Errorf("%+v: %s", report.Counts, report.Conclusion)
	}
}
