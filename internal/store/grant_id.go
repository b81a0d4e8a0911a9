package store

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// NewGrantID makes an id of 16 bytes: four of the time, in steps of 16 ms, and twelve
// random ones. Ids that are made together stand together in the index, so that a
// commit writes one of its pages and not one for each grant. It is a name and no
// secret: whoever holds one can do nothing with it.
func NewGrantID(now time.Time) GrantID {
	var b [16]byte
	binary.BigEndian.PutUint32(b[:], uint32(now.UnixMilli()>>4)) //nolint:gosec // wraps after two years, and order is all that it is for
	_, _ = rand.Read(b[4:])                                      // never fails (crypto/rand)
	return GrantID(base64.RawURLEncoding.EncodeToString(b[:]))
}
