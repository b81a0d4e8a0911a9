package account

import (
	"errors"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// ErrUsername: the name cannot be one (too short, too long, or with characters
// that look like others or like nothing).
var ErrUsername = errors.New("3 to 64 letters, digits and signs without spaces")

// UsernameKey is the form in which user names are compared: case and width are
// folded, and what PRECIS does not allow in a name is refused (RFC 8265 §3.3).
func (a *Accounts) UsernameKey(username string) (string, error) {
	key, err := precis.UsernameCaseMapped.String(username)
	if err != nil {
		return "", ErrUsername
	}
	if n := utf8.RuneCountInString(key); n < 3 || n > 64 {
		return "", ErrUsername
	}
	return key, nil
}
