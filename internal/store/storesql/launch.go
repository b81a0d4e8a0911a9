package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// CreateLaunch implements store.Launches.
func (s *Store) CreateLaunch(ctx context.Context, l store.Launch, made store.Event) error {
	return failure("storing a launch", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO launch (handle_hash, client_id, user_id, context, expires) VALUES ($1, $2, $3, $4, `+s.now+` + $5)`,
			l.HandleHash, string(l.ClientID), string(l.UserID), l.Context, l.Life.Milliseconds())
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertEvent, eventArgs(made)...)
		return err
	}))
}

// ConsumeLaunch implements store.Launches: the statement that finds the row uses
// it up (SMART App Launch 2.2, EHR launch; CTX-04).
func (s *Store) ConsumeLaunch(ctx context.Context, handleHash []byte, client store.ClientID) (store.Launch, error) {
	l := store.Launch{HandleHash: handleHash, ClientID: client}
	var user string
	err := s.db.One(ctx, `UPDATE launch SET used = `+s.now+`
WHERE handle_hash = $1 AND client_id = $2 AND used = 0 AND expires > `+s.now+`
RETURNING user_id, context`, []any{handleHash, string(client)}, &user, &l.Context)
	if err != nil {
		return store.Launch{}, failure("using a launch", err)
	}
	l.UserID = store.UserID(user)
	return l, nil
}
