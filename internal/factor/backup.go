package factor

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"unicode"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	backupCodes = 10
	backupSize  = 16 // letters of base32: 80 bits, more than can be tried out of a stolen database
)

// BackupCodes makes ten codes and what is kept of them.
func BackupCodes() (texts []string, hashes [][]byte) {
	for range backupCodes {
		code := strings.ToLower(rand.Text())[:backupSize]
		texts = append(texts, inFours(code, "-"))
		hashes = append(hashes, backupHash(code))
	}
	return texts, hashes
}

// Backup is what a typed backup code would use up; false: it cannot be one.
func Backup(typed string) (store.FactorUse, bool) {
	code := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, typed)
	return store.FactorUse{BackupHash: backupHash(code)}, len(code) == backupSize
}

func backupHash(code string) []byte {
	sum := sha256.Sum256([]byte("backup code " + code))
	return sum[:]
}
