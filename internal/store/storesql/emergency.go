package storesql

import (
	"context"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

const emergencyColumns = `id, user_id, patient, reason, client_id, opened, ends, ended, ended_by`

func readEmergency(row db.Row) (store.Emergency, error) {
	var (
		e                   store.Emergency
		user, client        string
		opened, ends, ended int64
	)
	err := row.Scan(&e.ID, &user, &e.Patient, &e.Reason, &client, &opened, &ends, &ended, &e.EndedBy)
	e.UserID, e.ClientID = store.UserID(user), store.ClientID(client)
	e.OpenedAt, e.EndsAt, e.EndedAt = instant(opened), instant(ends), instant(ended)
	return e, err
}

// emergencyLasts is the condition that an emergency e lasts.
func emergencyLasts(now string) string { return `e.ended = 0 AND e.ends > ` + now }

// OpenEmergency implements store.Emergencies. The statement looks at who it is: whoever is
// disabled at the same moment opens nothing, or has opened it before and reaches nobody.
func (s *Store) OpenEmergency(ctx context.Context, o store.OpenedFor) (store.Emergency, error) {
	e := o.Emergency
	err := s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		var opened, ends int64
		err := tx.One(ctx, `INSERT INTO emergency (id, user_id, patient, reason, client_id, opened, ends)
SELECT $1, a.id, $3, $4, $5, `+s.now+`, `+s.now+` + $6 FROM account a WHERE a.id = $2 AND a.role = 'practitioner' AND a.disabled = 0
RETURNING opened, ends`, []any{e.ID, string(e.UserID), e.Patient, e.Reason, string(e.ClientID), o.Life.Milliseconds()}, &opened, &ends)
		if err != nil {
			return err
		}
		e.OpenedAt, e.EndsAt = instant(opened), instant(ends)
		if err := s.record(ctx, tx, o.Event); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeEmergency, string(e.UserID))
	})
	return e, failure("opening a record in an emergency", err)
}

// EndEmergency implements store.Emergencies.
func (s *Store) EndEmergency(ctx context.Context, end store.EmergencyEnd) error {
	return failure("ending an emergency", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		var user, patient string
		err := tx.One(ctx, `UPDATE emergency SET ended = `+s.now+`, ended_by = $3
WHERE id = $1 AND ($2 = '' OR user_id = $2) AND ended = 0 AND ends > `+s.now+` RETURNING user_id, patient`,
			[]any{end.ID, string(end.UserID), end.Event.Actor}, &user, &patient)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE emergency SET ended = `+s.now+`, ended_by = $3
WHERE user_id = $1 AND patient = $2 AND ended = 0 AND ends > `+s.now, user, patient, end.Event.Actor); err != nil {
			return err
		}
		end.Event.Patient = patient
		if err := s.record(ctx, tx, end.Event); err != nil {
			return err
		}
		return s.announce(ctx, tx, store.ChangeEmergency, user)
	}))
}

// OpenEmergencies implements store.Emergencies.
func (s *Store) OpenEmergencies(ctx context.Context, user store.UserID) ([]store.Emergency, error) {
	all, err := list(ctx, s, readEmergency, `SELECT `+emergencyColumns+` FROM emergency e WHERE e.user_id = $1 AND `+emergencyLasts(s.now)+` ORDER BY opened, id`, string(user))
	return all, failure("looking for emergencies", err)
}

// ListEmergencies implements store.Emergencies.
func (s *Store) ListEmergencies(ctx context.Context, open bool, limit int) ([]store.Emergency, error) {
	which := ""
	if open {
		which = ` WHERE ` + emergencyLasts(s.now)
	}
	all, err := list(ctx, s, readEmergency, `SELECT `+emergencyColumns+` FROM emergency e`+which+` ORDER BY opened DESC, id LIMIT $1`, int64(limit))
	return all, failure("listing emergencies", err)
}
