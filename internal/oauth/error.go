package oauth

import (
	"fmt"
	"net/http"
	"time"
)

// Code is an error code of OAuth 2 or OpenID Connect, spelt as in its source.
type Code string

// The codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1,
// RFC 8707 §2, RFC 7591 §3.2.2, RFC 9101 §7 and OpenID Connect Core §3.1.2.6.
const (
	InvalidRequest           Code = "invalid_request"
	InvalidClient            Code = "invalid_client"
	InvalidGrant             Code = "invalid_grant"
	UnauthorizedClient       Code = "unauthorized_client"
	UnsupportedGrantType     Code = "unsupported_grant_type"
	UnsupportedResponseType  Code = "unsupported_response_type"
	UnsupportedTokenType     Code = "unsupported_token_type"
	InvalidScope             Code = "invalid_scope"
	InvalidTarget            Code = "invalid_target"
	InvalidToken             Code = "invalid_token"
	InsufficientScope        Code = "insufficient_scope"
	AccessDenied             Code = "access_denied"
	ServerError              Code = "server_error"
	TemporarilyUnavailable   Code = "temporarily_unavailable"
	LoginRequired            Code = "login_required"
	ConsentRequired          Code = "consent_required"
	InteractionRequired      Code = "interaction_required"
	AccountSelectionRequired Code = "account_selection_required"
	RequestNotSupported      Code = "request_not_supported"
	RequestURINotSupported   Code = "request_uri_not_supported"
	RegistrationNotSupported Code = "registration_not_supported"
	InvalidRequestURI        Code = "invalid_request_uri"
	InvalidRedirectURI       Code = "invalid_redirect_uri"
	InvalidClientMetadata    Code = "invalid_client_metadata"
	// About software statements (RFC 7591 §3.2.2).
	InvalidSoftwareStatement    Code = "invalid_software_statement"
	UnapprovedSoftwareStatement Code = "unapproved_software_statement"
	// About proofs of possession (RFC 9449 §5, §8).
	InvalidDPoPProof Code = "invalid_dpop_proof"
	UseDPoPNonce     Code = "use_dpop_nonce"
)

// Error is a protocol error: a code, a description that is safe for strangers,
// and a cause that goes to the log only. Nothing exposes the cause.
type Error struct {
	Code        Code
	Description string // ASCII without quotes or backslash (RFC 6749 §5.2)
	Status      int    // HTTP status where the error is answered directly; 0 means 400
	Slug        Slug   // its name in the error catalogue; 0: explained by its code
	Parameter   string // the parameter at fault, if one is
	Cause       error  // for the log
	// RetryAfter is how long to wait, where the status says to; 0: a moment.
	RetryAfter time.Duration
	// Challenge makes the answer carry WWW-Authenticate: Basic (RFC 6749 §5.2).
	Challenge bool
}

// New makes an Error with the code's usual status.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Description: fmt.Sprintf(format, args...)}
}

// Error gives code and description, never the cause.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Description }

// Unwrap gives the cause to errors.Is and to the log.
func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus is the status of a direct answer, 400 unless set.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Because returns a copy with a cause for the log.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.Cause = cause
	return &c
}

// About returns a copy that names the parameter at fault.
func (e *Error) About(parameter string) *Error {
	c := *e
	c.Parameter = parameter
	return &c
}

// Slugged returns a copy with its name in the error catalogue.
func (e *Error) Slugged(slug Slug) *Error {
	c := *e
	c.Slug = slug
	return &c
}
