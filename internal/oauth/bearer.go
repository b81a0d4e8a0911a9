package oauth

import (
	"net/http"
	"strings"
)

// maxBearer bounds an Authorization header, in bytes.
const maxBearer = 8 << 10

// Bearer reads the access token of a request from the Authorization header, the
// only place where it is accepted (RFC 6750 §2.1; §2.2 and §2.3 are not
// offered). present is false when the request carries no Bearer credentials at
// all. A malformed header is InvalidToken with status 401, two headers or a
// token in the URL InvalidRequest with status 400.
func Bearer(r *http.Request) (token string, present bool, err *Error) {
	if strings.Contains(r.URL.RawQuery, "access_token") && r.URL.Query().Has("access_token") {
		return "", false, New(InvalidRequest, "Send the access token in the Authorization header, never in the URL").Slugged(SlugTokenInURL)
	}
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", false, nil
	}
	if len(headers) > 1 {
		return "", false, New(InvalidRequest, "Send exactly one Authorization header").Slugged(SlugRequestTwoHeaders)
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false, nil
	}
	if len(token) > maxBearer || !isToken68(token) {
		return "", true, &Error{Code: InvalidToken, Status: http.StatusUnauthorized,
			Slug: SlugTokenInvalid, Description: "The Authorization header does not hold a well-formed Bearer token"}
	}
	return token, true, nil
}

// isToken68 checks the b64token grammar of RFC 6750 §2.1.
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~+/", c) >= 0 {
			continue
		}
		return false
	}
	return body != ""
}

// BearerChallenge is the WWW-Authenticate value of a refused access token
// (RFC 6750 §3). An empty code means that no credentials were sent: then no
// error is named (§3.1).
func BearerChallenge(code Code, description string) string {
	value := `Bearer realm="emberlatch"`
	if code != "" {
		value += `, error="` + string(code) + `", error_description="` + description + `"`
	}
	return value
}
