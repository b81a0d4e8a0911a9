package door_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Protocol errors have the form of the RFC on every status, no cache keeps them,
// and nothing of the cause or of a hostile description leaves.
//
// spec: HDR-01, HDR-09, ERR-36, TOK-20
// attack: IN-16, HT-15
func TestProtocolErrors(t *testing.T) {
	rows := []struct {
		name  string
		err   *oauth.Error
		code  int
		body  string
		extra map[string]string
	}{
		{"400", oauth.New(oauth.InvalidGrant, "The code was used"), 400, `{"error":"invalid_grant","error_description":"The code was used"}`, nil},
		{"no description", &oauth.Error{Code: oauth.InvalidScope}, 400, `{"error":"invalid_scope"}`, nil},
		{
			"401 with a challenge", &oauth.Error{Code: oauth.InvalidClient, Status: 401, Challenge: true}, 401, `{"error":"invalid_client"}`,
			map[string]string{"WWW-Authenticate": `Basic realm="emberlatch"`},
		},
		{"401 without", &oauth.Error{Code: oauth.InvalidClient, Status: 401}, 401, `{"error":"invalid_client"}`, map[string]string{"WWW-Authenticate": ""}},
		{"IN-16 405", &oauth.Error{Code: oauth.InvalidRequest, Status: 405}, 405, `{"error":"invalid_request"}`, map[string]string{"Allow": "POST"}},
		{"IN-16 413", &oauth.Error{Code: oauth.InvalidRequest, Status: 413}, 413, `{"error":"invalid_request"}`, nil},
		{"IN-16 415", &oauth.Error{Code: oauth.InvalidRequest, Status: 415}, 415, `{"error":"invalid_request"}`, nil},
		{"IN-16 429", &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: 429}, 429, `{"error":"temporarily_unavailable"}`, map[string]string{"Retry-After": "1"}},
		{
			"IN-16 500 keeps its cause", (&oauth.Error{Code: oauth.ServerError, Status: 500}).Because(errors.New("pq: password=hunter2")), 500,
			`{"error":"server_error"}`, nil,
		},
		{"TOK-25 429 with its time", &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: 429, RetryAfter: 41500 * time.Millisecond}, 429, `{"error":"temporarily_unavailable"}`, map[string]string{"Retry-After": "42"}},
		{"IN-16 503", &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: 503}, 503, `{"error":"temporarily_unavailable"}`, map[string]string{"Retry-After": "1"}},
		{
			"HT-15 line breaks and quotes", oauth.New(oauth.InvalidRequest, "a\r\nSet-Cookie: x=\"y\"\\z\x00é"), 400,
			`{"error":"invalid_request","error_description":"aSet-Cookie: x=yz"}`, map[string]string{"Set-Cookie": ""},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			door.WriteOAuthError(w, row.err)
			check(t, w, row.code, row.body, row.extra)
		})
	}
}

func check(t *testing.T, w *httptest.ResponseRecorder, code int, body string, extra map[string]string) {
	t.Helper()
	if w.Code != code {
		t.Errorf("status %d, want %d", w.Code, code)
	}
	if diff := cmp.Diff(body, w.Body.String()); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	want := map[string]string{"Cache-Control": "no-store", "Pragma": "no-cache", "Content-Type": "application/json"}
	for key, value := range extra {
		want[key] = value
	}
	for key, value := range want {
		if got := w.Header().Get(key); got != value {
			t.Errorf("%s is %q, want %q", key, got, value)
		}
	}
}

// Errors about an access token carry their challenge: without a token it has no
// error code (RFC 6750 §3.1).
//
// spec: HDR-01, RS-02, RS-03
func TestBearerErrors(t *testing.T) {
	rows := []struct {
		name      string
		err       *oauth.Error
		code      int
		body      string
		challenge []string
	}{
		{"no token", &oauth.Error{Status: 401}, 401, `{}`, []string{"Bearer "}},
		{"a wrong one", &oauth.Error{Code: oauth.InvalidToken, Status: 401, Description: `ex"pired`}, 401, `{"error":"invalid_token","error_description":"expired"}`, []string{"Bearer ", `error="invalid_token"`, `error_description="expired"`}},
		{"too little", &oauth.Error{Code: oauth.InsufficientScope, Status: 403}, 403, `{"error":"insufficient_scope"}`, []string{"Bearer ", `error="insufficient_scope"`}},
		{"malformed", &oauth.Error{Code: oauth.InvalidRequest}, 400, `{"error":"invalid_request"}`, []string{"Bearer ", `error="invalid_request"`}},
		{"something else than the token", &oauth.Error{Code: oauth.InvalidRedirectURI}, 400, `{"error":"invalid_redirect_uri"}`, nil},
		{"not now", &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: 503}, 503, `{"error":"temporarily_unavailable"}`, nil},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			door.WriteBearerError(w, row.err)
			check(t, w, row.code, row.body, nil)
			got := w.Header().Get("WWW-Authenticate")
			for _, part := range row.challenge {
				if !strings.Contains(got, part) {
					t.Errorf("challenge %q lacks %q", got, part)
				}
			}
			if row.err.Code == "" && strings.Contains(got, "error") || row.challenge == nil && got != "" {
				t.Errorf("challenge %q says too much", got)
			}
		})
	}
}

// What cannot be written becomes an error, not half an answer.
func TestUnwritableValue(t *testing.T) {
	w := httptest.NewRecorder()
	door.JSON(w, http.StatusOK, make(chan int))
	check(t, w, http.StatusInternalServerError, `{"error":"server_error"}`, nil)
	if !json.Valid(w.Body.Bytes()) {
		t.Errorf("body %s", w.Body)
	}
}

// Other methods are told which exist (RFC 9110 §15.5.6).
//
// spec: ERR-36
func TestMethodNotAllowed(t *testing.T) {
	w := httptest.NewRecorder()
	door.MethodNotAllowed(w, http.MethodGet, http.MethodPost)
	check(t, w, http.StatusMethodNotAllowed, `{"error":"invalid_request","error_description":"Use GET or POST"}`, map[string]string{"Allow": "GET, POST"})
}

type temporary struct{ error }

func (temporary) Temporary() bool { return true }

// A server that cannot answer now says so, and only then.
func TestUnavailable(t *testing.T) {
	for name, row := range map[string]struct {
		err  error
		want bool
	}{
		"deadline": {fmt.Errorf("loading client: %w", context.DeadlineExceeded), true}, "temporary": {fmt.Errorf("x: %w", temporary{errors.New("busy")}), true},
		"broken": {errors.New("no such table"), false}, "the caller went away": {context.Canceled, false},
	} {
		if got := door.Unavailable(row.err); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// A whole answer says how long it is, whatever its length, so that no reader takes
// a part for the whole.
func TestAnswersSayHowLongTheyAre(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		door.JSON(w, http.StatusOK, long)
	}))
	defer s.Close()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		req, err := http.NewRequest(method, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.ContentLength != int64(len(long)+2) || len(a.TransferEncoding) != 0 {
			t.Errorf("%s: length %d, encoding %v", method, a.ContentLength, a.TransferEncoding)
		}
	}
}
