package consent

import (
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// lengths that a person may choose; one of them is three months (CONS-20).
var lengths = []struct {
	value string
	life  time.Duration
}{
	{"day", 24 * time.Hour}, {"quarter", 93 * 24 * time.Hour}, {"year", 365 * 24 * time.Hour},
}

// usual is the length that is chosen at first; never the longest.
const usual = "quarter"

// offline is the choice of lasting access, if it was asked for. A client with a
// length of its own has no choice of lengths.
func offline(q store.AuthorizationRequest, client store.Client, before store.RememberedConsent, now time.Time) *page.Duration {
	if !slices.Contains(q.Scopes, smart.OfflineAccess) {
		return nil
	}
	d := &page.Duration{Scope: smart.OfflineAccess, Ticked: keeps(smart.OfflineAccess, before)}
	if client.RefreshLife > 0 {
		d.Until = now.Add(client.RefreshLife) // CONS-08: the page says until when
		return d
	}
	for _, l := range lengths {
		d.Options = append(d.Options, page.DurationOption{Value: l.value, Until: now.Add(l.life), Chosen: l.value == usual})
	}
	return d
}

// online is the choice of access while the person stays signed in.
func online(q store.AuthorizationRequest, before store.RememberedConsent) *page.Duration {
	if !slices.Contains(q.Scopes, smart.OnlineAccess) {
		return nil
	}
	return &page.Duration{Scope: smart.OnlineAccess, Ticked: keeps(smart.OnlineAccess, before)}
}

// keeps: ticked, unless the last choice left it out.
func keeps(scope string, before store.RememberedConsent) bool {
	return !slices.Contains(before.Requested, scope) || slices.Contains(before.Approved, scope)
}

// lifeOf is the length that a form chose; 0 leaves it to the server.
func lifeOf(value string) time.Duration {
	for _, l := range lengths {
		if l.value == value {
			return l.life
		}
	}
	return 0
}
