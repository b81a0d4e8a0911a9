package register_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Two secrets are alive at most, the old one for the overlap and never longer than
// it would have been.
//
// spec: CAUTH-09, CAUTH-10
func TestNewSecrets(t *testing.T) {
	made := func(text string, at, until time.Time) store.ClientSecret {
		return store.ClientSecret{Hash: oauth.Hash(text), CreatedAt: at, ExpiresAt: until}
	}
	old, older := now.AddDate(-1, 0, 0), now.AddDate(-2, 0, 0)
	for _, row := range []struct {
		name    string
		secrets []store.ClientSecret
		overlap time.Duration
		kept    string // the one that stays
		until   time.Time
	}{
		{"for a day", []store.ClientSecret{made("a", old, time.Time{})}, 24 * time.Hour, "a", now.Add(24 * time.Hour)},
		{"not at all", []store.ClientSecret{made("a", old, time.Time{})}, 0, "", time.Time{}},
		{"the newest of two", []store.ClientSecret{made("a", older, now.Add(time.Hour)), made("b", old, time.Time{})}, time.Hour, "b", now.Add(time.Hour)},
		{"it ends before", []store.ClientSecret{made("a", old, now.Add(time.Minute))}, time.Hour, "a", now.Add(time.Minute)},
		{"it has ended", []store.ClientSecret{made("a", old, now)}, time.Hour, "", time.Time{}},
		{"there is none", nil, time.Hour, "", time.Time{}},
		{"longest", []store.ClientSecret{made("a", old, time.Time{})}, register.LongestOverlap, "a", now.Add(register.LongestOverlap)},
	} {
		c, text, err := registrar(t).NewSecret(store.Client{ID: "c", AuthMethod: store.AuthSecretBasic, Secrets: row.secrets}, row.overlap, 0)
		if err != nil || len(text) != 43 || !bytes.Equal(c.Secrets[0].Hash, oauth.Hash(text)) || !c.Secrets[0].ExpiresAt.IsZero() {
			t.Errorf("%s: %v, %+v", row.name, err, c.Secrets)
			continue
		}
		if row.kept == "" {
			if len(c.Secrets) != 1 {
				t.Errorf("%s: %d secrets", row.name, len(c.Secrets))
			}
			continue
		}
		if len(c.Secrets) != 2 || !bytes.Equal(c.Secrets[1].Hash, oauth.Hash(row.kept)) || !c.Secrets[1].ExpiresAt.Equal(row.until) {
			t.Errorf("%s: %+v", row.name, c.Secrets)
		}
	}
	for name, c := range map[string]store.Client{"public": {AuthMethod: store.AuthNone}, "by key": {AuthMethod: store.AuthPrivateKeyJWT}, "no method": {}} {
		if got, text, err := registrar(t).NewSecret(c, time.Hour, 0); err == nil || text != "" || len(got.Secrets) > 0 {
			t.Errorf("%s has a secret", name)
		}
	}
	for _, overlap := range []time.Duration{-1, register.LongestOverlap + 1} {
		if _, _, err := registrar(t).NewSecret(store.Client{AuthMethod: store.AuthSecretPost}, overlap, 0); err == nil {
			t.Errorf("an overlap of %s", overlap)
		}
	}
}
