package introspect

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// MaxContexts is maxContexts.
const MaxContexts = maxContexts

// Contexts remembers as the door does.
func Contexts(g Grants) func(context.Context, store.GrantID) (smart.LaunchContext, error) {
	return newContexts(g).of
}

// WantsSigned is wantsSigned.
func WantsSigned(accept ...string) bool { return wantsSigned(accept) }

// Vain counts as the door does.
func Vain(now func() time.Time) (enter func(store.ClientID) time.Duration, takeBack func(store.ClientID)) {
	v := newVain(now)
	return v.enter, v.takeBack
}
