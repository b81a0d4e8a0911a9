package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/store"
)

// newRecovery is the input of `emberlatch user recover`.
type newRecovery struct {
	Hours          int  `json:"hours"`          // how long the code is good; 0: a day
	DisconnectApps bool `json:"disconnectApps"` // all apps lose their access when it is used
}

// Hours that a recovery code is good.
const (
	recoveryHours    = 24
	maxRecoveryHours = 14 * 24 // a letter takes its time
)

// recoverUser makes a recovery code for an account and shows it once; the one before is
// good no more. Nothing else changes until it is used.
func (d *Door) recoverUser(r *http.Request) (int, any, error) {
	var in newRecovery
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.Hours == 0 {
		in.Hours = recoveryHours
	}
	if in.Hours < 1 || in.Hours > maxRecoveryHours {
		return 0, nil, bad("hours: 1 to %d", maxRecoveryHours)
	}
	user, err := d.recoverable(r)
	if err != nil {
		return 0, nil, err
	}
	code, now := account.NewRecoveryCode(), d.deps.Now().UTC()
	ends := now.Add(time.Duration(in.Hours) * time.Hour).Truncate(time.Second)
	err = d.deps.Store.CreateRecovery(r.Context(), store.Recovery{
		CodeHash: account.RecoveryCodeHash(code), UserID: user.ID, CreatedAt: now, ExpiresAt: ends, DisconnectApps: in.DisconnectApps,
	}, store.Event{At: now, Kind: "recovery.issued", Actor: "operator", Patient: user.OwnPatient(), Outcome: "ok", Detail: string(user.Role)})
	if errors.Is(err, store.ErrNotFound) { // disabled meanwhile
		return 0, nil, conflict("the account %q is disabled, and no code opens it", user.Username)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, map[string]any{
		"sub": user.ID, "username": user.Username, "code": code, "page": d.deps.RecoveryPage, "expires": ends, "disconnectApps": in.DisconnectApps,
	}, nil
}

// recoverable is the account of the path, if its person can use a code: whoever has a
// patient record of their own proves the birth date that it holds.
func (d *Door) recoverable(r *http.Request) (store.User, error) {
	user, err := d.named(r.Context(), r.PathValue("name"))
	if err != nil {
		return store.User{}, err
	}
	if user.Disabled {
		return store.User{}, conflict("the account %q is disabled, and no code opens it", user.Username)
	}
	patient := user.OwnPatient()
	if patient == "" {
		return user, nil
	}
	born, err := d.deps.BirthDate(r.Context(), patient)
	if err != nil {
		return store.User{}, err
	}
	if _, err := time.Parse(time.DateOnly, born); err != nil {
		return store.User{}, conflict("Patient/%s has no whole birth date, which the page asks for: complete the record, or give a password (emberlatch user set-password)", patient)
	}
	return user, nil
}
