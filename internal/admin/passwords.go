package admin

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/store"
)

// newPassword is the input of `emberlatch user set-password`; without a password one is
// made and shown once.
type newPassword struct {
	Password string `json:"password"`
}

// passwordSentences say what is wrong with a password.
var passwordSentences = map[account.PasswordProblem]string{
	account.PasswordTooShort: "at least 8 characters", account.PasswordTooLong: "at most 256 characters, in UTF-8",
	account.PasswordCommon: "many people use this one", account.PasswordIsName: "it is the user name",
}

// setPassword gives an account another password. Every session of it ends in the same
// transaction; what apps were allowed goes on until `grant revoke` ends it.
func (d *Door) setPassword(r *http.Request) (int, any, error) {
	var in newPassword
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	user, err := d.named(r.Context(), r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	if user.Disabled {
		return 0, nil, conflict("the account %q is disabled, and no password opens it", user.Username)
	}
	out := map[string]any{"sub": user.ID, "username": user.Username}
	if in.Password == "" {
		in.Password = generatedPassword()
		out["password"] = in.Password
	}
	if problem := account.CheckPassword(in.Password, user.Username); problem != "" {
		return 0, nil, bad("password: %s", passwordSentences[problem])
	}
	hash, err := d.deps.Accounts.HashPassword(r.Context(), in.Password)
	if err != nil {
		return 0, nil, err
	}
	err = d.deps.Store.ChangePassword(r.Context(), store.PasswordChange{
		UserID: user.ID, Was: user.PasswordHash, Hash: hash,
		Event: store.Event{At: d.deps.Now(), Kind: "password.set", Actor: "operator", Outcome: "ok", Detail: string(user.Role)},
	})
	if errors.Is(err, store.ErrConflict) {
		return 0, nil, conflict("the password of %q was changed at the same moment: try again", user.Username)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, out, d.deps.Refresh(r.Context())
}

// generatedPassword can be read out: 120 bits in groups of four.
func generatedPassword() string {
	text := strings.ToLower(rand.Text())[:24]
	var groups []string
	for i := 0; i < len(text); i += 4 {
		groups = append(groups, text[i:i+4])
	}
	return strings.Join(groups, "-")
}
