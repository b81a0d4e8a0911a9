package oauth

import (
	"net/http"
	"strings"
)

// maxBearer bounds an Authorization header, in bytes.
const maxBearer = 8 << 10

// Scheme is how an access token is presented in the Authorization header. The zero
// value: none is.
type Scheme string

// The schemes of RFC 6750 §2.1 and RFC 9449 §7.1.
const (
	SchemeBearer Scheme = "Bearer"
	SchemeDPoP   Scheme = "DPoP"
)

// SchemeOf is the scheme that a request presents a token under.
func SchemeOf(r *http.Request) Scheme {
	named, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	for _, s := range []Scheme{SchemeBearer, SchemeDPoP} {
		if strings.EqualFold(named, string(s)) {
			return s
		}
	}
	return ""
}

// Presented reads the access token of a request from the Authorization header, the
// only place where it is accepted (RFC 6750 §2.1, RFC 9449 §7.1; RFC 6750 §2.2 and
// §2.3 are not offered). The scheme is empty when the request carries no such
// credentials at all. A malformed header is InvalidToken with status 401, two
// headers or a token in the URL InvalidRequest with status 400.
func Presented(r *http.Request) (scheme Scheme, token string, err *Error) {
	if strings.Contains(r.URL.RawQuery, "access_token") && r.URL.Query().Has("access_token") {
		return "", "", New(InvalidRequest, "Send the access token in the Authorization header, never in the URL").Slugged(SlugTokenInURL)
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", "", nil
	}
	if len(headers) > 1 {
		return "", "", New(InvalidRequest, "Send exactly one Authorization header").Slugged(SlugRequestTwoHeaders)
	}
	if scheme = SchemeOf(r); scheme == "" {
		return "", "", nil
	}
	_, token, _ = strings.Cut(headers[0], " ")
	if len(token) > maxBearer || !isToken68(token) {
		return scheme, "", &Error{Code: InvalidToken, Status: http.StatusUnauthorized,
			Slug: SlugTokenInvalid, Description: "The Authorization header does not hold a well-formed " + string(scheme) + " token"}
	}
	return scheme, token, nil
}

// Bearer is Presented where the scheme Bearer alone has a meaning.
func Bearer(r *http.Request) (token string, present bool, err *Error) {
	scheme, token, err := Presented(r)
	if scheme == SchemeDPoP {
		return "", false, nil
	}
	return token, scheme == SchemeBearer, err
}

// isToken68 checks the b64token grammar of RFC 6750 §2.1.
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	return body != "" && token68.holds(body)
}

// Challenge is a WWW-Authenticate value of a refused access token (RFC 6750 §3, RFC
// 9449 §7.1). An empty code means that no error is named: no credentials were sent
// (RFC 6750 §3.1), or they came under another scheme. algorithms are told by DPoP alone.
func Challenge(scheme Scheme, code Code, description string, algorithms ...string) string {
	value := string(scheme) + ` realm="emberlatch"`
	if code != "" {
		value += `, error="` + string(code) + `", error_description="` + description + `"`
	}
	if len(algorithms) > 0 {
		value += `, algs="` + strings.Join(algorithms, " ") + `"`
	}
	return value
}
