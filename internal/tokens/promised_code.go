package tokens

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	codePrefix = "ac_"
	codeSalt   = 16
	sealBytes  = 16 // what sealing adds, in bytes
	// maxPromisedCode bounds a code that carries its grant, in characters: it travels in
	// a URL.
	maxPromisedCode = 2048
)

// PromisedCode is a code that carries its grant: sealed, so that nobody reads or
// alters it (RFC 6749 §10.10: 128 bits of salt that nobody guesses, under a key of 256).
// Empty for a grant that is too long for that.
func (t *Tokens) PromisedCode(p store.PromisedGrant) string {
	plain, ok := pack(&p)
	size := codeSalt + len(plain) + sealBytes
	if !ok || len(codePrefix)+b64.EncodedLen(size) > maxPromisedCode {
		return ""
	}
	sealed := make([]byte, codeSalt, size)
	_, _ = rand.Read(sealed) // never fails (crypto/rand)
	box, nonce, err := codeBox(t.code.Bytes(), sealed)
	if err != nil {
		return ""
	}
	return codePrefix + b64.EncodeToString(box.Seal(sealed, nonce, plain, nil))
}

// codeBox has a key of its own for each code, so that no nonce is ever used twice with
// one, however many there are (NIST SP 800-38D §8.3; RFC 5869).
func codeBox(secret, salt []byte) (box cipher.AEAD, nonce []byte, err error) {
	key, err := hkdf.Key(sha256.New, secret, salt, "emberlatch authorization code", 32)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	box, err = cipher.NewGCM(block)
	return box, make([]byte, 12), err
}

// ParsePromisedCode opens a code that carries its grant; false for any other text. That
// it was made here does not say that it is good: the store knows what it stands on.
func (t *Tokens) ParsePromisedCode(text string) (store.PromisedGrant, bool) {
	encoded, ok := strings.CutPrefix(text, codePrefix)
	if !ok || len(text) > maxPromisedCode || len(encoded) <= b64.EncodedLen(codeSalt+sealBytes) {
		return store.PromisedGrant{}, false
	}
	raw, err := b64.DecodeString(encoded)
	if err != nil || b64.EncodedLen(len(raw)) != len(encoded) { // the library skips line ends
		return store.PromisedGrant{}, false
	}
	box, nonce, err := codeBox(t.code.Bytes(), raw[:codeSalt])
	if err != nil {
		return store.PromisedGrant{}, false
	}
	plain, err := box.Open(nil, nonce, raw[codeSalt:], nil)
	if err != nil {
		return store.PromisedGrant{}, false
	}
	return unpack(plain)
}
