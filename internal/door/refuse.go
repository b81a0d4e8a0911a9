package door

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// refuse implements E-16 and E-38 of the security design.
func (c *chain) refuse(r *http.Request) (int, string) {
	switch {
	case !c.hosts[strings.ToLower(r.Host)]:
		return http.StatusMisdirectedRequest, "This server does not answer for that host"
	case len(r.Header.Values("Authorization")) > 1:
		return http.StatusBadRequest, "Send exactly one Authorization header"
	case r.Header.Get("Content-Encoding") != "":
		return http.StatusUnsupportedMediaType, "Send the body without a content encoding"
	case r.Header.Get("Upgrade") != "" && !strings.EqualFold(r.Header.Get("Upgrade"), "h2c"):
		return http.StatusBadRequest, "This server offers no other protocol"
	case r.URL.IsAbs():
		return http.StatusBadRequest, "This server is no proxy"
	}
	return 0, ""
}

// endsConnection reports whether the connection ends with this request. net/http
// reads a chunked body by its chunks and forgets a Content-Length beside it, and
// takes an HTTP/1.0 body with chunks for none: a proxy that reads the request the
// other way would send us what it takes for the body as the next request. It is
// never read.
func endsConnection(r *http.Request) bool {
	return len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1)
}

// requestID takes a sane id from the caller, or makes one (RS-14).
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) < 8 || len(id) > 64 {
		return rand.Text()
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return rand.Text()
		}
	}
	return id
}
