package storesql

import (
	"context"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// grantBody are the facts of a grant that never change and need no column.
type grantBody struct {
	Username      string    `json:"username,omitempty"`
	FHIRUser      string    `json:"fhir_user,omitempty"`
	Encounter     string    `json:"encounter,omitempty"`
	LaunchContext string    `json:"launch_context,omitempty"`
	Scopes        []string  `json:"scopes"`
	Audience      string    `json:"audience"`
	Nonce         string    `json:"nonce,omitempty"`
	AuthTime      time.Time `json:"auth_time,omitzero"`
	AMR           []string  `json:"amr,omitempty"`
}

func bodyOf(g store.Grant) grantBody {
	return grantBody{g.Username, g.FHIRUser, g.Encounter, g.LaunchContext, g.Scopes, g.Audience, g.Nonce, moment(g.AuthTime), g.AMR}
}

const (
	insertGrant = `INSERT INTO authorization_grant (id, client_id, user_id, patient, body, session_hash, created,
  code_hash, redirect_uri, code_challenge, code_expires, refresh_kind, refresh_idle, refresh_absolute, refresh_rotate, holding, key_thumbprint, sid)
SELECT $1, $2, $3, $4, $5, $6, %NOW%, $7, $8, $9, %NOW% + $10, $11, $12, $13, $14, $15, $16, `
	withoutSession = `''`
	// inSession takes the sid of a session that lives, and keeps it alive until the
	// commit: whoever ends it then finds this grant.
	inSession = `v.sid FROM browser_session v WHERE v.id_hash = $17 AND v.ended = 0 AND v.idle_until > %NOW% AND v.expires > %NOW%`
)

// insertion is the statement that writes a grant, with its arguments.
func (s *Store) insertion(i store.Issue) (string, []any, error) {
	args, err := s.insertGrantArgs(i)
	stmt := insertGrant + withoutSession
	if i.IDSessionHash != nil {
		stmt, args = insertGrant+inSession+s.db.Dialect().ForShare, append(args, i.IDSessionHash)
	}
	return strings.ReplaceAll(stmt, "%NOW%", s.now), args, err
}

func (s *Store) insertGrantArgs(i store.Issue) ([]any, error) {
	g, c := i.Grant, i.Code
	held, err := holding(g)
	if err != nil {
		return nil, err
	}
	body, err := encode(bodyOf(g))
	return []any{
		string(g.ID), string(g.ClientID), string(g.UserID), g.Patient, body, notNil(g.SessionHash),
		c.Hash, c.RedirectURI, c.CodeChallenge, c.Life.Milliseconds(),
		string(g.Refresh.Kind), g.Refresh.Idle.Milliseconds(), g.Refresh.Absolute.Milliseconds(), flag(g.Refresh.Rotate), held, g.KeyThumbprint,
	}, err
}

// IssueCode implements store.Grants.
func (s *Store) IssueCode(ctx context.Context, i store.Issue) error {
	stmt, args, err := s.insertion(i)
	if err != nil {
		return err
	}
	if i.RequestHandleHash == nil && i.Decision == nil && i.Remember == nil {
		n, err := s.db.Exec(ctx, stmt, args...)
		return failure("issuing a code", inLivingSession(n, err))
	}
	return failure("issuing a code", s.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
		if i.RequestHandleHash != nil {
			if err := s.answer(ctx, tx, i.RequestHandleHash); err != nil {
				return err
			}
		}
		if err := inLivingSession(tx.Exec(ctx, stmt, args...)); err != nil {
			return err
		}
		if err := s.keepDecision(ctx, tx, i.Decision); err != nil {
			return err
		}
		return s.remember(ctx, tx, i.Remember)
	}))
}

// inLivingSession: nothing was written when the session of the ID token is over.
func inLivingSession(written int64, err error) error {
	if err == nil && written == 0 {
		return store.ErrRevoked
	}
	return err
}

// grantColumns are read by scanGrant.
const grantColumns = `id, client_id, user_id, patient, body, session_hash, created, refresh_kind, refresh_idle, refresh_absolute,
refresh_rotate, generation, refresh_expires, revoked, revoked_for, sid, key_thumbprint`

// scanned holds a row of grantColumns until it is a Grant.
type scanned struct {
	id, client, user, patient, body, kind, revokedFor, sid, key string
	session                                                     []byte
	created, idle, absolute, rotate                             int64
	generation, refreshExpires, revoked                         int64
}

func (v *scanned) dest() []any {
	return []any{
		&v.id, &v.client, &v.user, &v.patient, &v.body, &v.session, &v.created, &v.kind, &v.idle, &v.absolute,
		&v.rotate, &v.generation, &v.refreshExpires, &v.revoked, &v.revokedFor, &v.sid, &v.key,
	}
}

func (v *scanned) grant() (store.Grant, error) {
	b, err := decode[grantBody](v.body)
	if err != nil {
		return store.Grant{}, err
	}
	g := store.Grant{
		ID: store.GrantID(v.id), ClientID: store.ClientID(v.client), UserID: store.UserID(v.user), Patient: v.patient,
		Username: b.Username, FHIRUser: b.FHIRUser, Encounter: b.Encounter, LaunchContext: b.LaunchContext, Scopes: b.Scopes,
		Audience: b.Audience, Nonce: b.Nonce, AuthTime: b.AuthTime, AMR: b.AMR, CreatedAt: instant(v.created),
		SID: v.sid, KeyThumbprint: v.key, RevokedAt: instant(v.revoked), RevokedFor: v.revokedFor, Generation: uint32(v.generation), //nolint:gosec // counted up from 0
		RefreshExpiresAt: instant(v.refreshExpires),
		Refresh: store.RefreshPolicy{
			Kind: store.RefreshKind(v.kind), Idle: time.Duration(v.idle) * time.Millisecond,
			Absolute: time.Duration(v.absolute) * time.Millisecond, Rotate: v.rotate == 1,
		},
	}
	if len(v.session) > 0 {
		g.SessionHash = v.session
	}
	return g, nil
}

func readGrant(row db.Row) (store.Grant, error) {
	var v scanned
	if err := row.Scan(v.dest()...); err != nil {
		return store.Grant{}, err
	}
	return v.grant()
}

// Grant implements store.Grants.
func (s *Store) Grant(ctx context.Context, id store.GrantID) (store.Grant, error) {
	g, err := readGrant(s.db.Find(ctx, `SELECT `+grantColumns+` FROM authorization_grant WHERE id = $1`, string(id)))
	return g, failure("loading a grant", err)
}

// ListGrants implements store.Grants.
func (s *Store) ListGrants(ctx context.Context, user store.UserID) ([]store.Grant, error) {
	all, err := list(ctx, s, readGrant, `SELECT `+grantColumns+` FROM authorization_grant
WHERE user_id = $1 AND revoked = 0 AND code_used > 0 ORDER BY created DESC, id`, string(user))
	return all, failure("listing grants", err)
}
