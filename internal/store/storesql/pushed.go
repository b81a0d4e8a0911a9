package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// maxPushed is how many pushed requests of one client are kept, used or not; above
	// it the oldest make room (AZ-36).
	maxPushed = 1_000
	// maxPushedOfAll is the same for all clients together.
	maxPushedOfAll = 10_000
)

// CreatePushedRequest implements store.PushedRequests.
func (s *Store) CreatePushedRequest(ctx context.Context, p store.PushedRequest) error {
	body, err := encode(asked(p.Request))
	if err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `INSERT INTO pushed_request (reference_hash, client_id, asked, expires) VALUES ($1, $2, $3, `+s.now+` + $4)`,
		p.ReferenceHash, string(p.Request.ClientID), body, p.Life.Milliseconds())
	if err != nil {
		return failure("storing a pushed request", err)
	}
	if err := s.evictPushedOf(ctx, p.Request.ClientID); err != nil {
		return failure("making room for a pushed request", err)
	}
	if s.pushed.Add(1)%evictEvery == 0 {
		err = s.evictPushed(ctx, ``, maxPushedOfAll)
	}
	return failure("making room for a pushed request", err)
}

// evictPushedOf removes the oldest of a client above its cap. Looking is a read;
// hardly any client has too many.
func (s *Store) evictPushedOf(ctx context.Context, client store.ClientID) error {
	var one int64
	err := s.db.Find(ctx, `SELECT 1 FROM pushed_request WHERE client_id = $1 ORDER BY expires DESC LIMIT 1 OFFSET $2`,
		string(client), int64(maxPushed)).Scan(&one)
	if isNoRow(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.evictPushed(ctx, `WHERE client_id = $2`, maxPushed, string(client))
}

// evictPushed removes the oldest rows above a cap among those that a condition of
// ours names. Rows that another process is removing are left to it.
func (s *Store) evictPushed(ctx context.Context, among string, kept int64, args ...any) error {
	_, err := s.db.Exec(ctx, `DELETE FROM pushed_request WHERE reference_hash IN (
  SELECT p.reference_hash FROM pushed_request p WHERE p.reference_hash IN (
    SELECT reference_hash FROM pushed_request `+among+` ORDER BY expires DESC LIMIT 1000 OFFSET $1)`+
		s.db.Dialect().SkipLocked+`)`, append([]any{kept}, args...)...)
	return err
}

// PushedRequest implements store.PushedRequests.
func (s *Store) PushedRequest(ctx context.Context, referenceHash []byte, client store.ClientID) (store.PushedRequest, error) {
	var (
		used int64
		body string
	)
	err := s.db.Find(ctx, `SELECT used, asked FROM pushed_request WHERE reference_hash = $1 AND client_id = $2 AND expires > `+s.now,
		referenceHash, string(client)).Scan(&used, &body)
	if err != nil {
		return store.PushedRequest{}, failure("loading a pushed request", err)
	}
	q, err := decode[store.AuthorizationRequest](body)
	return store.PushedRequest{ReferenceHash: referenceHash, Request: q, Used: used != 0}, err
}

// UsePushedRequest implements store.PushedRequests: the row count of the statement
// decides who has begun it (RFC 9126 §4).
func (s *Store) UsePushedRequest(ctx context.Context, referenceHash []byte, client store.ClientID) error {
	n, err := s.db.Exec(ctx, `UPDATE pushed_request SET used = `+s.now+`
WHERE reference_hash = $1 AND client_id = $2 AND used = 0 AND expires > `+s.now, referenceHash, string(client))
	if err == nil && n == 0 {
		err = store.ErrConsumed
	}
	return failure("using a pushed request", err)
}
