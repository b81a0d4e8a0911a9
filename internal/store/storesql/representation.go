package storesql

import (
	"context"
	"slices"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Represent implements store.Users. Order: the row is locked before it is read, so that
// of two changes neither is lost.
func (s *Store) Represent(ctx context.Context, c store.RepresentationChange) error {
	return failure("changing for whom a user stands", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		var body string
		if err := tx.One(ctx, `UPDATE account SET body = body WHERE id = $1 RETURNING body`, []any{string(c.UserID)}, &body); err != nil {
			if isNoRow(err) {
				return store.ErrNotFound
			}
			return err
		}
		u, err := decode[store.User](body)
		if err != nil {
			return err
		}
		before := len(u.Represents)
		u.Represents = slices.DeleteFunc(u.Represents, func(r store.Representation) bool { return r.Patient == c.Representation.Patient })
		switch {
		case !c.End:
			c.Representation.Until = moment(c.Representation.Until)
			u.Represents = append(u.Represents, c.Representation)
		case len(u.Represents) == before:
			return store.ErrNotFound
		}
		if body, err = encode(u); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE account SET body = $2 WHERE id = $1`, string(c.UserID), body); err != nil {
			return err
		}
		if err := s.record(ctx, tx, c.Event); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeUser, string(c.UserID))
	}))
}
