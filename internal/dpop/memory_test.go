package dpop

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func numbered(n int, shard byte, end time.Time) Proof {
	p := Proof{thumbprint: "k", shard: shard, expires: end}
	binary.BigEndian.PutUint64(p.idHash[:], uint64(n))
	return p
}

// A proof is remembered until its end and not much longer; of many at once one wins.
//
// spec: AT-13
// attack: JW-16
func TestTheMemoryOfProofs(t *testing.T) {
	m, now := newMemory(), time.Unix(1_800_000_000, 0)
	end := now.Add(window)
	if got := m.use(numbered(1, 3, end), now); got != firstUse {
		t.Fatal(got)
	}
	for _, at := range []time.Time{now, end.Add(-time.Second), end} {
		if got := m.use(numbered(1, 3, end), at); got != usedBefore {
			t.Errorf("%v: %v", at, got)
		}
	}
	if got := m.use(numbered(1, 3, end.Add(time.Minute)), now); got != usedBefore {
		t.Error("the same jti with another iat is another proof")
	}
	if m.use(numbered(2, 3, end.Add(3*time.Minute)), end.Add(2*time.Minute)); m.parts[3].n != 1 {
		t.Errorf("%d are remembered", m.parts[3].n)
	}
	var won atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if m.use(numbered(7, 9, end), now) == firstUse {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won", won.Load())
	}
}

// When a part is full nothing more of it is let through, other keys are, and room
// comes back by itself.
//
// attack: JW-16
func TestTheMemoryIsBounded(t *testing.T) {
	m, now := newMemory(), time.Unix(1_800_000_000, 0)
	end := now.Add(window)
	for n := range maxPart {
		if got := m.use(numbered(n, 1, end), now); got != firstUse {
			t.Fatalf("%d: %v", n, got)
		}
	}
	if got := m.use(numbered(maxPart, 1, end), now); got != noRoom {
		t.Errorf("one too many: %v", got)
	}
	if got := m.use(numbered(5, 1, end), now); got != usedBefore {
		t.Errorf("a known one: %v", got)
	}
	if got := m.use(numbered(maxPart, 2, end), now); got != firstUse {
		t.Errorf("of another key: %v", got)
	}
	v := &Verifier{deps: Deps{Now: func() time.Time { return now }}, memory: m}
	if refused := v.Spend(numbered(maxPart, 1, end)); refused == nil || refused.HTTPStatus() != 503 {
		t.Errorf("told as %v", refused)
	}
	later := end.Add(bucket + time.Second)
	if got := m.use(numbered(maxPart, 1, later.Add(window)), later); got != firstUse || m.parts[1].n != 1 {
		t.Errorf("later: %v, %d remembered", got, m.parts[1].n)
	}
}
