package register

import (
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// LongestOverlap is how long an old secret may go on working beside a new one.
const LongestOverlap = 90 * 24 * time.Hour

// NewSecret gives a client with a secret another one, of 256 bits, which only the
// second result holds; a life of 0 does not end. The secret before it goes on working
// for the overlap, or to its own end if that is sooner; older ones end now, so that
// two are alive at most (CAUTH-10). Errors are *oauth.Error: the client has no
// secrets, or a length is out of bounds.
func (r *Registrar) NewSecret(c store.Client, overlap, life time.Duration) (store.Client, string, error) {
	if !c.Symmetric() {
		return store.Client{}, "", wrong("token_endpoint_auth_method", "a client that authenticates by "+string(c.AuthMethod)+" has no secret")
	}
	if overlap < 0 || overlap > LongestOverlap || life < 0 || life > 0 && life < time.Hour {
		return store.Client{}, "", oauth.New(oauth.InvalidRequest, "the overlap is 0 to 90 days, and a life is an hour or more")
	}
	now := r.deps.Now().UTC()
	text := oauth.RandomToken("")
	fresh := store.ClientSecret{Hash: oauth.Hash(text), CreatedAt: now}
	if life > 0 {
		fresh.ExpiresAt = now.Add(life)
	}
	secrets := []store.ClientSecret{fresh}
	if before, ok := newest(c.Secrets, now); ok && overlap > 0 {
		if end := now.Add(overlap); before.ExpiresAt.IsZero() || end.Before(before.ExpiresAt) {
			before.ExpiresAt = end
		}
		secrets = append(secrets, before)
	}
	c.Secrets = secrets
	return c, text, nil
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
