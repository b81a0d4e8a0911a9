package fhirapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/door"
)

// Errors of a Subjects implementation, compared with errors.Is.
var (
	// ErrInvalidToken: unknown, expired, revoked, forged or meant for somebody else.
	ErrInvalidToken = errors.New("fhirapi: invalid token")
	// ErrUnavailable: nobody can say at present; never a reason to let through.
	ErrUnavailable = errors.New("fhirapi: tokens cannot be verified at present")
	// ErrTooWide: the user reaches more patients than can be found out.
	ErrTooWide = errors.New("fhirapi: the user reaches too many patients")
)

// Subjects verifies a bearer token and says who is calling.
type Subjects interface {
	Subject(ctx context.Context, token string) (access.Subject, error)
}

// maxToken bounds the Authorization header, in bytes.
const maxToken = 8 << 10

// subject reads the token from the Authorization header, the only place where
// it is accepted (RFC 6750 §2.1), and has it verified.
func (d *Door) subject(r *http.Request) (access.Subject, error) {
	token, err := bearerToken(r)
	if err != nil {
		return access.Subject{}, err
	}
	s, err := d.deps.Subjects.Subject(r.Context(), token)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, ErrUnavailable):
		return access.Subject{}, outcome(http.StatusServiceUnavailable, "transient",
			"The token cannot be verified at present. Try again in a moment.")
	case errors.Is(err, ErrInvalidToken):
		return access.Subject{}, challenge(http.StatusUnauthorized, "login", "invalid_token",
			"The access token is not valid: it may have expired or been revoked. Get a new one.")
	case errors.Is(err, ErrTooWide):
		d.deps.Log.ErrorContext(r.Context(), "a user reaches too many patients", "error", err)
		return access.Subject{}, outcome(http.StatusInternalServerError, "too-costly",
			"Who is behind this token reaches more patients than this server can find out. Its operator can narrow whom they reach.")
	case door.Unavailable(err):
		return access.Subject{}, err
	}
	// Order: what an error means to the request is settled here. Whatever was missing
	// or too costly on the way to the subject, it is not what was asked for.
	return access.Subject{}, fmt.Errorf("finding who is calling: %v", err) //nolint:errorlint // cut off on purpose
}

func bearerToken(r *http.Request) (string, error) {
	if strings.Contains(r.URL.RawQuery, "access_token") && r.URL.Query().Has("access_token") {
		return "", challenge(http.StatusBadRequest, "security", "invalid_request",
			"Send the access token in the Authorization header, never in the URL.")
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", challenge(http.StatusUnauthorized, "login", "",
			"This request needs an access token in the Authorization header.")
	}
	if len(headers) > 1 {
		return "", challenge(http.StatusBadRequest, "security", "invalid_request",
			"Send exactly one Authorization header.")
	}
	scheme, token, ok := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", challenge(http.StatusUnauthorized, "login", "",
			"This request needs an access token of type Bearer.")
	}
	if !ok || token == "" || len(token) > maxToken || !isToken68(token) {
		return "", challenge(http.StatusUnauthorized, "login", "invalid_token",
			"The Authorization header does not hold a well-formed Bearer token.")
	}
	return token, nil
}

// isToken68 checks the b64token grammar of RFC 6750 §2.1.
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := 0; i < len(body); i++ {
		c := body[i]
		ok := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~+/", c) >= 0
		if !ok {
			return false
		}
	}
	return body != ""
}

// refusal is an answer that is not a resource: an outcome, and a challenge when
// the token is the reason (RFC 6750 §3).
type refusal struct {
	*fhir.OperationOutcome
	challenge string
}

// Unwrap gives the outcome to errors.As.
func (e *refusal) Unwrap() error { return e.OperationOutcome }

func challenge(status int, code, bearerError, text string) error {
	value := `Bearer realm="fhir"`
	if bearerError != "" {
		value += `, error="` + bearerError + `", error_description="` + text + `"`
	}
	return &refusal{newOutcome(status, code, text), value}
}

func outcome(status int, code, text string) error { return newOutcome(status, code, text) }

func newOutcome(status int, code, text string) *fhir.OperationOutcome {
	o := fhir.NewOutcome("error", code, text)
	o.Status = status
	return o
}
