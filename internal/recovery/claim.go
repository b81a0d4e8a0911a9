package recovery

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// claim is what a person says, and what they want.
type claim struct {
	username, code, birthDate, password string
	disconnect                          bool
}

// maxInput bounds one input that is shown again, in bytes.
const maxInput = 200

// read takes the form apart and writes into the page what is shown again.
func read(p *page.Recover, typed url.Values) claim {
	get := func(name string) string {
		s := strings.TrimSpace(typed.Get(name))
		if len(s) > maxInput {
			return ""
		}
		return s
	}
	p.Username, p.Code, p.DisconnectApps = get("username"), get("code"), typed.Get("disconnect") != ""
	p.Day, p.Month, p.Year = get("birth_date-day"), get("birth_date-month"), get("birth_date-year")
	c := claim{username: p.Username, code: p.Code, password: typed.Get("password"), disconnect: p.DisconnectApps}
	born := true
	if p.Year+p.Month+p.Day != "" {
		c.birthDate, born = account.BirthDate(p.Year, p.Month, p.Day)
	}
	problem := func(field, message string) {
		p.Problems = append(p.Problems, page.FieldProblem{Field: field, Message: message})
	}
	if c.username == "" {
		problem("username", "recover.username-missing")
	}
	if account.CanonicalCode(c.code) == "" {
		problem("code", "recover.code-missing")
	}
	if !born {
		problem("birth_date-day", "identify.date-wrong")
	}
	if weak := account.CheckPassword(c.password, c.username); weak != "" {
		problem("password", string(weak))
	} else if typed.Get("again") != c.password {
		problem("again", "recover.differ")
	}
	return c
}

// proof is what became of a claim. The zero value holds nothing.
type proof struct {
	holds        bool
	user         store.User
	issuedTo     store.UserID // whose code it is
	codeHash     []byte
	passwordHash string
}

// maxTries is how often one code may be tried.
const maxTries = 5

// prove compares a claim with the code, the account and the record. Order: the password is
// hashed first, so that a claim that does not hold costs the same work.
func (d *Door) prove(ctx context.Context, c claim) (p proof, err error) {
	if p.passwordHash, err = d.deps.Accounts.HashPassword(ctx, c.password); err != nil {
		return proof{}, err
	}
	p.codeHash = account.RecoveryCodeHash(c.code)
	recovery, err := d.deps.Store.TryRecovery(ctx, p.codeHash, maxTries)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return proof{}, err
	}
	p.issuedTo = recovery.UserID
	if p.user, err = d.named(ctx, c.username); err != nil {
		return proof{}, err
	}
	born, err := d.born(ctx, p.user, c.birthDate)
	if err != nil {
		return proof{}, err
	}
	p.holds = p.issuedTo != "" && p.user.ID == p.issuedTo && !p.user.Disabled && born
	return p, nil
}

// named is the account of a name; nobody when there is none.
func (d *Door) named(ctx context.Context, username string) (store.User, error) {
	key, err := d.deps.Accounts.UsernameKey(username)
	if err != nil {
		key = "-" // no name is this
	}
	user, err := d.deps.Store.UserByName(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return store.User{}, nil
	}
	return user, err
}

// born compares the birth date of whoever has a patient record of their own; a record
// without a whole date matches nothing. Others have none here to prove. A record is looked
// for in any case.
func (d *Door) born(ctx context.Context, user store.User, typed string) (bool, error) {
	id := user.OwnPatient()
	if id == "" {
		id = "nobody"
	}
	record, err := d.deps.Patients.Patient(ctx, id)
	if err != nil && !errors.Is(err, reach.ErrNotFound) {
		return false, err
	}
	same := len(typed) == len(time.DateOnly) && subtle.ConstantTimeCompare([]byte(record.BirthDate), []byte(typed)) == 1
	return user.OwnPatient() == "" || same, nil
}
