package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// Parameters of new hashes (OWASP's first choice of argon2id).
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltSize  = 16
	hashSize  = 32
)

// Accounts does the work that credentials need. It is safe for concurrent use.
type Accounts struct {
	slots chan struct{}
	// nobody is the hash that is verified when there is no account.
	nobody string
}

// New makes it.
func New() (*Accounts, error) {
	a := &Accounts{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))}
	var err error
	a.nobody, err = encodeHash("nobody has this password")
	return a, err
}

// work runs f when a slot is free.
func (a *Accounts) work(ctx context.Context, f func()) error {
	select {
	case a.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-a.slots }()
	f()
	return nil
}

// HashPassword returns the encoded argon2id hash of a password.
func (a *Accounts) HashPassword(ctx context.Context, password string) (string, error) {
	var (
		encoded string
		err     error
	)
	if waited := a.work(ctx, func() { encoded, err = encodeHash(password) }); waited != nil {
		return "", waited
	}
	return encoded, err
}

func encodeHash(password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	sum := argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, hashSize)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memoryKiB, passes, lanes, b64(salt), b64(sum)), nil
}

// parameters of a stored hash.
type parameters struct {
	memory, time uint32
	threads      uint8
	salt, sum    []byte
}

var errHash = errors.New("account: not an argon2id hash")

func parseHash(encoded string) (parameters, error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return parameters{}, errHash
	}
	var p parameters
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil ||
		p.memory == 0 || p.memory > 1<<20 || p.time == 0 || p.time > 100 || p.threads == 0 {
		return parameters{}, errHash
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.sum, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(p.sum) < 16 {
		return parameters{}, errHash
	}
	return p, nil
}

// longest is how many bytes the longest password can be.
const longest = utf8.UTFMax * MaxPassword

// Verify reports whether the password is the one of the hash. An empty hash (no
// account, or one without a password) takes the same work and is never right
// (LOGIN-10). The error is the context's.
func (a *Accounts) Verify(ctx context.Context, password, encoded string) (bool, error) {
	exists := encoded != ""
	if !exists {
		encoded = a.nobody
	}
	if len(password) > longest { // nobody has one
		password, exists = "", false
	}
	right := false
	err := a.work(ctx, func() {
		p, err := parseHash(encoded)
		if err != nil {
			p, _ = parseHash(a.nobody)
			exists = false
		}
		sum := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.sum))) //nolint:gosec // bounded above
		right = subtle.ConstantTimeCompare(sum, p.sum) == 1
	})
	return right && exists, err
}

// NeedsRehash reports whether a hash was made with other parameters than new
// ones (LOGIN-12).
func NeedsRehash(encoded string) bool {
	p, err := parseHash(encoded)
	return err != nil || p.memory != memoryKiB || p.time != passes || p.threads != lanes || len(p.sum) != hashSize
}

// Limits of passwords, in characters (NIST SP 800-63B §5.1.1.2).
const (
	MinPassword = 8
	MaxPassword = 256
)

// PasswordProblem is why a new password is not good enough; empty: it is.
type PasswordProblem string

// The problems.
const (
	PasswordTooShort PasswordProblem = "password-too-short"
	PasswordTooLong  PasswordProblem = "password-too-long"
	PasswordCommon   PasswordProblem = "password-common"
	PasswordIsName   PasswordProblem = "password-is-name"
)

// CheckPassword says what is wrong with a new password.
func CheckPassword(password, username string) PasswordProblem {
	n := utf8.RuneCountInString(password)
	lower := strings.ToLower(password)
	switch {
	case n < MinPassword:
		return PasswordTooShort
	case n > MaxPassword || !utf8.ValidString(password):
		return PasswordTooLong
	case username != "" && lower == strings.ToLower(username):
		return PasswordIsName
	case commonPasswords[lower] || oneCharacter(lower):
		return PasswordCommon
	}
	return ""
}

func oneCharacter(s string) bool { return strings.Trim(s, s[:1]) == "" }

// commonPasswords are words of eight letters and more that are tried first by
// whoever guesses.
var commonPasswords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`password password1 password12 password123 passw0rd 12345678 123456789 1234567890
		qwertyui qwertyuiop qwerty123 qwerty12 1q2w3e4r 1qaz2wsx abcd1234 abc12345 iloveyou sunshine princess football
		baseball superman trustno1 welcome1 welcome123 letmein1 letmein123 admin123 administrator changeme changeme1
		monkey123 dragon123 computer internet whatever michelle jennifer starwars 11223344 87654321 00000000 asdfghjkl
		zaq12wsx q1w2e3r4 hospital doctor123 patient1 patient123 health123 healthcare medicine`) {
		m[w] = true
	}
	return m
}()
