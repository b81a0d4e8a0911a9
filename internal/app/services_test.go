package app

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// What a service reaches is found once for many, used again for seconds, and not a
// moment longer once something has changed; a service that is disabled, or is none,
// reaches nobody, whatever is remembered.
//
// spec: BS-11
func TestWhatAServiceReachesIsFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := store.Client{ID: "c", GrantTypes: []string{oauth.GrantClientCredentials}}
		var asked atomic.Int64
		var fault error
		s := &services{
			client: func(store.ClientID) (store.Client, bool) { return client, client.ID != "" },
			reach: func(context.Context, store.Client) (access.Own, error) {
				asked.Add(1)
				time.Sleep(100 * time.Millisecond)
				if errors.Is(fault, errPanic) {
					panic("odd")
				}
				return access.Own{All: true}, fault
			},
			now: time.Now, known: map[store.ClientID]service{},
		}
		get := func(want error, times int64) {
			t.Helper()
			got, err := s.get(t.Context(), "c")
			if !errors.Is(err, want) || got.own.All != (want == nil) || asked.Load() != times {
				t.Errorf("%+v, %v, asked %d times; want %v, %d", got.own, err, asked.Load(), want, times)
			}
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { get(nil, 1) })
		}
		all.Wait()
		time.Sleep(time.Second)
		get(nil, 1)
		s.forget()
		get(nil, 2)
		time.Sleep(2 * time.Second)
		get(nil, 3)
		for _, none := range []store.Client{{ID: "c", Disabled: true, GrantTypes: client.GrantTypes}, {ID: "c", GrantTypes: []string{oauth.GrantAuthorizationCode}}, {}} {
			before := client
			client = none
			get(store.ErrNotFound, 3)
			client = before
		}
		s.forget()
		fault = errors.New("disk gone")
		get(fault, 4)
		get(fault, 5) // a failure is not remembered
		fault = errPanic
		if got, err := s.get(t.Context(), "c"); err == nil || got.own.All {
			t.Errorf("a panic: %+v, %v", got.own, err)
		}
	})
}

var errPanic = errors.New("panic")
