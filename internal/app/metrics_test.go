package app

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/backchannel"
)

// Every outcome of telling an app is counted, and there before it has happened, so
// that an alarm can be set on it.
//
// spec: LOGOUT-10
func TestLogoutNoticesAreCounted(t *testing.T) {
	m := newCounts()
	m.told(backchannel.GivenUp)
	w := httptest.NewRecorder()
	m.set.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for outcome, n := range map[string]string{"delivered": "0", "refused": "0", "unheard": "0", "given_up": "1", "dropped": "0"} {
		if line := `emberlatch_logout_notices_total{outcome="` + outcome + `"} ` + n; !strings.Contains(w.Body.String(), line) {
			t.Errorf("no %s", line)
		}
	}
}
