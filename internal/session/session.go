package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Deps are the parts that Sessions needs; all are required but Secure and Required.
type Deps struct {
	Store          Store
	Idle, Absolute time.Duration
	Secure         bool // browsers come over https
	// Required says of which roles a second factor is required; nil: of none.
	Required func(role store.Role) bool
	// Settle makes this process see what the store has just ended.
	Settle func(ctx context.Context) error
	Now    func() time.Time
}

// Store is what sessions need of the store.
type Store interface {
	CreateSession(ctx context.Context, s store.Session) error
	ContinueSession(ctx context.Context, s store.Session, old []byte) error
	Session(ctx context.Context, idHash []byte) (store.Session, error)
	TouchSession(ctx context.Context, idHash []byte, idleUntil time.Time) error
	EndSession(ctx context.Context, idHash []byte, reason string) error
	HalfStore
}

// HalfStore is what half sessions need of it.
type HalfStore interface {
	CreateHalfSession(ctx context.Context, h store.HalfSession) error
	HalfSession(ctx context.Context, idHash []byte) (store.HalfSession, error)
	EndHalfSession(ctx context.Context, idHash []byte) error
	CompleteSession(ctx context.Context, c store.Completion) error
}

// Sessions makes and reads sessions.
type Sessions struct{ deps Deps }

// New makes it; it refuses missing parts.
func New(deps Deps) (*Sessions, error) {
	if deps.Store == nil || deps.Idle <= 0 || deps.Absolute <= 0 || deps.Settle == nil || deps.Now == nil {
		return nil, errors.New("session: a part is missing")
	}
	return &Sessions{deps}, nil
}

// Authenticated is a person with a live session. The zero value is nobody.
type Authenticated struct{ session store.Session }

// UserID is the person.
func (a Authenticated) UserID() store.UserID { return a.session.UserID }

// AuthTime is when credentials were last proven.
func (a Authenticated) AuthTime() time.Time { return a.session.AuthTime }

// AMR is how they were proven (RFC 8176).
func (a Authenticated) AMR() []string { return a.session.AMR }

// ReadAt is the time of the database when the session was found alive.
func (a Authenticated) ReadAt() time.Time { return a.session.ReadAt }

// Hash names the session in the store.
func (a Authenticated) Hash() []byte { return a.session.IDHash }

const (
	sessionCookie = "emberlatch_session"
	browserCookie = "emberlatch_browser"
	halfCookie    = "emberlatch_second"
	hostPrefix    = "__Host-"
	// touchEvery is how often the idle clock of a session in use is written.
	touchEvery = time.Minute
)

func (s *Sessions) name(base string) string {
	if s.deps.Secure {
		return hostPrefix + base
	}
	return base
}

func (s *Sessions) set(w http.ResponseWriter, base, value string, life time.Duration) {
	c := &http.Cookie{Name: s.name(base), Value: value, Path: "/", HttpOnly: true, Secure: s.deps.Secure, SameSite: http.SameSiteLaxMode}
	switch {
	case value == "":
		c.MaxAge = -1
	case life > 0:
		c.MaxAge = int(life.Seconds())
	}
	http.SetCookie(w, c)
}

// read is the value of a cookie of ours. Two of one name are none: one of them was
// set by somebody else (RFC 6265 §8.6).
func (s *Sessions) read(r *http.Request, base string) string {
	if list := r.CookiesNamed(s.name(base)); len(list) == 1 {
		return list[0].Value
	}
	return ""
}

// Whose are the people of the live sessions that cookies of our name stand for: one or
// none. On plain http another program on this machine can have set a second one; then
// both are, and Current is nobody. It is no proof of who they are: what was shown for a
// session may not suffice any more, and it can be ended all the same.
func (s *Sessions) Whose(r *http.Request) ([]store.UserID, error) {
	var all []store.UserID
	for _, c := range r.CookiesNamed(s.name(sessionCookie)) {
		v, err := s.deps.Store.Session(r.Context(), oauth.Hash(c.Value))
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, v.UserID)
	}
	return all, nil
}

// find returns the live session of a request, whatever was shown for it.
func (s *Sessions) find(r *http.Request) (store.Session, bool, error) {
	value := s.read(r, sessionCookie)
	if value == "" {
		return store.Session{}, false, nil
	}
	v, err := s.deps.Store.Session(r.Context(), oauth.Hash(value))
	if errors.Is(err, store.ErrNotFound) {
		return store.Session{}, false, nil
	}
	return v, err == nil, err
}

// Current returns the live session of a request; false when there is none, or what was
// shown for it does not suffice. A session in use moves its idle clock.
func (s *Sessions) Current(r *http.Request) (Authenticated, bool, error) {
	v, live, err := s.find(r)
	if err != nil || !live || !s.suffices(v.Role, v.FactorAt, v.AMR) {
		return Authenticated{}, false, err
	}
	if now := s.deps.Now(); now.Sub(v.LastSeenAt) > touchEvery {
		if err := s.deps.Store.TouchSession(r.Context(), v.IDHash, now.Add(s.deps.Idle)); err != nil {
			return Authenticated{}, false, err
		}
	}
	return Authenticated{v}, true, nil
}

// Start begins a session for a person who has just proven their credentials, with
// a cookie that did not exist before. The session that this browser had ends: the
// cookie that could end it is overwritten. What lived by the person's own goes on
// with the new one, so that it ends when they sign out. Who owes a second factor gets a
// half session, and whole is false; what the browser had stays until Complete.
func (s *Sessions) Start(w http.ResponseWriter, r *http.Request, user store.User, amr []string) (who Authenticated, whole bool, err error) {
	if !s.suffices(user.Role, user.FactorAt, amr) {
		return Authenticated{}, false, s.begin(w, r, user.ID, amr)
	}
	old, live, err := s.find(r)
	if err != nil {
		return Authenticated{}, false, err
	}
	if live && old.UserID != user.ID {
		if err := s.end(r.Context(), old.IDHash, "somebody else signed in"); err != nil {
			return Authenticated{}, false, err
		}
	}
	v, text := s.fresh(user.ID, amr, s.deps.Now())
	if live && old.UserID == user.ID {
		err = s.deps.Store.ContinueSession(r.Context(), v, old.IDHash)
	} else {
		err = s.deps.Store.CreateSession(r.Context(), v)
	}
	if err != nil {
		return Authenticated{}, false, err
	}
	s.set(w, sessionCookie, text, 0)
	return Authenticated{v}, true, nil
}

// fresh is a session of now with the text of its cookie; at is when credentials were
// proven.
func (s *Sessions) fresh(user store.UserID, amr []string, at time.Time) (v store.Session, text string) {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	text = oauth.RandomToken("se_")
	return store.Session{
		IDHash: oauth.Hash(text), SID: oauth.RandomToken("")[:22], UserID: user, AuthTime: at.UTC().Truncate(time.Millisecond), AMR: amr, CreatedAt: now, LastSeenAt: now,
		IdleUntil: now.Add(s.deps.Idle), ExpiresAt: now.Add(s.deps.Absolute),
	}, text
}

// End ends the session of a request, a half one too, and takes its cookie away. Order: the cookie goes
// last. Without it nobody could end a session that goes on because this has failed.
func (s *Sessions) End(w http.ResponseWriter, r *http.Request, reason string) error {
	for _, cookie := range r.CookiesNamed(s.name(sessionCookie)) {
		if err := s.end(r.Context(), oauth.Hash(cookie.Value), reason); err != nil {
			return err
		}
	}
	s.set(w, sessionCookie, "", 0)
	return s.endHalf(w, r)
}

// end ends a session with what lives by it; nothing of it is good any more when
// the person sees the answer (LOGOUT-07).
func (s *Sessions) end(ctx context.Context, hash []byte, reason string) error {
	if err := s.deps.Store.EndSession(ctx, hash, reason); err != nil {
		return err
	}
	return s.deps.Settle(ctx)
}

// browserLife is how long a browser keeps its name; longer than any request.
const browserLife = 24 * time.Hour

// Browser is the hash that names the browser of a request; it gets a name when it
// has none.
func (s *Sessions) Browser(w http.ResponseWriter, r *http.Request) []byte {
	if hash := s.KnownBrowser(r); hash != nil {
		return hash
	}
	text := oauth.RandomToken("br_")
	s.set(w, browserCookie, text, browserLife)
	return oauth.Hash(text)
}

// KnownBrowser is the hash that names the browser; nil when it has no name.
func (s *Sessions) KnownBrowser(r *http.Request) []byte {
	value := s.read(r, browserCookie)
	if len(value) != len("br_")+43 {
		return nil
	}
	return oauth.Hash(value)
}
