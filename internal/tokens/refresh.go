package tokens

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/emberlatch/emberlatch/internal/store"
)

const (
	refreshPrefix = "rt_"
	grantBytes    = 16
	refreshBytes  = grantBytes + 4 + sha256.Size
)

var b64 = base64.RawURLEncoding.Strict()

// RefreshToken is the text of one token of a family: the grant, its number, and
// a MAC of 256 bits over both (RT-29; nobody can guess or alter one).
func (t *Tokens) RefreshToken(id store.GrantID, generation uint32) string {
	grant, err := b64.DecodeString(string(id))
	if err != nil || len(grant) != grantBytes {
		return ""
	}
	body := binary.BigEndian.AppendUint32(append(make([]byte, 0, refreshBytes), grant...), generation)
	return refreshPrefix + b64.EncodeToString(append(body, t.mac(body)...))
}

func (t *Tokens) mac(body []byte) []byte {
	h := hmac.New(sha256.New, t.refreshKey)
	h.Write([]byte("emberlatch refresh token\x00"))
	h.Write(body)
	return h.Sum(nil)
}

// ParseRefreshToken reads a refresh token; false when it was not made here. That
// it was made here does not say that it is alive: the store knows.
func (t *Tokens) ParseRefreshToken(text string) (store.GrantID, uint32, bool) {
	encoded, ok := strings.CutPrefix(text, refreshPrefix)
	if !ok || len(encoded) != b64.EncodedLen(refreshBytes) {
		return "", 0, false
	}
	raw, err := b64.DecodeString(encoded)
	if err != nil || len(raw) != refreshBytes {
		return "", 0, false
	}
	body := raw[:grantBytes+4]
	if !hmac.Equal(raw[grantBytes+4:], t.mac(body)) {
		return "", 0, false
	}
	return store.GrantID(b64.EncodeToString(body[:grantBytes])), binary.BigEndian.Uint32(body[grantBytes:]), true
}
