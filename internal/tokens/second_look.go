package tokens

import (
	"context"
	"sync"
	"time"
)

// lookPace is how often unknown keys may cause another look, however many tokens
// name them.
const lookPace = 100 * time.Millisecond

// secondLook reads again what other processes have changed, for tokens that this
// one cannot judge yet. Callers who came before a look began share it, and the next
// one waits: a flood of made-up tokens costs ten looks a second and makes nobody
// wait but its sender.
type secondLook struct {
	look func(ctx context.Context) error
	mu   sync.Mutex
	last time.Time // when the last look began
	err  error
}

// now returns when a look that began after the call has ended.
func (s *secondLook) now(ctx context.Context) error {
	came := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last.After(came) {
		return s.err
	}
	if pause := time.Until(s.last.Add(lookPace)); pause > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	s.last = time.Now()
	s.err = s.look(context.WithoutCancel(ctx)) // others wait for it as well
	return s.err
}
