package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A recovery code ends by the clock of the database, with the text of any other refusal.
//
// spec: LOGIN-04, LOGIN-19
// attack: EN-06
func TestARecoveryCodeEnds(t *testing.T) {
	c := newCounted(t)
	for _, row := range []struct {
		hours string
		waits time.Duration
		want  string
	}{
		{"2", 2*time.Hour - time.Minute, "Your password is changed"}, {"2", 2 * time.Hour, "do not match a recovery code"},
		{"0", 24*time.Hour - time.Minute, "Your password is changed"}, {"0", 24 * time.Hour, "do not match a recovery code"},
	} {
		made := c.Admin(http.MethodPost, "/users/zoe/recover", `{"hours":`+row.hours+`}`)
		must(t, c.db.MoveClock(t.Context(), row.waits))
		p := c.browser.Submit(c.browser.Open("/recover"), "action", "recover", url.Values{
			"username": {"zoe"}, "code": {made.String("code")}, "password": {"another quiet walk"}, "again": {"another quiet walk"},
			"birth_date-year": {"1990"}, "birth_date-month": {"1"}, "birth_date-day": {"1"},
		})
		if !strings.Contains(p.Body, row.want) {
			t.Errorf("%s hours, after %s: %s, %s", row.hours, row.waits, made.Raw, p.Describe())
		}
		must(t, c.db.MoveClock(t.Context(), -row.waits))
	}
}
