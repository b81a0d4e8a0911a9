package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// Level is how binding a check is; the zero value is none.
type Level int

// The levels of RFC 2119 that checks have.
const (
	SHALL Level = iota + 1
	SHOULD
)

// String is the word of the level.
func (l Level) String() string { return [...]string{"?", "SHALL", "SHOULD"}[l] }

// Outcome is how a check ended; the zero value is Fail.
type Outcome int

// The outcomes. Skip: it could not be found out. Absent: the server does not offer
// what the check is about, so it binds nobody.
const (
	Fail Outcome = iota
	Pass
	Skip
	Absent
)

// String is the word of the outcome.
func (o Outcome) String() string { return [...]string{"fail", "pass", "skip", "n/a"}[o] }

// Verdict is an outcome with a sentence of what was seen.
type Verdict struct {
	outcome Outcome
	seen    string
}

// Outcome is how the check ended.
func (v Verdict) Outcome() Outcome { return v.outcome }

// Seen is what was seen, safe to print.
func (v Verdict) Seen() string { return v.seen }

func verdict(o Outcome, format string, args []any) Verdict {
	return Verdict{o, probe.Plain(fmt.Sprintf(format, args...))}
}

func pass(format string, args ...any) Verdict { return verdict(Pass, format, args) }

func fail(format string, args ...any) Verdict { return verdict(Fail, format, args) }

func absent(format string, args ...any) Verdict { return verdict(Absent, format, args) }

// unknown: it could not be found out, or there is nothing to find out about.
func unknown(err error) Verdict {
	if errors.Is(err, probe.ErrNotPublished) {
		return absent("%v", err)
	}
	return verdict(Skip, "%v", []any{err})
}

// check is the work of a Check.
type check = func(ctx context.Context, p *probe.Probe) Verdict

// Check is one check.
type Check struct {
	ID      string // of a requirement or attack row
	Level   Level
	Section string // of the specification that demands it
	Expect  string // a sentence: what a conformant server does
	run     check
	suite   string
}

// Suite is the suite that the check belongs to.
func (c Check) Suite() string { return c.suite }

// Run runs the check. One that breaks off has failed.
func (c Check) Run(ctx context.Context, p *probe.Probe) (v Verdict) {
	defer func() {
		if r := recover(); r != nil {
			v = fail("the check broke off: %v", r)
		}
	}()
	if c.run == nil {
		return Verdict{}
	}
	return c.run(ctx, p)
}

// Names are the suites in their order.
var Names = []string{"smart", "oidc", "bcp"}

// Checks are the checks of the suites that are named, in the order in which they run.
func Checks(names ...string) []Check {
	var list []Check
	for _, name := range Names {
		if !slices.Contains(names, name) {
			continue
		}
		for _, table := range tables()[name] {
			for _, c := range table {
				c.suite = name
				list = append(list, c)
			}
		}
	}
	return list
}

// tables are all checks. Order: what reads over the answers of a whole run is last.
func tables() map[string][][]Check {
	return map[string][][]Check{
		"smart": {
			discoveryChecks, capabilityChecks, crossOriginChecks, launchChecks, tokenChecks, scopeChecks, fhirChecks, refreshChecks,
			introspectionChecks, revocationChecks, assertionChecks, backendChecks,
		},
		"oidc": {providerChecks, keyChecks, idTokenChecks, userInfoChecks, promptChecks},
		"bcp": {
			redirectChecks(), requestChecks, codeChecks, proofKeyChecks, clientChecks, rotationChecks, bearerChecks, possessionChecks, pageChecks, answerChecks,
		},
	}
}
