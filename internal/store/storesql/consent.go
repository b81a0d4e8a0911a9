package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// keepDecision appends a decision; nothing ever changes one (CONS-24). The event goes
// with it (AUD-10).
func (s *Store) keepDecision(ctx context.Context, tx *db.Tx, d *store.ConsentDecision) error {
	if d == nil {
		return nil
	}
	kept := *d
	kept.At = moment(d.At)
	body, err := encode(kept)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO consent_decision (id, at, user_id, body) VALUES ($1, $2, $3, $4)`,
		d.ID, millis(d.At), string(d.UserID), body)
	if err != nil {
		return err
	}
	return s.record(ctx, tx, eventOf(d))
}

// eventOf is the event of a decision.
func eventOf(d *store.ConsentDecision) store.Event {
	e := store.Event{
		At: d.At, Kind: "consent.given", Actor: string(d.UserID), ClientID: d.ClientID, Patient: d.Patient, GrantID: store.GrantID(d.GrantID), Outcome: "ok", Detail: d.ID,
	}
	if !d.Allowed {
		e.Kind, e.Outcome = "consent.refused", "refused"
	}
	return e
}

// remember replaces the last choice of a user for a client and a patient.
func (s *Store) remember(ctx context.Context, tx *db.Tx, r *store.RememberedConsent) error {
	if r == nil {
		return nil
	}
	kept := *r
	kept.DecidedAt = moment(r.DecidedAt)
	body, err := encode(kept)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO remembered_consent (user_id, client_id, patient, body) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, client_id, patient) DO UPDATE SET body = excluded.body`, string(r.UserID), string(r.ClientID), r.Patient, body)
	return err
}

// Remembered implements store.Consents.
func (s *Store) Remembered(ctx context.Context, user store.UserID, client store.ClientID, patient string) (store.RememberedConsent, error) {
	var body string
	err := s.db.Find(ctx, `SELECT body FROM remembered_consent WHERE user_id = $1 AND client_id = $2 AND patient = $3`,
		string(user), string(client), patient).Scan(&body)
	if err != nil {
		return store.RememberedConsent{}, failure("loading a remembered approval", err)
	}
	return decode[store.RememberedConsent](body)
}

// ListDecisions implements store.Consents.
func (s *Store) ListDecisions(ctx context.Context, user store.UserID) ([]store.ConsentDecision, error) {
	all, err := list(ctx, s, func(row db.Row) (store.ConsentDecision, error) {
		var body string
		if err := row.Scan(&body); err != nil {
			return store.ConsentDecision{}, err
		}
		return decode[store.ConsentDecision](body)
	}, `SELECT body FROM consent_decision WHERE user_id = $1 ORDER BY at DESC, id`, string(user))
	return all, failure("listing decisions", err)
}
