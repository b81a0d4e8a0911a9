package storesql

import (
	"context"
	"errors"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// maxAnonymous is how many requests that nobody has logged in to are kept,
	// answered or not; above it the oldest make room (AZ-36).
	maxAnonymous = 10_000
	// maxPersonal is the same for the requests of one person.
	maxPersonal = 100
	// evictEvery so many new requests a process looks whether there are too many:
	// looking costs more than storing.
	evictEvery = 64
)

// facts are what steps add to a request.
type facts struct {
	UserID        store.UserID  `json:"user_id,omitempty"`
	SessionHash   []byte        `json:"session_hash,omitempty"`
	AuthTime      time.Time     `json:"auth_time,omitzero"`
	AMR           []string      `json:"amr,omitempty"`
	EnrolPatient  string        `json:"enrol_patient,omitempty"`
	EnrolCodeHash []byte        `json:"enrol_code_hash,omitempty"`
	Patient       string        `json:"patient,omitempty"`
	Sought        []string      `json:"sought,omitempty"`
	Encounter     string        `json:"encounter,omitempty"`
	EncounterSet  bool          `json:"encounter_set,omitempty"`
	Approved      []string      `json:"approved,omitempty"`
	ApprovedSet   bool          `json:"approved_set,omitempty"`
	Remember      bool          `json:"remember,omitempty"`
	RefreshLife   time.Duration `json:"refresh_life,omitempty"`
	ConsentTicket string        `json:"consent_ticket,omitempty"`
	Refused       string        `json:"refused,omitempty"`
}

func factsOf(r store.AuthorizationRequest) facts {
	return facts{
		r.UserID, r.SessionHash, moment(r.AuthTime), r.AMR, r.EnrolPatient, r.EnrolCodeHash, r.Patient, r.Sought, r.Encounter, r.EncounterSet,
		r.Approved, r.ApprovedSet, r.Remember, r.RefreshLife, r.ConsentTicket, r.Refused,
	}
}

func (f facts) into(r *store.AuthorizationRequest) {
	r.UserID, r.SessionHash, r.AuthTime, r.AMR = f.UserID, f.SessionHash, f.AuthTime, f.AMR
	r.EnrolPatient, r.EnrolCodeHash = f.EnrolPatient, f.EnrolCodeHash
	r.Patient, r.Sought, r.Encounter, r.EncounterSet = f.Patient, f.Sought, f.Encounter, f.EncounterSet
	r.Approved, r.ApprovedSet, r.Remember, r.RefreshLife = f.Approved, f.ApprovedSet, f.Remember, f.RefreshLife
	r.ConsentTicket, r.Refused = f.ConsentTicket, f.Refused
}

// asked is the request without the facts and without the columns of its own.
func asked(r store.AuthorizationRequest) store.AuthorizationRequest {
	facts{}.into(&r)
	r.HandleHash, r.BrowserHash, r.Version = nil, nil, 0
	r.CreatedAt, r.ExpiresAt, r.AnsweredAt = time.Time{}, time.Time{}, time.Time{}
	return r
}

// CreateRequest implements store.Requests.
func (s *Store) CreateRequest(ctx context.Context, r store.AuthorizationRequest) error {
	fixed, err := encode(asked(r))
	if err != nil {
		return err
	}
	added, err := encode(factsOf(r))
	if err != nil {
		return err
	}
	if s.created.Add(1)%evictEvery == 1 {
		if err := s.evict(ctx); err != nil {
			return failure("making room for an authorization request", err)
		}
	}
	if err := s.evictOf(ctx, r); err != nil {
		return failure("making room for an authorization request", err)
	}
	_, err = s.db.Exec(ctx, `INSERT INTO authorization_request (handle_hash, browser_hash, version, created, expires, anonymous, asked, facts, user_id)
VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8)`, r.HandleHash, r.BrowserHash, millis(r.CreatedAt), millis(r.ExpiresAt), flag(r.UserID == ""), fixed, added, string(r.UserID))
	return failure("storing an authorization request", err)
}

// evict removes the oldest anonymous requests above the cap. Rows that another
// process is removing are left to it.
func (s *Store) evict(ctx context.Context) error {
	_, err := s.db.Exec(ctx, `DELETE FROM authorization_request WHERE handle_hash IN (
  SELECT r.handle_hash FROM authorization_request r WHERE r.handle_hash IN (
    SELECT handle_hash FROM authorization_request WHERE anonymous = 1 ORDER BY created DESC LIMIT 1000 OFFSET $1)`+
		s.db.Dialect().SkipLocked+`)`, int64(maxAnonymous))
	return err
}

// evictOf makes room for r among the requests of its person, if it has one: the
// oldest of the others go. Looking is a read; hardly anybody has too many.
func (s *Store) evictOf(ctx context.Context, r store.AuthorizationRequest) error {
	if r.UserID == "" {
		return nil
	}
	const others = `SELECT handle_hash FROM authorization_request
WHERE user_id = $1 AND user_id <> '' AND handle_hash <> $2 ORDER BY created DESC `
	var oldest []byte
	args := []any{string(r.UserID), r.HandleHash, int64(maxPersonal - 1)}
	err := s.db.QueryRow(ctx, others+`LIMIT 1 OFFSET $3`, args...).Scan(&oldest)
	if errors.Is(err, db.ErrNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `DELETE FROM authorization_request WHERE handle_hash IN (
SELECT r.handle_hash FROM authorization_request r WHERE r.handle_hash IN (`+others+`LIMIT 1000 OFFSET $3)`+s.db.Dialect().SkipLocked+`)`, args...)
	return err
}

// ClaimRequest implements store.Requests.
func (s *Store) ClaimRequest(ctx context.Context, handleHash, unclaimed, browserHash []byte) error {
	n, err := s.db.Exec(ctx, `UPDATE authorization_request SET browser_hash = $3
WHERE handle_hash = $1 AND browser_hash = $2 AND answered = 0 AND expires > `+s.now, handleHash, unclaimed, browserHash)
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	return failure("claiming an authorization request", err)
}

// Request implements store.Requests.
func (s *Store) Request(ctx context.Context, handleHash, browserHash []byte) (store.AuthorizationRequest, error) {
	var (
		version, created, expires, answered, over int64
		fixed, added                              string
	)
	err := s.db.Find(ctx, `SELECT version, created, expires, answered, CASE WHEN expires <= `+s.now+` THEN 1 ELSE 0 END, asked, facts
FROM authorization_request WHERE handle_hash = $1 AND browser_hash = $2`, handleHash, browserHash).
		Scan(&version, &created, &expires, &answered, &over, &fixed, &added)
	if err != nil {
		return store.AuthorizationRequest{}, failure("loading an authorization request", err)
	}
	r, err := decode[store.AuthorizationRequest](fixed)
	if err != nil {
		return store.AuthorizationRequest{}, err
	}
	f, err := decode[facts](added)
	if err != nil {
		return store.AuthorizationRequest{}, err
	}
	f.into(&r)
	r.HandleHash, r.BrowserHash, r.Version = handleHash, browserHash, version
	r.CreatedAt, r.ExpiresAt, r.AnsweredAt = instant(created), instant(expires), instant(answered)
	if over == 1 && answered == 0 {
		return store.AuthorizationRequest{}, store.ErrExpired
	}
	return r, nil
}

// SaveFacts implements store.Requests.
func (s *Store) SaveFacts(ctx context.Context, r store.AuthorizationRequest) error {
	added, err := encode(factsOf(r))
	if err != nil {
		return err
	}
	if err := s.evictOf(ctx, r); err != nil {
		return failure("making room for an authorization request", err)
	}
	n, err := s.db.Exec(ctx, `UPDATE authorization_request SET facts = $4, anonymous = $5, user_id = $6, version = version + 1
WHERE handle_hash = $1 AND browser_hash = $2 AND version = $3 AND answered = 0 AND expires > `+s.now,
		r.HandleHash, r.BrowserHash, r.Version, added, flag(r.UserID == ""), string(r.UserID))
	if err == nil && n == 0 {
		err = store.ErrConflict
	}
	return failure("adding to an authorization request", err)
}

// AnswerRequest implements store.Requests.
func (s *Store) AnswerRequest(ctx context.Context, handleHash []byte, d *store.ConsentDecision) error {
	return failure("answering an authorization request", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if err := s.answer(ctx, tx, handleHash); err != nil {
			return err
		}
		return s.keepDecision(ctx, tx, d)
	}))
}

// answer marks a request as answered; ErrConsumed when it was before.
func (s *Store) answer(ctx context.Context, tx *db.Tx, handleHash []byte) error {
	n, err := tx.Exec(ctx, `UPDATE authorization_request SET answered = `+s.now+`
WHERE handle_hash = $1 AND answered = 0 AND expires > `+s.now, handleHash)
	if err == nil && n == 0 {
		err = store.ErrConsumed
	}
	return err
}
