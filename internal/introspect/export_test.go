package introspect

import (
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// WantsSigned is wantsSigned.
func WantsSigned(accept ...string) bool { return wantsSigned(accept) }

// Vain counts as the door does.
func Vain(now func() time.Time) (enter func(store.ClientID) time.Duration, takeBack func(store.ClientID)) {
	v := newVain(now)
	return v.enter, v.takeBack
}
