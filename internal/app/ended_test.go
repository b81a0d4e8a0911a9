package app_test

import (
	"net/http"
	"testing"
	"time"
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
