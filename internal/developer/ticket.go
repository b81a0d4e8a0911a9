package developer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// ticketLife is how long a form may stay open: people fill it in over a day's work.
const ticketLife = 12 * time.Hour

// ticket is good in one browser, for one page: when it was made, a number, and the
// MAC over both.
func (d *Door) ticket(w http.ResponseWriter, r *http.Request, path string) string {
	made := strconv.FormatInt(d.deps.Now().Unix(), 36) + "." + oauth.RandomToken("")[:22]
	return made + "." + d.mac(d.deps.Sessions.Browser(w, r), path, made)
}

func (d *Door) mac(browser []byte, path, made string) string {
	h := hmac.New(sha256.New, d.deps.Key())
	h.Write([]byte("developer\x00"))
	h.Write(browser) // 32 bytes
	h.Write([]byte(path + "\x00" + made))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// good reports whether a form was shown here, in this browser, not too long ago.
func (d *Door) good(r *http.Request, path, ticket string) bool {
	browser := d.deps.Sessions.KnownBrowser(r)
	end := strings.LastIndexByte(ticket, '.')
	if browser == nil || end < 0 {
		return false
	}
	made, mac := ticket[:end], ticket[end+1:]
	if !hmac.Equal([]byte(mac), []byte(d.mac(browser, path, made))) {
		return false
	}
	at, _, _ := strings.Cut(made, ".")
	seconds, err := strconv.ParseInt(at, 36, 64)
	age := d.deps.Now().Sub(time.Unix(seconds, 0))
	return err == nil && age >= -time.Minute && age <= ticketLife
}

// use uses a ticket up, for all processes; false when it was used before.
func (d *Door) use(r *http.Request, ticket string) (bool, error) {
	n, _, err := d.deps.Store.Count(r.Context(), "developer form "+base64.RawURLEncoding.EncodeToString(oauth.Hash(ticket)), 2*ticketLife)
	return n == 1, err
}
