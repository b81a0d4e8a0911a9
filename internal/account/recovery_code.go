package account

import (
	"crypto/rand"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Recovery codes: the class, and 130 random bits in letters and digits of which none is
// taken for another.
const (
	recoveryClass = "RC"
	recoveryChars = 26
	recoveryGroup = 4
)

// NewRecoveryCode is a code that can be read off paper.
func NewRecoveryCode() string {
	text := recoveryClass + rand.Text()[:recoveryChars]
	var groups []string
	for i := 0; i < len(text); i += recoveryGroup {
		groups = append(groups, text[i:i+recoveryGroup])
	}
	return strings.Join(groups, "-")
}

// RecoveryCodeHash is what is kept of a recovery code. Spelling does not matter; its
// class does, so that nothing else is found as one (TK-11).
func RecoveryCodeHash(code string) []byte { return oauth.Hash("recovery " + CanonicalCode(code)) }

// CanonicalCode is a recovery code as it is compared: capitals, without what was put in
// between, and with the letters that some write as digits.
func CanonicalCode(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == '0':
			return 'O'
		case r == '1':
			return 'I'
		case r == '8':
			return 'B'
		case r >= 'A' && r <= 'Z', r >= '2' && r <= '9':
			return r
		}
		return -1
	}, code)
}
