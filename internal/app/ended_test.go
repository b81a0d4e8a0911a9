package app_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/app"
	"github.com/emberlatch/emberlatch/internal/testenv"
)

// What a replay has ended is refused by this process at once: nothing here reads the
// feed between the replay and the next use of the token.
//
// spec: RT-22
// attack: TK-01, RT-01
func TestWhatAReplayEndsIsKnownWithoutTheFeed(t *testing.T) {
	c := newCounted(t)
	for name, replay := range map[string]func(token *string){
		"a code again": func(token *string) {
			got := c.code(c.public, offline, "zoe")
			*token = c.public.Exchange(got.Request, got.text).String("access_token")
			if a := c.Get(*token, "Patient/zoe"); a.Status != http.StatusOK {
				t.Fatalf("before: %d %s", a.Status, a.Raw)
			}
			c.public.Exchange(got.Request, got.text)
		},
		"a refresh token after the grace": func(token *string) {
			first := c.tokens(c.public, offline)
			*token = c.public.Refresh(first.String("refresh_token")).String("access_token")
			if a := c.Get(*token, "Patient/zoe"); a.Status != http.StatusOK {
				t.Fatalf("before: %d %s", a.Status, a.Raw)
			}
			c.move(time.Minute)
			c.public.Refresh(first.String("refresh_token"))
			c.move(-time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var token string
			replay(&token)
			if a := c.Get(token, "Patient/zoe"); a.Status != http.StatusUnauthorized {
				t.Errorf("after: %d %s", a.Status, a.Raw)
			}
		})
	}
}

// An operator who makes access tokens live shorter does not bring back those that were
// given before and have ended since.
//
// spec: REVOKE-02, REVOKE-11
func TestWhatHasEndedStaysEndedUnderAShorterLife(t *testing.T) {
	c := newCounted(t)
	got := c.tokens(c.public, offline)
	c.move(-12 * time.Minute) // longer ago than a token of a minute lives
	c.public.Post("/revoke", url.Values{"token": {got.String("refresh_token")}})
	c.move(12 * time.Minute)
	shorter := c.cfg
	shorter.Tokens.Access = time.Minute
	started, err := app.OpenOn(t.Context(), c.db, shorter)
	must(t, err)
	again := testenv.Inside(t, shorter, started.Public(), started.Admin())
	for name, env := range map[string]*testenv.Env{"before": c.Env, "after the start": again} {
		if a := env.Get(got.String("access_token"), "Patient/zoe"); a.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, a.Status)
		}
	}
}
