package admin

import (
	"cmp"
	"errors"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// newToken is the input of `emberlatch client token add`.
type newToken struct {
	Note string `json:"note"`
	Uses int    `json:"uses"`
	Life int64  `json:"life_seconds"`
}

// What an initial access token may be good for.
const (
	mostUses = 1000
	mostLife = 90 * 24 * time.Hour
)

// tokenView is an initial access token; the token itself is shown once.
type tokenView struct {
	ID        string    `json:"id"`
	Token     string    `json:"initial_access_token,omitempty"`
	Note      string    `json:"note,omitempty"`
	Uses      int       `json:"uses_left"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func viewOf(t store.InitialAccessToken, text string) tokenView {
	return tokenView{t.ID, text, t.Note, t.Uses, t.CreatedAt, t.ExpiresAt}
}

// addToken makes an initial access token (RFC 7591 §1.2): whoever holds it may
// register so many clients until it ends.
func (d *Door) addToken(r *http.Request) (int, any, error) {
	var in newToken
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	uses, life := cmp.Or(in.Uses, 1), time.Duration(cmp.Or(in.Life, int64((7*24*time.Hour).Seconds())))
	switch {
	case uses < 1 || uses > mostUses:
		return 0, nil, bad("uses: 1 to %d", mostUses)
	case life < 1 || life > mostLife/time.Second:
		return 0, nil, bad("life: up to 90 days")
	case utf8.RuneCountInString(in.Note) > 200:
		return 0, nil, bad("note: at most 200 characters")
	}
	now := d.deps.Now().UTC()
	text := oauth.RandomToken(d.deps.TokenPrefix)
	t := store.InitialAccessToken{
		ID: d.deps.NewID()[:8], Hash: oauth.Hash(text), Note: in.Note, Uses: uses, CreatedAt: now, ExpiresAt: now.Add(life * time.Second),
	}
	if err := d.deps.Store.CreateInitialAccessToken(r.Context(), t); err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), "registration-token.added", store.Event{Detail: t.ID}); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, viewOf(t, text), nil
}

func (d *Door) listTokens(r *http.Request) (int, any, error) {
	all, err := d.deps.Store.ListInitialAccessTokens(r.Context())
	if err != nil {
		return 0, nil, err
	}
	views := make([]tokenView, 0, len(all))
	for _, t := range all {
		views = append(views, viewOf(t, ""))
	}
	return http.StatusOK, views, nil
}

func (d *Door) removeToken(r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	err := d.deps.Store.RemoveInitialAccessToken(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil, absent{"there is no initial access token " + id}
	}
	if err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), "registration-token.removed", store.Event{Detail: id}); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]string{"removed": id}, nil
}
