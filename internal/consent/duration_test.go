package consent

import (
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// A client with a length of its own offers no choice of lengths, and the page is
// told until when it may read.
//
// spec: CONS-08, CONS-20
func TestTheLengthOfAClientIsTold(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	asked := store.AuthorizationRequest{Scopes: []string{smart.OfflineAccess}}
	own := offline(asked, store.Client{RefreshLife: 6 * time.Hour}, store.RememberedConsent{}, now)
	if len(own.Options) != 0 || !own.Until.Equal(now.Add(6*time.Hour)) {
		t.Errorf("a client of its own length: %+v", own)
	}
	usual := offline(asked, store.Client{}, store.RememberedConsent{}, now)
	long := 0
	for _, o := range usual.Options {
		if o.Until.Sub(now) >= 90*24*time.Hour {
			long++
		}
	}
	if long == 0 || !usual.Until.IsZero() {
		t.Errorf("no length of three months: %+v", usual)
	}
}
