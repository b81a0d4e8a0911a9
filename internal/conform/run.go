package conform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
	"github.com/emberlatch/emberlatch/internal/conform/suite"
)

const (
	// DefaultTimeout is how long a check may take.
	DefaultTimeout = 30 * time.Second
	// byHand is how long a check may take that asks a human.
	byHand = 10 * time.Minute
)

// Options are what a run needs.
type Options struct {
	Suites []string
	// Only names checks; empty: all of the suites.
	Only    []string
	Target  probe.Target
	Timeout time.Duration // of one check; zero: DefaultTimeout
	// Each, if set, is told each result as it comes; Before, what is about to run.
	Each   func(Result)
	Before func(n, of int, id string)
}

// Run runs the checks in their order. An error says why nothing could be asked.
func Run(ctx context.Context, o Options) (Report, error) {
	checks, err := o.checks()
	if err != nil {
		return Report{}, err
	}
	p, err := probe.New(o.Target)
	if err != nil {
		return Report{}, err
	}
	defer p.Close()
	timeout := o.timeout()
	if err := reachable(ctx, p, timeout); err != nil {
		return Report{}, err
	}
	defer tidy(ctx, p)
	report := Report{Base: p.Base, Suites: o.Suites, Started: time.Now().UTC(), Part: len(o.Only) > 0}
	for i, c := range checks {
		if i > 0 && c.Suite() != checks[i-1].Suite() {
			p.Forget()
		}
		if err := ctx.Err(); err != nil {
			return report, err
		}
		if o.Before != nil {
			o.Before(i+1, len(checks), c.ID)
		}
		r := one(ctx, p, c, timeout)
		report.add(r)
		if o.Each != nil {
			o.Each(r)
		}
	}
	report.conclude(time.Now())
	return report, nil
}

func (o Options) checks() ([]suite.Check, error) {
	if len(o.Suites) == 0 {
		return nil, errors.New("name a suite: smart, oidc or bcp")
	}
	for _, name := range o.Suites {
		if !slices.Contains(suite.Names, name) {
			return nil, fmt.Errorf("there is no suite %q: smart, oidc or bcp", name)
		}
	}
	all := suite.Checks(o.Suites...)
	if len(o.Only) == 0 {
		return all, nil
	}
	var list []suite.Check
	for _, c := range all {
		if slices.Contains(o.Only, c.ID) {
			list = append(list, c)
		}
	}
	for _, id := range o.Only {
		if !slices.ContainsFunc(list, func(c suite.Check) bool { return c.ID == id }) {
			return nil, fmt.Errorf("there is no check %q in these suites; see: emberlatch conform list", id)
		}
	}
	return list, nil
}

func (o Options) timeout() time.Duration {
	switch {
	case o.Target.Person != nil && o.Target.Person.ByHand():
		return max(o.Timeout, byHand)
	case o.Timeout > 0:
		return o.Timeout
	}
	return DefaultTimeout
}

// reachable asks for the SMART configuration once: a server that does not answer
// cannot be judged.
func reachable(ctx context.Context, p *probe.Probe, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, err := p.Get(ctx, p.SMARTURL()); err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	return nil
}

// tidy ends what the run was given, also when it was stopped.
func tidy(ctx context.Context, p *probe.Probe) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	p.Tidy(ctx)
}

// one runs a check within its time.
func one(ctx context.Context, p *probe.Probe, c suite.Check, timeout time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	started := time.Now()
	v := c.Run(ctx, p)
	return Result{
		ID: c.ID, Suite: c.Suite(), Level: c.Level.String(), Section: c.Section, Outcome: v.Outcome().String(), Expected: c.Expect, Seen: v.Seen(),
		Milliseconds: time.Since(started).Milliseconds(),
	}
}
