package introspect_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/introspect"
)

// A caller has so many questions in vain a minute, however many it asks at once; a good
// token is taken back, and the next minute begins anew.
//
// spec: INTRO-20
func TestQuestionsInVainAreCounted(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	enter, takeBack := introspect.Vain(func() time.Time { return now })
	var answered atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 50 {
				if enter("a") == 0 {
					answered.Add(1)
				}
			}
		})
	}
	all.Wait()
	if answered.Load() != 1200 {
		t.Errorf("%d were answered", answered.Load())
	}
	if wait := enter("a"); wait != time.Minute {
		t.Errorf("wait %s", wait)
	}
	if enter("b") != 0 {
		t.Error("another caller waits as well")
	}
	takeBack("a")
	if enter("a") != 0 || enter("a") == 0 {
		t.Error("what was taken back is not one question")
	}
	takeBack("nobody")
	now = now.Add(59 * time.Second)
	if wait := enter("a"); wait != time.Second {
		t.Errorf("wait %s", wait)
	}
	now = now.Add(time.Second)
	if enter("a") != 0 {
		t.Error("the next minute has not begun")
	}
}

// FuzzAccept: only who names the type gets it.
func FuzzAccept(f *testing.F) {
	for _, seed := range []string{"application/token-introspection+jwt", "application/json;q=0.1, application/token-introspection+jwt;q=1", "*/*", ";q=", `a/b;c="\`, "application/token-introspection+jwt;q=NaN"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if introspect.WantsSigned(accept) && !strings.Contains(strings.ToLower(accept), "application/token-introspection+jwt") {
			t.Errorf("%q", accept)
		}
	})
}
