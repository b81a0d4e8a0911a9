package storesql

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

func encodeClient(c store.Client) (string, error) {
	c.CreatedAt = moment(c.CreatedAt)
	c.Secrets = slices.Clone(c.Secrets)
	for i, secret := range c.Secrets {
		c.Secrets[i].CreatedAt, c.Secrets[i].ExpiresAt = moment(secret.CreatedAt), moment(secret.ExpiresAt)
	}
	r := &c.Review
	for _, at := range []*time.Time{&r.RegisteredAt, &r.AskedAt, &r.VerifiedAt, &r.EnabledAt, &r.DeclinedAt, &r.SuspendedAt} {
		*at = moment(*at)
	}
	return encode(c)
}

// insertClient writes a new client and tells the feed.
func (s *Store) insertClient(ctx context.Context, tx *db.Tx, c store.Client) error {
	body, err := encodeClient(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO client (id, disabled, body, registration_hash, self_registered, registered, operator_set, review)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, string(c.ID), flag(c.Disabled), body, notNil(c.RegistrationHash), flag(c.SelfRegistered), millis(c.CreatedAt),
		flag(c.OperatorSet), string(c.Review.State()))
	if err != nil {
		return err
	}
	return s.announce(ctx, tx, store.ChangeClient, string(c.ID))
}

// CreateClient implements store.Clients.
func (s *Store) CreateClient(ctx context.Context, c store.Client) error {
	return failure("creating a client", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		return s.insertClient(ctx, tx, c)
	}))
}

// ImportClients implements store.Clients.
func (s *Store) ImportClients(ctx context.Context, all []store.Client, e store.Event) error {
	return failure("importing clients", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		for _, c := range all {
			if err := s.insertClient(ctx, tx, c); err != nil {
				return err
			}
			e.ClientID = c.ID
			if err := s.record(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	}))
}

// PutClient implements store.Clients.
func (s *Store) PutClient(ctx context.Context, c store.Client) error {
	return failure("replacing a client", s.replaceClient(ctx, c, "", nil))
}

// ChangeClient implements store.Clients.
func (s *Store) ChangeClient(ctx context.Context, c store.Client, e store.Event) error {
	err := s.replaceClient(ctx, c, ` AND version = $7`, &e, c.Version)
	return failure("changing a client", s.goneOrChanged(ctx, c.ID, err))
}

// replaceClient writes a client under one more condition. Disabling it ends its
// grants, also those that are being issued meanwhile.
func (s *Store) replaceClient(ctx context.Context, c store.Client, condition string, e *store.Event, args ...any) error {
	body, err := encodeClient(c)
	if err != nil {
		return err
	}
	args = append([]any{string(c.ID), flag(c.Disabled), body, notNil(c.RegistrationHash), flag(c.OperatorSet), string(c.Review.State())}, args...)
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE client SET disabled = $2, body = $3, registration_hash = $4, operator_set = $5, review = $6, version = version + 1
WHERE id = $1 AND removed = 0`+condition, args...)
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
		if e != nil {
			if err := s.record(ctx, tx, *e); err != nil {
				return err
			}
		}
		return s.announce(ctx, tx, store.ChangeClient, string(c.ID))
	})
	if err == nil && c.Disabled {
		err = s.endLate(ctx, endClient(c.ID))
	}
	return err
}

// goneOrChanged tells a client that is gone from one that another hand changed.
func (s *Store) goneOrChanged(ctx context.Context, id store.ClientID, err error) error {
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if _, gone := s.Client(ctx, id); gone != nil {
		return gone
	}
	return store.ErrConflict
}

func endClient(id store.ClientID) ending {
	return ending{condition: "client_id = $3", arg: string(id), reason: "client disabled", actor: "operator"}
}

// RemoveClient implements store.Clients. The row stays, without what it said of
// people: its id is never given again (security E-48).
func (s *Store) RemoveClient(ctx context.Context, c store.Client, e store.Event) error {
	body, err := encodeClient(store.Client{ID: c.ID, Name: c.Name, SelfRegistered: c.SelfRegistered, Disabled: true, CreatedAt: c.CreatedAt})
	if err != nil {
		return err
	}
	end := ending{condition: "client_id = $3", arg: string(c.ID), reason: "client removed", actor: e.Actor}
	err = s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE client SET disabled = 1, removed = `+s.now+`, body = $2, registration_hash = $3, operator_set = 0, review = '', version = version + 1
WHERE id = $1 AND removed = 0 AND version = $4`, string(c.ID), body, []byte{}, c.Version)
		if err != nil {
			return err
		}
		if n == 0 {
			return store.ErrNotFound
		}
		if _, err := s.endGrants(ctx, tx, end); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM remembered_consent WHERE client_id = $1`, string(c.ID)); err != nil {
			return err
		}
		if err := s.record(ctx, tx, e); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeClient, string(c.ID))
	})
	if err == nil {
		err = s.endLate(ctx, end)
	}
	return failure("removing a client", s.goneOrChanged(ctx, c.ID, err))
}

const selectClient = `SELECT body, registration_hash, version, operator_set FROM client WHERE removed = 0`

func readClient(row db.Row) (store.Client, error) {
	var (
		body         string
		hash         []byte
		version, set int64
	)
	if err := row.Scan(&body, &hash, &version, &set); err != nil {
		return store.Client{}, err
	}
	c, err := decode[store.Client](body)
	c.Version, c.OperatorSet = version, set != 0
	if len(hash) > 0 {
		c.RegistrationHash = hash
	}
	return c, err
}

// Client implements store.Clients.
func (s *Store) Client(ctx context.Context, id store.ClientID) (store.Client, error) {
	c, err := readClient(s.db.Find(ctx, selectClient+` AND id = $1`, string(id)))
	return c, failure("loading a client", err)
}

// ListClients implements store.Clients.
func (s *Store) ListClients(ctx context.Context) ([]store.Client, error) {
	all, err := list(ctx, s, readClient, selectClient+` ORDER BY id`)
	return all, failure("listing clients", err)
}

// isNoRow reports that a conditional statement changed nothing.
func isNoRow(err error) bool { return errors.Is(err, db.ErrNoRow) }
