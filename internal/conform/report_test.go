package conform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform"
	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// Nobody is called conformant who was not asked everything that binds.
func TestASkippedCheckIsNotConformant(t *testing.T) {
	s := broken(t, "")
	for name, change := range map[string]func(*probe.Target){
		"no person":        func(t *probe.Target) { t.Person = nil },
		"no client":        func(t *probe.Target) { t.Confidential, t.Public, t.Asymmetric, t.Backend = nil, nil, nil, nil },
		"no public client": func(t *probe.Target) { t.Public = nil },
		"no other patient": func(t *probe.Target) { t.OtherPatient = "" },
		"no key":           func(t *probe.Target) { t.Asymmetric, t.Backend = nil, nil },
		"wrong password": func(t *probe.Target) {
			t.Person = agent.Script{Username: "alice", Password: "wrong"}
		},
		"wrong secret": func(t *probe.Target) { t.Confidential.Secret = "wrong" },
	} {
		one := target(s)
		change(&one)
		report := check(t, one, everySuite...)
		if report.Conformant || report.Passed() {
			t.Errorf("%s: %s", name, report.Conclusion)
		}
		if len(ids(report, "skip")) == 0 {
			t.Errorf("%s: nothing was skipped", name)
		}
		// What must be refused is not passed where nothing can succeed.
		if strings.HasPrefix(name, "wrong") || name == "no person" {
			for _, id := range []string{"RU-01", "PKCE-01", "TOK-18", "CAUTH-02", "AUTHZ-06", "TK-01"} {
				if slices.Contains(ids(report, "pass"), id) {
					t.Errorf("%s: %s passed", name, id)
				}
			}
		}
	}
}

// A server that has had enough of us has not refused what it was asked.
func TestThrottlingIsNoRefusal(t *testing.T) {
	report := check(t, target(broken(t, "throttles")), everySuite...)
	if failed := ids(report, "fail"); len(failed) > 0 || report.Conformant || report.Passed() {
		t.Errorf("failed %v: %s", failed, report.Conclusion)
	}
	for _, r := range report.Results {
		if strings.HasPrefix(r.ID, "RU-") && r.Outcome != "skip" {
			t.Error(r.Line())
		}
	}
}

// A human who is asked each time is not asked to refuse.
func TestByHandNothingIsGuessed(t *testing.T) {
	one := target(broken(t, "redirect-anything"))
	one.Person = human{one.Person.(agent.Script)}
	report := check(t, one, everySuite...)
	if report.Conformant || slices.Contains(ids(report, "pass"), "RU-01") || !slices.Contains(ids(report, "pass"), "AUTHZ-01") {
		t.Errorf("passed: %v", ids(report, "pass"))
	}
}

type human struct{ agent.Script }

func (human) ByHand() bool { return true }

// A part of the checks says nothing about the whole.
func TestAPartIsNotConformant(t *testing.T) {
	one := target(broken(t, ""))
	report, err := conform.Run(t.Context(), conform.Options{Suites: []string{"smart"}, Only: []string{"DISC-01"}, Target: one})
	if err != nil || len(report.Results) != 1 || report.Conformant || !report.Passed() {
		t.Errorf("%v %+v", err, report)
	}
	for name, o := range map[string]conform.Options{
		"no suite":      {Target: one},
		"unknown suite": {Target: one, Suites: []string{"fapi"}},
		"unknown check": {Target: one, Suites: []string{"smart"}, Only: []string{"DISC-99"}},
		"other suite":   {Target: one, Suites: []string{"smart"}, Only: []string{"PKCE-01"}},
	} {
		if _, err := conform.Run(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A run ends what it was given.
func TestARunTidiesUp(t *testing.T) {
	s := broken(t, "")
	report := check(t, target(s), everySuite...)
	if !report.Conformant || s.Live() != 0 {
		t.Errorf("%s; %d grants are left", report.Conclusion, s.Live())
	}
}

// A run that is stopped stops.
func TestARunCanBeStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	n := 0
	_, err := conform.Run(ctx, conform.Options{Suites: everySuite, Target: target(broken(t, "")), Each: func(conform.Result) {
		if n++; n == 3 {
			stop()
		}
	}})
	if err == nil || n != 3 {
		t.Errorf("%v after %d checks", err, n)
	}
}

// The zero report says nothing good, and an outcome that nobody knows is a failure.
func TestTheReport(t *testing.T) {
	var none conform.Report
	if none.Conformant || none.Passed() {
		t.Error("the zero report is a success")
	}
	report := check(t, target(broken(t, "plain-advertised")), "smart")
	var text bytes.Buffer
	if err := report.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Conformant bool
		Counts     struct{ Passed, Failed int }
		Results    []map[string]any
	}
	if err := json.Unmarshal(text.Bytes(), &read); err != nil || read.Conformant || read.Counts.Failed != 1 || len(read.Results) != len(report.Results) {
		t.Errorf("%v %+v", err, read)
	}
	summary := report.Summary()
	if !strings.Contains(summary, "Failed:\nfail  DISC-10") || !strings.Contains(summary, "not conformant: 1 SHALL") {
		t.Errorf("%s", summary)
	}
}
