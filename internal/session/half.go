package session

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Methods of proving who one is (RFC 8176 §2).
const (
	Password  = "pwd"
	TimeCode  = "otp"
	Multiple  = "mfa" // more than one factor was shown
	halfLife  = 15 * time.Minute
	halfToken = "hs_"
)

// Halfway is a person who has proven a password and owes a second factor. It is no
// Authenticated, and nothing makes one of it but Complete. The zero value is nobody.
type Halfway struct{ half store.HalfSession }

// UserID is the person.
func (h Halfway) UserID() store.UserID { return h.half.UserID }

// Hash names the half session in the store.
func (h Halfway) Hash() []byte { return h.half.IDHash }

// suffices reports whether what was shown is all that is owed: a second factor by who has
// one, and by the roles of which it is required (LOGIN-13). It is asked whenever a session
// is read, so that neither a factor that is set up meanwhile nor a new rule leaves one
// behind that knows a password only.
func (s *Sessions) suffices(role store.Role, factorAt time.Time, amr []string) bool {
	return slices.Contains(amr, Multiple) || factorAt.IsZero() && !s.Required(role)
}

// Required reports whether people of a role have to have a second factor.
func (s *Sessions) Required(role store.Role) bool {
	return s.deps.Required != nil && s.deps.Required(role)
}

// begin begins a half session, with a cookie of its own.
func (s *Sessions) begin(w http.ResponseWriter, r *http.Request, user store.UserID, amr []string) error {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	text := oauth.RandomToken(halfToken)
	err := s.deps.Store.CreateHalfSession(r.Context(), store.HalfSession{
		IDHash: oauth.Hash(text), UserID: user, AMR: amr, CreatedAt: now, ExpiresAt: now.Add(halfLife),
	})
	if err == nil {
		s.set(w, halfCookie, text, halfLife)
	}
	return err
}

// Halfway returns who is half signed in at the browser; false: nobody is.
func (s *Sessions) Halfway(r *http.Request) (Halfway, bool, error) {
	value := s.read(r, halfCookie)
	if value == "" {
		return Halfway{}, false, nil
	}
	h, err := s.deps.Store.HalfSession(r.Context(), oauth.Hash(value))
	if errors.Is(err, store.ErrNotFound) {
		return Halfway{}, false, nil
	}
	return Halfway{h}, err == nil, err
}

// Complete makes a session of a half one, by a code that is used up with it, or by a
// factor that is set up with it. The cookie of the session did not exist before (LG-08);
// the one of the half session is worth nothing any more. Errors are those of
// store.CompleteSession.
func (s *Sessions) Complete(w http.ResponseWriter, r *http.Request, h Halfway, use store.FactorUse, setUp *store.FactorChange, e store.Event) (Authenticated, error) {
	old, err := s.oldHash(r)
	if err != nil {
		return Authenticated{}, err
	}
	amr := append(slices.Clone(h.half.AMR), TimeCode, Multiple)
	if use.BackupHash != nil { // no code by time was shown
		amr = append(slices.Clone(h.half.AMR), Multiple)
	}
	v, text := s.fresh(h.UserID(), amr, s.deps.Now())
	err = s.deps.Store.CompleteSession(r.Context(), store.Completion{Half: h.Hash(), Session: v, Use: use, SetUp: setUp, Old: old, Event: e})
	if err == nil {
		err = s.deps.Settle(r.Context())
	}
	if err != nil {
		return Authenticated{}, err
	}
	s.set(w, sessionCookie, text, 0)
	s.set(w, halfCookie, "", 0)
	return Authenticated{v}, nil
}

func (s *Sessions) oldHash(r *http.Request) ([]byte, error) {
	old, live, err := s.find(r)
	if err != nil || !live {
		return nil, err
	}
	return old.IDHash, nil
}

// Renew gives the session of somebody who goes on another id, after a change of what opens
// their account (LOGIN-14); the one before ends. proven is what they have shown just now.
// Only where that is all that was ever shown does AuthTime move: a weaker proof makes no
// older one fresh (LG-19).
func (s *Sessions) Renew(w http.ResponseWriter, r *http.Request, who Authenticated, proven ...string) (Authenticated, error) {
	amr, at := slices.Clone(who.AMR()), s.deps.Now()
	for _, method := range proven {
		if !slices.Contains(amr, method) {
			amr = append(amr, method, Multiple)
		}
	}
	if slices.Contains(amr, Multiple) || len(proven) == 0 {
		at = who.AuthTime()
	}
	v, text := s.fresh(who.UserID(), amr, at)
	if err := s.deps.Store.ContinueSession(r.Context(), v, who.Hash()); err != nil {
		return Authenticated{}, err
	}
	s.set(w, sessionCookie, text, 0)
	return Authenticated{v}, nil
}

// endHalf ends the half session of a request and takes its cookie away.
func (s *Sessions) endHalf(w http.ResponseWriter, r *http.Request) error {
	cookies := r.CookiesNamed(s.name(halfCookie))
	for _, c := range cookies {
		if err := s.deps.Store.EndHalfSession(r.Context(), oauth.Hash(c.Value)); err != nil {
			return err
		}
	}
	if len(cookies) > 0 {
		s.set(w, halfCookie, "", 0)
	}
	return nil
}
