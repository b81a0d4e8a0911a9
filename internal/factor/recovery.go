package factor

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"unicode"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	recoveryCodes = 10
	recoverySize  = 16 // letters of base32: 80 bits, more than can be tried out of a stolen database
)

// RecoveryCodes makes ten codes and what is kept of them.
func RecoveryCodes() (texts []string, hashes [][]byte) {
	for range recoveryCodes {
		code := strings.ToLower(rand.Text())[:recoverySize]
		texts = append(texts, inFours(code, "-"))
		hashes = append(hashes, recoveryHash(code))
	}
	return texts, hashes
}

// Recovery is what a typed recovery code would use up; false: it cannot be one.
func Recovery(typed string) (store.FactorUse, bool) {
	code := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, typed)
	return store.FactorUse{RecoveryHash: recoveryHash(code)}, len(code) == recoverySize
}

func recoveryHash(code string) []byte {
	sum := sha256.Sum256([]byte("recovery code " + code))
	return sum[:]
}
