package dpop

import (
	"net/url"
	"strings"
)

// place is a URL in one spelling, without query and fragment (RFC 9449 §4.3, 9; RFC
// 3986 §6.2.2 and §6.2.3): scheme and host in small letters, no default port, no empty
// path, escapes in capitals and only where they are needed. Dot segments are left as
// they are, since such a path is never answered here. False for what is no absolute
// http URL, or says who asks.
func place(text string) (string, bool) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return "", false
	}
	scheme := strings.ToLower(u.Scheme)
	port, known := map[string]string{"https": ":443", "http": ":80"}[scheme]
	if !known {
		return "", false
	}
	path := spelling(u.EscapedPath())
	if path == "" {
		path = "/"
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), port)
	return scheme + "://" + strings.TrimSuffix(host, ":") + path, true
}

// spelling gives the escapes of a path one form (RFC 3986 §6.2.2.1, §6.2.2.2).
func spelling(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var out strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			out.WriteByte(path[i])
			continue
		}
		escape := strings.ToUpper(path[i : i+3])
		if c, err := url.PathUnescape(escape); err == nil && unreserved(c) {
			escape = c
		}
		out.WriteString(escape)
		i += 2
	}
	return out.String()
}

// unreserved reports whether a character means the same escaped or not (RFC 3986 §2.3).
func unreserved(c string) bool {
	return len(c) == 1 && (c[0] >= 'a' && c[0] <= 'z' || c[0] >= 'A' && c[0] <= 'Z' || c[0] >= '0' && c[0] <= '9' || strings.ContainsAny(c, "-._~"))
}
