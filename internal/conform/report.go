package conform

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform/suite"
)

// Result is one check with its outcome, as the JSON report has it.
type Result struct {
	ID           string `json:"id"`
	Suite        string `json:"suite"`
	Level        string `json:"level"`
	Section      string `json:"section"`
	Outcome      string `json:"outcome"` // pass, fail, skip, n/a
	Expected     string `json:"expected"`
	Seen         string `json:"seen"`
	Milliseconds int64  `json:"milliseconds"`
}

// Counts are how many checks ended how.
type Counts struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	Absent  int `json:"not_applicable"`
}

// Report is a whole run. The zero value is not conformant.
type Report struct {
	Base       string    `json:"base"`
	Suites     []string  `json:"suites"`
	Started    time.Time `json:"started"`
	Seconds    float64   `json:"seconds"`
	Conformant bool      `json:"conformant"`
	Conclusion string    `json:"conclusion"`
	Counts     Counts    `json:"counts"`
	Results    []Result  `json:"results"`
	// Part: only some checks of the suites were asked for.
	Part bool `json:"part"`

	shallFailed, shallSkipped int
}

func (r *Report) add(one Result) {
	r.Results = append(r.Results, one)
	binding := one.Level == suite.SHALL.String()
	switch one.Outcome {
	case suite.Pass.String():
		r.Counts.Passed++
	case suite.Absent.String():
		r.Counts.Absent++
	case suite.Skip.String():
		r.Counts.Skipped++
		if binding {
			r.shallSkipped++
		}
	default: // whatever is not known to be better has failed
		r.Counts.Failed++
		if binding {
			r.shallFailed++
		}
	}
}

// conclude decides once all results are there.
func (r *Report) conclude(now time.Time) {
	r.Seconds = now.Sub(r.Started).Round(time.Millisecond).Seconds()
	switch {
	case r.shallFailed > 0:
		r.Conclusion = fmt.Sprintf("not conformant: %d SHALL checks failed", r.shallFailed)
	case r.shallSkipped > 0:
		r.Conclusion = fmt.Sprintf("not called conformant: %d SHALL checks were skipped", r.shallSkipped)
	case r.Counts.Passed == 0:
		r.Conclusion = "not called conformant: nothing was checked"
	case r.Part:
		r.Conclusion = "not called conformant: only a part was checked"
	default:
		r.Conformant, r.Conclusion = true, "conformant with what was checked"
	}
}

// Passed reports whether nothing failed, and nothing that binds was skipped.
func (r Report) Passed() bool {
	return r.Counts.Failed == 0 && r.shallSkipped == 0 && r.Counts.Passed > 0
}

// WriteJSON writes the whole report.
func (r Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

// Line is a result as text.
func (r Result) Line() string {
	seen := r.Seen
	if seen == "" {
		seen = "nothing"
	}
	return fmt.Sprintf("%-4s  %-10s %-6s  %s. Seen: %s  [%s]", r.Outcome, r.ID, r.Level, r.Expected, seen, r.Section)
}

// Summary is the last lines of a report as text: what has not passed, once more,
// and how many did what.
func (r Report) Summary() string {
	var b strings.Builder
	for _, group := range []struct{ outcome, title string }{{suite.Fail.String(), "Failed"}, {suite.Skip.String(), "Skipped"}} {
		title := group.title
		for _, one := range r.Results {
			if one.Outcome == group.outcome {
				if title != "" {
					fmt.Fprintf(&b, "\n%s:\n", title)
					title = ""
				}
				fmt.Fprintln(&b, one.Line())
			}
		}
	}
	c := r.Counts
	fmt.Fprintf(&b, "\n%s\n%d passed, %d failed, %d skipped, %d not applicable, in %.1f s\n%s\n",
		r.Base, c.Passed, c.Failed, c.Skipped, c.Absent, r.Seconds, r.Conclusion)
	return b.String()
}
