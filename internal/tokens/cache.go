package tokens

import (
	"crypto/sha256"
	"sync"
)

// The cache remembers verified tokens by the SHA-256 of their text, in shards so
// that callers do not wait for each other. It is bounded: a full shard is
// emptied, which costs a signature check each and nothing else.
const (
	shards   = 32
	maxShard = 1024
)

type name [sha256.Size]byte

func hashOf(text string) name { return sha256.Sum256([]byte(text)) }

type cache struct{ shards *[shards]shard }

type shard struct {
	mu    sync.RWMutex
	known map[name]*verified
}

func newCache() cache {
	c := cache{new([shards]shard)}
	for i := range c.shards {
		c.shards[i].known = map[name]*verified{}
	}
	return c
}

func (c cache) get(n name) (*verified, bool) {
	s := &c.shards[n[0]%shards]
	s.mu.RLock()
	defer s.mu.RUnlock()
	f, ok := s.known[n]
	return f, ok
}

func (c cache) put(n name, f *verified) {
	s := &c.shards[n[0]%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= maxShard {
		clear(s.known)
	}
	s.known[n] = f
}
