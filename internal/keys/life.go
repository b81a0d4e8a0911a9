package keys

import (
	"errors"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Schedule says how long the parts of a key's life are; all are required.
type Schedule struct {
	Every      time.Duration // it signs
	Ahead      time.Duration // it is published before it signs
	KeepAccess time.Duration // it verifies access tokens after it has signed the last one
	KeepID     time.Duration // the same for ID tokens, and for hints with them
}

// DefaultSchedule is safe everywhere: the ends are longer than any token that a
// configuration allows.
func DefaultSchedule() Schedule {
	const day = 24 * time.Hour
	return Schedule{Every: 30 * day, Ahead: day, KeepAccess: time.Hour + 5*time.Minute, KeepID: 8 * day}
}

func (s Schedule) check() error {
	if s.Ahead <= 0 || s.Every <= s.Ahead || s.KeepAccess <= 0 || s.KeepID <= 0 {
		return errors.New("keys: the schedule has a part that is missing, or keys that are published for longer than they sign")
	}
	return nil
}

func (s Schedule) keep(use string) time.Duration {
	if use == UseAccess {
		return s.KeepAccess
	}
	return s.KeepID
}

// lag is how long a key that is gone is still stored: longer than the clocks of
// two processes differ.
const lag = time.Minute

// gone reports whether nothing that the key signed is good any more.
func gone(k store.SigningKey, now time.Time) bool {
	return !k.VerifiesUntil.IsZero() && !now.Before(k.VerifiesUntil)
}

// waiting reports whether a key is published and does not sign yet.
func waiting(stored []store.SigningKey, now time.Time) bool {
	return slices.ContainsFunc(stored, func(k store.SigningKey) bool { return k.SignsFrom.After(now) })
}

// due returns when the next keys are to begin to sign, and whether it is time to
// publish them.
func (s Schedule) due(stored []store.SigningKey, now time.Time) (from time.Time, is bool) {
	var newest time.Time
	for _, k := range stored {
		if k.SignsFrom.After(newest) {
			newest = k.SignsFrom
		}
	}
	from = newest.Add(s.Every)
	if soonest := now.Add(s.Ahead); from.Before(soonest) {
		from = soonest
	}
	return from, !newest.Add(s.Every).After(now.Add(s.Ahead))
}

// living leaves out what is gone for every process.
func living(stored []store.SigningKey, now time.Time) []store.SigningKey {
	return slices.DeleteFunc(slices.Clone(stored), func(k store.SigningKey) bool { return gone(k, now.Add(-lag)) })
}

// retire sets the end of the keys that have none: their successors sign from then on.
func (s Schedule) retire(stored []store.SigningKey, from time.Time) []store.SigningKey {
	list := slices.Clone(stored)
	for i, k := range list {
		if k.VerifiesUntil.IsZero() {
			list[i].VerifiesUntil = from.Add(s.keep(k.Use))
		}
	}
	return list
}

// State is where a key stands in its life.
type State string

// The states, in their order.
const (
	Published State = "published"
	Signing   State = "signing"
	Retired   State = "retired"
)

// Listed is what operators see of a key.
type Listed struct {
	ID            string    `json:"kid"`
	Use           string    `json:"use"`
	Algorithm     string    `json:"alg"`
	State         State     `json:"state"`
	PublishedAt   time.Time `json:"published_at"`
	SignsFrom     time.Time `json:"signs_from"`
	VerifiesUntil time.Time `json:"verifies_until,omitzero"`
}

// List returns the keys that are not gone, the oldest first.
func (r *Ring) List() []Listed {
	set, now := r.set.Load(), r.deps.Now()
	list := []Listed{}
	for _, k := range set.all {
		if gone(k.SigningKey, now) {
			continue
		}
		state := Retired
		switch {
		case set.signer(k.Use, k.Algorithm, now) == k:
			state = Signing
		case k.SignsFrom.After(now):
			state = Published
		}
		list = append(list, Listed{k.ID, k.Use, k.Algorithm, state, k.CreatedAt, k.SignsFrom, k.VerifiesUntil})
	}
	return list
}
