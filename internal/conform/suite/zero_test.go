package suite

import (
	"context"
	"testing"

	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// A check never passes by default: the zero value, one without a function and one
// that breaks off have failed.
func TestNothingPassesByDefault(t *testing.T) {
	p, err := probe.New(probe.Target{Base: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Check{
		"no function": {ID: "X-01"},
		"zero":        {ID: "X-02", run: func(context.Context, *probe.Probe) Verdict { return Verdict{} }},
		"panic":       {ID: "X-03", run: func(context.Context, *probe.Probe) Verdict { panic("no") }},
	} {
		if v := c.Run(t.Context(), p); v.Outcome() != Fail {
			t.Errorf("%s: %s", name, v.Outcome())
		}
	}
	if v := all(); v.Outcome() != Fail {
		t.Errorf("no verdict at all: %s", v.Outcome())
	}
}
