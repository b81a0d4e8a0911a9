package store

import (
	"context"
	"time"
)

// Emergency is one patient's record, opened by somebody at work who does not reach it
// otherwise.
type Emergency struct {
	ID       string
	UserID   UserID
	Patient  string
	Reason   string   // as it was stated; never empty
	ClientID ClientID // the app in whose request it was opened
	OpenedAt time.Time
	// EndsAt is when it ends by itself.
	EndsAt time.Time
	// EndedAt is when somebody has ended it before; zero: nobody has.
	EndedAt time.Time
	EndedBy string // user id, or operator
}

// Open reports whether it lasts at a moment.
func (e Emergency) Open(at time.Time) bool { return e.EndedAt.IsZero() && at.Before(e.EndsAt) }

// OpenedFor asks for a new Emergency, whose times are the store's.
type OpenedFor struct {
	Emergency
	Life  time.Duration
	Event Event
}

// EmergencyEnd ends an Emergency before its time.
type EmergencyEnd struct {
	ID string
	// UserID is whose it has to be; empty: anybody's, which is for operators.
	UserID UserID
	Event  Event // its Actor has ended it; its Patient is filled in
}

// Emergencies are records that were opened in an emergency.
type Emergencies interface {
	// OpenEmergency opens one by a single statement, and records and announces it in the
	// same transaction. ErrNotFound: there is no such user, or they are disabled or no
	// practitioner.
	OpenEmergency(ctx context.Context, o OpenedFor) (Emergency, error)
	// EndEmergency ends an open one, with whatever else the same user has opened of the
	// same patient. ErrNotFound: there is none that is open, or it is somebody else's.
	EndEmergency(ctx context.Context, e EmergencyEnd) error
	// OpenEmergencies returns those of a user that last, by the store's time, the oldest first.
	OpenEmergencies(ctx context.Context, user UserID) ([]Emergency, error)
	// ListEmergencies returns all that are kept, or only those that last, the newest
	// first, at most limit of them.
	ListEmergencies(ctx context.Context, open bool, limit int) ([]Emergency, error)
}
