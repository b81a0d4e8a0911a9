package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// nonceSlot is how often the nonce that is given out changes. It is good for two to
// three slots, and a slot ahead for a process whose clock is behind.
const nonceSlot = 2 * time.Minute

// Nonce is the value that proofs need now (RFC 9449 §8.1: it cannot be guessed). It is
// empty where none is asked for.
func (v *Verifier) Nonce() string {
	if !v.deps.NonceRequired {
		return ""
	}
	return v.nonceOf(v.slot())
}

func (v *Verifier) slot() int64 { return v.deps.Now().Unix() / int64(nonceSlot/time.Second) }

func (v *Verifier) nonceOf(slot int64) string {
	h := hmac.New(sha256.New, v.deps.NonceKey)
	h.Write([]byte("emberlatch dpop nonce\x00"))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(slot))) //nolint:gosec // a name, not a number
	return b64.EncodeToString(h.Sum(nil))
}

// goodNonce reports whether a nonce was given out here not long ago. No state is kept
// of it: the slot is under a MAC.
func (v *Verifier) goodNonce(nonce string) bool {
	good := false
	for _, back := range []int64{-1, 0, 1, 2} {
		good = hmac.Equal([]byte(nonce), []byte(v.nonceOf(v.slot()-back))) || good
	}
	return good
}
