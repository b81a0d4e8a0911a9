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
	fixedBytes    = grantBytes + 4 + sha256.Size
	// maxClientBytes bounds the client in a token.
	maxClientBytes = 256
)

var b64 = base64.RawURLEncoding.Strict()

// RefreshName is what a refresh token says: which token of which family, and whose.
// All of it is fixed when the grant is made, so that nobody has to look it up.
type RefreshName struct {
	GrantID    store.GrantID
	ClientID   store.ClientID
	Generation uint32
	// Former: the secret under it was replaced, after a theft, since it was made. Only
	// from a client that proves itself it is worth anything: whoever has the secret
	// could have made it. Set by ParseRefreshToken.
	Former bool
}

// RefreshToken is the text of one token of a family: the grant, its number, the
// client, and a MAC of 256 bits over all of it (RT-29; nobody can guess or alter
// one). Empty for an id that is not ours.
func (t *Tokens) RefreshToken(n RefreshName) string {
	grant, err := b64.DecodeString(string(n.GrantID))
	if err != nil || len(grant) != grantBytes || n.ClientID == "" || len(n.ClientID) > maxClientBytes {
		return ""
	}
	body := binary.BigEndian.AppendUint32(append(make([]byte, 0, fixedBytes+len(n.ClientID)), grant...), n.Generation)
	body = append(body, n.ClientID...)
	return refreshPrefix + b64.EncodeToString(append(body, mac(t.refresh.Bytes(), body)...))
}

func mac(secret, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("emberlatch refresh token\x00"))
	h.Write(body)
	return h.Sum(nil)
}

// ParseRefreshToken reads a refresh token; false when it was not made here. That
// it was made here does not say that it is alive: the store knows.
func (t *Tokens) ParseRefreshToken(text string) (RefreshName, bool) {
	encoded, ok := strings.CutPrefix(text, refreshPrefix)
	if !ok || len(encoded) <= b64.EncodedLen(fixedBytes) || len(encoded) > b64.EncodedLen(fixedBytes+maxClientBytes) {
		return RefreshName{}, false
	}
	raw, err := b64.DecodeString(encoded)
	if err != nil || b64.EncodedLen(len(raw)) != len(encoded) { // the library skips line ends
		return RefreshName{}, false
	}
	body, sum := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	current := hmac.Equal(sum, mac(t.refresh.Bytes(), body))
	if before := t.refresh.Former(); !current && (before == nil || !hmac.Equal(sum, mac(before, body))) {
		return RefreshName{}, false
	}
	return RefreshName{
		Former:  !current,
		GrantID: store.GrantID(b64.EncodeToString(body[:grantBytes])), Generation: binary.BigEndian.Uint32(body[grantBytes:]),
		ClientID: store.ClientID(body[grantBytes+4:]),
	}, true
}
