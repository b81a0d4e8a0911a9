package review

import (
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Business days that the rule gives (45 CFR 170.404(b)(1)).
const (
	VerifyWithin = 10 // from the registration to the decision who the developer is
	EnableWithin = 5  // from that decision to the use in production
)

// Standing is where an app is, since when, and by when it has to go on.
type Standing struct {
	State   store.ReviewState
	Since   time.Time
	Due     time.Time // zero: nothing is due
	Overdue bool
}

// Standing says what is due of an app at a moment.
func (c Calendar) Standing(r store.Review, now time.Time) Standing {
	s := Standing{State: r.State()}
	switch s.State {
	case store.ReviewRegistered:
		s.Since, s.Due = r.RegisteredAt, c.End(r.RegisteredAt, VerifyWithin)
	case store.ReviewAsked:
		s.Since, s.Due = r.AskedAt, c.End(r.RegisteredAt, VerifyWithin)
	case store.ReviewVerified:
		s.Since, s.Due = r.VerifiedAt, c.End(r.VerifiedAt, EnableWithin)
	case store.ReviewEnabled:
		s.Since = r.EnabledAt
	case store.ReviewDeclined:
		s.Since = r.DeclinedAt
	case store.ReviewSuspended:
		s.Since = r.SuspendedAt
	}
	s.Overdue = !s.Due.IsZero() && now.After(s.Due)
	return s
}
