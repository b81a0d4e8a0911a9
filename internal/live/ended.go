package live

import (
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// ended are the grants and tokens that are over, each until when somebody might
// still present a token of it. What is in it stays in it until then.
type ended struct {
	grants sync.Map // store.GrantID → time.Time
	tokens sync.Map // string → time.Time
}

func (e *ended) grant(id store.GrantID, until time.Time) { e.grants.LoadOrStore(id, until) }
func (e *ended) token(id string, until time.Time)        { e.tokens.LoadOrStore(id, until) }

func (e *ended) has(grant store.GrantID, token string) bool {
	if _, over := e.grants.Load(grant); over {
		return true
	}
	_, over := e.tokens.Load(token)
	return over
}

// forget drops what nobody can present any more.
func (e *ended) forget(now time.Time) {
	for _, m := range []*sync.Map{&e.grants, &e.tokens} {
		m.Range(func(key, until any) bool {
			if end, ok := until.(time.Time); ok && now.After(end) {
				m.Delete(key)
			}
			return true
		})
	}
}
