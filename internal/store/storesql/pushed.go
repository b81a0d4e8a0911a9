package storesql

import (
	"context"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	// maxPushed is how many pushed requests of one client are kept, used or not; above
	// it the oldest make room (AZ-36).
	maxPushed = 1_000
	// maxPushedOfAll is the same for all clients together.
	maxPushedOfAll = 10_000
	// maxPushedThere is how many of one client a network may have kept, so that
	// strangers who push for a public client do not push out what others have pushed;
	// maxPushedByNetwork is the same for all clients together.
	maxPushedThere     = 200
	maxPushedByNetwork = 1_000
)

// insertPushed stores a request unless its network has too many. Counting ends at the
// bound. Two at once may both be the last one.
const insertPushed = `INSERT INTO pushed_request (reference_hash, client_id, asked, expires, network)
SELECT $1, $2, $3, %NOW% + $4, $5 WHERE $5 = '' OR (
  (SELECT count(*) FROM (SELECT 1 AS one FROM pushed_request WHERE network = $5 AND network <> '' AND client_id = $2 AND expires > %NOW% LIMIT $6) kept) < $6
  AND (SELECT count(*) FROM (SELECT 1 AS one FROM pushed_request WHERE network = $5 AND network <> '' AND expires > %NOW% LIMIT $7) kept) < $7)`

// CreatePushedRequest implements store.PushedRequests.
func (s *Store) CreatePushedRequest(ctx context.Context, p store.PushedRequest) error {
	body, err := encode(asked(p.Request))
	if err != nil {
		return err
	}
	n, err := s.db.Exec(ctx, strings.ReplaceAll(insertPushed, "%NOW%", s.now),
		p.ReferenceHash, string(p.Request.ClientID), body, p.Life.Milliseconds(), p.Network, int64(maxPushedThere), int64(maxPushedByNetwork))
	if err == nil && n == 0 {
		err = store.ErrFull
	}
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
