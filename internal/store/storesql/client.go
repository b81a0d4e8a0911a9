package storesql

import (
	"context"
	"errors"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// CreateClient implements store.Clients.
func (s *Store) CreateClient(ctx context.Context, c store.Client) error {
	body, err := encode(c)
	if err != nil {
		return err
	}
	return failure("creating a client", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO client (id, disabled, body) VALUES ($1, $2, $3)`, string(c.ID), flag(c.Disabled), body); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeClient, string(c.ID))
	}))
}

// PutClient implements store.Clients.
func (s *Store) PutClient(ctx context.Context, c store.Client) error {
	body, err := encode(c)
	if err != nil {
		return err
	}
	return failure("replacing a client", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE client SET disabled = $2, body = $3 WHERE id = $1`, string(c.ID), flag(c.Disabled), body)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		if c.Disabled {
			if _, err := s.endGrants(ctx, tx, "client_id = $3", "client disabled", "operator", string(c.ID)); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, store.ChangeClient, string(c.ID))
	}))
}

func readClient(row db.Row) (store.Client, error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return store.Client{}, err
	}
	return decode[store.Client](body)
}

// Client implements store.Clients.
func (s *Store) Client(ctx context.Context, id store.ClientID) (store.Client, error) {
	c, err := readClient(s.db.QueryRow(ctx, `SELECT body FROM client WHERE id = $1`, string(id)))
	return c, failure("loading a client", err)
}

// ListClients implements store.Clients.
func (s *Store) ListClients(ctx context.Context) ([]store.Client, error) {
	all, err := list(ctx, s, readClient, `SELECT body FROM client ORDER BY id`)
	return all, failure("listing clients", err)
}

// isNoRow reports that a conditional statement changed nothing.
func isNoRow(err error) bool { return errors.Is(err, db.ErrNoRow) }
