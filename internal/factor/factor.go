package factor

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp/hotp"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	secretSize = 20               // bytes, as RFC 4226 §4 recommends
	period     = 30 * time.Second // RFC 6238 §5.2
	skew       = 1                // steps on either side
)

// Store is what Factors needs of the store.
type Store interface {
	Factor(ctx context.Context, id store.UserID) (store.Factor, error)
}

// Deps are the parts that Factors needs; all are required.
type Deps struct {
	Store Store
	// Secret is one of the server, 32 bytes, that is never replaced.
	Secret []byte
	Issuer string // what an authenticator app shows beside the user name
	Now    func() time.Time
}

// Factors makes and matches second factors. It is safe for concurrent use.
type Factors struct {
	deps     Deps
	aead     cipher.AEAD
	offerKey []byte
}

// New makes it; it refuses missing parts.
func New(deps Deps) (*Factors, error) {
	if deps.Store == nil || len(deps.Secret) != 32 || deps.Issuer == "" || deps.Now == nil {
		return nil, errors.New("factor: a part is missing")
	}
	f := &Factors{deps: deps}
	sealing, err := hkdf.Key(sha256.New, deps.Secret, nil, "emberlatch second factor, sealed", 32)
	if err != nil {
		return nil, err
	}
	if f.offerKey, err = hkdf.Key(sha256.New, deps.Secret, nil, "emberlatch second factor, offered", 32); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	f.aead, err = cipher.NewGCM(block)
	return f, err
}

// seal binds the secret to its person.
func (f *Factors) seal(id store.UserID, secret []byte) ([]byte, error) {
	nonce := make([]byte, f.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return f.aead.Seal(nonce, nonce, secret, []byte(id)), nil
}

func (f *Factors) open(id store.UserID, sealed []byte) ([]byte, error) {
	n := f.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("factor: nothing is sealed here")
	}
	secret, err := f.aead.Open(nil, sealed[:n], sealed[n:], []byte(id))
	if err != nil {
		return nil, fmt.Errorf("opening the second factor of %s: %w", id, err)
	}
	return secret, nil
}

// Match finds what a typed code would use up; false: it is no code of this person at this
// time. Whether it was used before is decided when it is spent.
func (f *Factors) Match(ctx context.Context, id store.UserID, typed string) (store.FactorUse, bool, error) {
	stored, err := f.deps.Store.Factor(ctx, id)
	if err != nil {
		return store.FactorUse{}, false, err
	}
	secret, err := f.open(id, stored.Sealed)
	if err != nil {
		return store.FactorUse{}, false, err
	}
	step, right, err := match(secret, typed, f.deps.Now())
	return store.FactorUse{Step: step}, right, err
}

// match finds the step of a code, the latest where several have the same one. All are
// made and compared, whichever is right.
func match(secret []byte, typed string, now time.Time) (step int64, right bool, err error) {
	typed = onlyDigits(typed)
	at := now.Unix() / int64(period/time.Second)
	for s := at - skew; s <= at+skew; s++ {
		code, err := Code(secret, s)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(code), []byte(typed)) == 1 {
			step, right = s, true
		}
	}
	return step, right, nil
}

// Code is the code of a step (RFC 6238 §4.2).
func Code(secret []byte, step int64) (string, error) {
	return hotp.GenerateCode(text(secret), uint64(step)) //nolint:gosec // steps are after 1970
}

// onlyDigits leaves spaces away, which apps show and people copy; anything else is kept,
// and makes the code a wrong one.
func onlyDigits(typed string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, typed)
}

func text(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// offered is the secret that a session of a person may set up.
func (f *Factors) offered(id store.UserID, session []byte) []byte {
	h := hmac.New(sha256.New, f.offerKey)
	for _, part := range [][]byte{[]byte(id), session} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	return h.Sum(nil)[:secretSize]
}
