package register

import (
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// LongestOverlap is how long an old secret may go on working beside a new one.
const LongestOverlap = 90 * 24 * time.Hour

// NewSecret gives a client with a secret another one, of 256 bits, which only the
// second result holds. The secret before it goes on working for the overlap, or to
// its own end if that is sooner; older ones end now, so that two are alive at most
// (CAUTH-10). false: the client has no secrets, or the overlap is out of bounds.
func (r *Registrar) NewSecret(c store.Client, overlap time.Duration) (store.Client, string, bool) {
	if !c.Symmetric() || overlap < 0 || overlap > LongestOverlap {
		return store.Client{}, "", false
	}
	now := r.deps.Now().UTC()
	text := oauth.RandomToken("")
	secrets := []store.ClientSecret{{Hash: oauth.Hash(text), CreatedAt: now}}
	if before, ok := newest(c.Secrets, now); ok && overlap > 0 {
		if end := now.Add(overlap); before.ExpiresAt.IsZero() || end.Before(before.ExpiresAt) {
			before.ExpiresAt = end
		}
		secrets = append(secrets, before)
	}
	c.Secrets = secrets
	return c, text, true
}

// newest is the secret that was made last of those that work.
func newest(secrets []store.ClientSecret, now time.Time) (found store.ClientSecret, ok bool) {
	for _, s := range secrets {
		if alive := s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt); alive && (!ok || s.CreatedAt.After(found.CreatedAt)) {
			found, ok = s, true
		}
	}
	return found, ok
}
