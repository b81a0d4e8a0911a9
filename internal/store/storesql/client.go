package storesql

import (
	"context"
	"errors"
	"slices"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

func encodeClient(c store.Client) (string, error) {
	c.CreatedAt = moment(c.CreatedAt)
	c.Secrets = slices.Clone(c.Secrets)
	for i, secret := range c.Secrets {
		c.Secrets[i].CreatedAt, c.Secrets[i].ExpiresAt = moment(secret.CreatedAt), moment(secret.ExpiresAt)
	}
	return encode(c)
}

// CreateClient implements store.Clients.
func (s *Store) CreateClient(ctx context.Context, c store.Client) error {
	body, err := encodeClient(c)
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
	body, err := encodeClient(c)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE client SET disabled = $2, body = $3 WHERE id = $1`, string(c.ID), flag(c.Disabled), body)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		if c.Disabled {
			if _, err := s.endGrants(ctx, tx, endClient(c.ID)); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, store.ChangeClient, string(c.ID))
	})
	if err == nil && c.Disabled {
		err = s.endLate(ctx, endClient(c.ID))
	}
	return failure("replacing a client", err)
}

func endClient(id store.ClientID) ending {
	return ending{condition: "client_id = $3", arg: string(id), reason: "client disabled", actor: "operator"}
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
	c, err := readClient(s.db.Find(ctx, `SELECT body FROM client WHERE id = $1`, string(id)))
	return c, failure("loading a client", err)
}

// ListClients implements store.Clients.
func (s *Store) ListClients(ctx context.Context) ([]store.Client, error) {
	all, err := list(ctx, s, readClient, `SELECT body FROM client ORDER BY id`)
	return all, failure("listing clients", err)
}

// isNoRow reports that a conditional statement changed nothing.
func isNoRow(err error) bool { return errors.Is(err, db.ErrNoRow) }
