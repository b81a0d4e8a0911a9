package upstream

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
)

// A statement is read again after a while; an old one serves while a new one cannot
// be had. Nobody who asks waits for that, and many who wait for the first read it once.
func TestStatementsAreKept(t *testing.T) {
	var mu sync.Mutex
	now, reads := time.Now(), 0
	next, failure := &statement{}, errors.New("it is down")
	done := make(chan bool, 10)
	s := statements{
		now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now },
		read: func(context.Context) (*statement, error) {
			mu.Lock()
			defer mu.Unlock()
			defer func() { done <- true }()
			reads++
			return next, failure
		},
	}
	if _, err := s.get(t.Context()); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	<-done
	failure = nil
	first, err := s.get(t.Context())
	if err != nil || first != next {
		t.Fatal(err)
	}
	<-done
	later := func(d time.Duration) *statement {
		mu.Lock()
		now = now.Add(d)
		mu.Unlock()
		got, err := s.get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if later(statementLife-time.Second) != first || reads != 2 {
		t.Errorf("read %d times before it was time", reads)
	}
	mu.Lock()
	next, failure = &statement{types: map[fhir.ResourceType]declared{"Patient": {}}}, errors.New("down again")
	mu.Unlock()
	if later(time.Minute) != first {
		t.Error("somebody waited for a new one")
	}
	<-done
	settled(t, &s)
	if later(time.Second) != first {
		t.Error("the old one does not serve while there is no new one")
	}
	mu.Lock()
	failure = nil
	mu.Unlock()
	later(statementRetry)
	<-done
	settled(t, &s)
	if later(time.Second) == first {
		t.Error("the new one is not used")
	}
}

// settled waits for a renewal in the background.
func settled(t *testing.T, s *statements) {
	t.Helper()
	s.once.Lock()
	defer s.once.Unlock()
}
