package introspect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// maxContexts bounds what is remembered: when it is full it is emptied, which costs a
// read each and nothing else.
const maxContexts = 8 << 10

// contexts remembers what grants say of the launch context, which never changes. A
// resource server asks about one token again and again; whether the token is good is
// judged each time, elsewhere. It is safe for concurrent use.
type contexts struct {
	grants Grants
	mu     sync.RWMutex
	known  map[store.GrantID]smart.LaunchContext
}

func newContexts(grants Grants) *contexts {
	return &contexts{grants: grants, known: map[store.GrantID]smart.LaunchContext{}}
}

// of is the launch context of a grant; empty for one that is not stored, which is not
// remembered.
func (c *contexts) of(ctx context.Context, id store.GrantID) (smart.LaunchContext, error) {
	c.mu.RLock()
	known, ok := c.known[id]
	c.mu.RUnlock()
	if ok {
		return known, nil
	}
	var read smart.LaunchContext
	grant, err := c.grants.Grant(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return read, nil
	case err != nil:
		return read, err
	}
	if grant.LaunchContext != "" {
		if err := json.Unmarshal([]byte(grant.LaunchContext), &read); err != nil {
			return smart.LaunchContext{}, fmt.Errorf("reading the launch context of a grant: %w", err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxContexts {
		clear(c.known)
	}
	c.known[id] = read
	return read, nil
}
