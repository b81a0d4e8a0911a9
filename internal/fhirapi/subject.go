package fhirapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// ErrTooWide is an error of a Subjects implementation, compared with errors.Is: the
// user reaches more patients than can be found out.
var ErrTooWide = errors.New("fhirapi: the user reaches too many patients")

// Subjects judges the access token of a request, with how it is presented, and says
// who is calling.
type Subjects interface {
	// Subject returns an *oauth.Error about missing or bad credentials. answer are the
	// headers of the answer.
	Subject(answer http.Header, r *http.Request) (access.Subject, error)
	// Challenges are the WWW-Authenticate values that go with a refusal.
	Challenges(r *http.Request, e *oauth.Error) []string
}

// subject has the token of the request judged.
func (d *Door) subject(w http.ResponseWriter, r *http.Request) (access.Subject, error) {
	s, err := d.deps.Subjects.Subject(w.Header(), r)
	var refused *oauth.Error
	switch {
	case err == nil:
		return s, nil
	case errors.As(err, &refused):
		return access.Subject{}, told(refused)
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

// refusal is an answer that is not a resource: an outcome, and a challenge when
// the token is the reason (RFC 6750 §3).
type refusal struct {
	*fhir.OperationOutcome
	about *oauth.Error
}

// Unwrap gives the outcome to errors.As.
func (e *refusal) Unwrap() error { return e.OperationOutcome }

// told is an error about a token in the words of FHIR.
func told(e *oauth.Error) error {
	code := "login"
	switch e.HTTPStatus() {
	case http.StatusServiceUnavailable:
		code = "transient"
	case http.StatusBadRequest:
		code = "security"
	}
	return &refusal{newOutcome(e.HTTPStatus(), code, e.Description+"."), e}
}

func outcome(status int, code, text string) error { return newOutcome(status, code, text) }

func newOutcome(status int, code, text string) *fhir.OperationOutcome {
	o := fhir.NewOutcome("error", code, text)
	o.Status = status
	return o
}
