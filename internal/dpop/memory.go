package dpop

import (
	"sync"
	"time"
)

// The memory of used proofs is in parts, so that callers do not wait for each other;
// the key of a proof says which part, so that who fills one with proofs of a key is in
// the way of few others. A part holds what is used in a minute at some 400 requests a
// second; all of them together are at most some tens of megabytes.
const (
	parts   = 32
	maxPart = 1 << 15
	// bucket is how finely the ends of proofs are kept.
	bucket = 15 * time.Second
)

// id names a proof: half of the SHA-256 of its key and jti.
type id [16]byte

// What comes of using a proof. The zero value is no success.
type use int

const (
	noRoom use = iota
	usedBefore
	firstUse
)

type memory struct{ parts *[parts]part }

// part are the proofs that have not ended, by the bucket that they end in.
type part struct {
	mu   sync.Mutex
	used map[int64]map[id]struct{}
	n    int
}

func newMemory() memory {
	m := memory{new([parts]part)}
	for i := range m.parts {
		m.parts[i].used = map[int64]map[id]struct{}{}
	}
	return m
}

// use remembers a proof until its end. One call wins.
func (m memory) use(p Proof, now time.Time) use {
	return m.parts[p.shard%parts].use(id(p.idHash[:len(id{})]), p.expires, now)
}

func (p *part) use(name id, end, now time.Time) use {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(now)
	for _, ending := range p.used {
		if _, known := ending[name]; known {
			return usedBefore
		}
	}
	if p.n >= maxPart {
		return noRoom
	}
	b := end.Unix() / int64(bucket/time.Second)
	if p.used[b] == nil {
		p.used[b] = map[id]struct{}{}
	}
	p.used[b][name] = struct{}{}
	p.n++
	return firstUse
}

// forget drops the buckets that have ended whole.
func (p *part) forget(now time.Time) {
	for b, ending := range p.used {
		if time.Unix((b+1)*int64(bucket/time.Second), 0).Before(now) {
			p.n -= len(ending)
			delete(p.used, b)
		}
	}
}
