package door

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// NoStore marks an answer that no cache may keep (RFC 6749 §5.1).
func NoStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
}

// JSON writes v as JSON that no cache keeps.
func JSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	h := w.Header()
	NoStore(h)
	h.Set("Content-Type", "application/json")
	_ = Body(w, status, body)
}

// Body writes a whole answer. Its length goes first: net/http would send a longer
// one in chunks, with a system call for the last. An error is that of writing: nobody
// can be told, but a connection of HTTP/2 may hold the bytes still.
func Body(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// oauthError is the error object of RFC 6749 §5.2.
type oauthError struct {
	Error       oauth.Code `json:"error"`
	Description string     `json:"error_description,omitempty"`
	URI         string     `json:"error_uri,omitempty"`
}

// writeError writes the error object, with a link to what the catalogue says, and
// names the error in the line that is logged for the request.
func writeError(w http.ResponseWriter, status int, e *oauth.Error) {
	body := oauthError{Error: e.Code, Description: safe(e.Description)}
	if issuer := Note(w, e.Code, e.Slug); issuer != "" {
		body.URI = e.URI(issuer)
	}
	JSON(w, status, body)
}

// Failure is what a caller is told when the server could not answer: that it may try
// again when that can help. The cause goes to the log only.
func Failure(cause error, description string) *oauth.Error {
	if Unavailable(cause) {
		return &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable,
			Slug: oauth.SlugServerUnavailable, Description: description, Cause: cause}
	}
	return &oauth.Error{Code: oauth.ServerError, Status: http.StatusInternalServerError,
		Slug: oauth.SlugServerFailure, Description: description, Cause: cause}
}

// WriteOAuthError writes a protocol error as JSON (RFC 6749 §5.2). A 405 names
// POST, the only method of the endpoints that use it.
func WriteOAuthError(w http.ResponseWriter, e *oauth.Error) {
	h := w.Header()
	if e.Challenge {
		h.Set("WWW-Authenticate", `Basic realm="emberlatch"`)
	}
	switch e.HTTPStatus() {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(e.RetryAfter.Seconds())))))
	}
	writeError(w, e.HTTPStatus(), e)
}

// WriteBearerError writes an error about a token that only the scheme Bearer presents
// (RFC 6750 §3).
func WriteBearerError(w http.ResponseWriter, e *oauth.Error) {
	s := e.HTTPStatus()
	malformed := s == http.StatusBadRequest && e.Code == oauth.InvalidRequest
	if malformed || s == http.StatusUnauthorized || s == http.StatusForbidden { // RFC 6750 §3, with the codes of §3.1
		WriteTokenError(w, e, []string{oauth.Challenge(oauth.SchemeBearer, e.Code, safe(e.Description))})
		return
	}
	WriteTokenError(w, e, nil)
}

// WriteTokenError writes an error about an access token with these challenges.
func WriteTokenError(w http.ResponseWriter, e *oauth.Error, challenges []string) {
	for _, c := range challenges {
		w.Header().Add("WWW-Authenticate", c)
	}
	if e.Code == "" { // RFC 6750 §3.1: no credentials, no error code
		JSON(w, e.HTTPStatus(), struct{}{})
		return
	}
	WriteOAuthError(w, e)
}

// safe keeps a description within the characters of RFC 6749 §5.2.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, s)
}

// MethodNotAllowed answers 405 with the methods that exist.
func MethodNotAllowed(w http.ResponseWriter, methods ...string) {
	w.Header().Set("Allow", strings.Join(methods, ", "))
	writeError(w, http.StatusMethodNotAllowed, oauth.New(oauth.InvalidRequest, "Use %s", strings.Join(methods, " or ")).Slugged(oauth.SlugRequestMethod))
}

// Unavailable reports whether an error says that the server cannot answer now,
// rather than that something is broken.
func Unavailable(err error) bool {
	var temporary interface{ Temporary() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &temporary) && temporary.Temporary()
}
