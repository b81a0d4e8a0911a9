package oauth

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// OutOfBand is the redirect URI of desktop apps that read the code off a page.
const OutOfBand = "urn:ietf:wg:oauth:2.0:oob"

// maxRedirectURI bounds a redirect URI, in bytes.
const maxRedirectURI = 2000

// MatchRedirectURI reports whether the requested URI is one of the registered
// ones: byte for byte (RFC 9700 §2.1), or, for a native client, a registered
// loopback URI with another port (RFC 8252 §7.3).
func MatchRedirectURI(registered []string, native bool, requested string) bool {
	for _, r := range registered {
		if r == requested {
			return true
		}
	}
	if !native {
		return false
	}
	rest, ok := withoutLoopbackPort(requested)
	if !ok {
		return false
	}
	for _, r := range registered {
		if own, ok := withoutLoopbackPort(r); ok && own == rest {
			return true
		}
	}
	return false
}

// AddToQuery adds response parameters to a redirect URI, whose own query stays as
// it is (RFC 6749 §3.1.2).
func AddToQuery(uri string, values url.Values) string {
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
		if strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&") {
			separator = ""
		}
	}
	return uri + separator + values.Encode()
}

// loopbackPrefixes are the only spellings of a loopback host.
var loopbackPrefixes = []string{"http://127.0.0.1", "http://[::1]", "http://localhost"}

// withoutLoopbackPort takes the port out of a loopback URI by its text alone, so
// that nothing else of it is read in two ways.
func withoutLoopbackPort(uri string) (string, bool) {
	for _, prefix := range loopbackPrefixes {
		rest, ok := strings.CutPrefix(uri, prefix)
		if !ok {
			continue
		}
		if port, found := strings.CutPrefix(rest, ":"); found {
			digits := 0
			for digits < len(port) && port[digits] >= '0' && port[digits] <= '9' {
				digits++
			}
			if digits == 0 || digits > 5 || port[0] == '0' || digits == 5 && port[:5] > "65535" {
				return "", false
			}
			rest = port[digits:]
		}
		if rest != "" && rest[0] != '/' && rest[0] != '?' || !plain(rest) {
			return "", false
		}
		return prefix + rest, true
	}
	return "", false
}

// plain reports whether a text has only visible ASCII without what readers of
// URIs disagree about.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte("\\<>\"{}|^`#", c) >= 0 {
			return false
		}
	}
	return true
}

// CheckRedirectURI says what is wrong with a redirect URI that is to be
// registered; native clients may also use loopback, private-use schemes and the
// out-of-band name (RFC 6749 §3.1.2, RFC 8252 §7 and §8, RFC 9700 §2.1, §2.6).
// The error is a sentence for the developer.
func CheckRedirectURI(uri string, native bool) error {
	if uri == OutOfBand {
		if !native {
			return errors.New("the out-of-band redirect is for native apps only")
		}
		return nil
	}
	if uri == "" || len(uri) > maxRedirectURI {
		return errors.New("it must have 1 to 2000 characters")
	}
	if !plain(strings.ReplaceAll(uri, "#", "")) {
		return errors.New("it must be ASCII without spaces, control characters, backslashes or quotes")
	}
	if strings.Contains(uri, "#") {
		return errors.New("it must not have a fragment")
	}
	if strings.Contains(uri, "*") {
		return errors.New("wildcards are not offered: register each URI")
	}
	lower := strings.ToLower(uri)
	for _, bad := range []string{"%2e", "%2f", "%5c", "%00", "%0a", "%0d", "%25"} {
		if strings.Contains(lower, bad) {
			return errors.New("it must not hold encoded dots, slashes, backslashes, percent signs or control characters")
		}
	}
	u, err := url.Parse(uri)
	if err != nil || !u.IsAbs() {
		return errors.New("it must be an absolute URI")
	}
	scheme, _, _ := strings.Cut(uri, ":")
	if scheme != u.Scheme {
		return errors.New("write the scheme in lower case")
	}
	switch u.Scheme {
	case "https":
		return checkHTTPS(u)
	case "http":
		return checkLoopback(uri, u, native)
	}
	return checkPrivateScheme(u, native)
}

func checkHTTPS(u *url.URL) error {
	host := u.Hostname()
	switch {
	case u.User != nil:
		return errors.New("it must not have a user name")
	case host == "" || strings.HasSuffix(host, "."):
		return errors.New("it must name a host, without a final dot")
	case host != strings.ToLower(host):
		return errors.New("write the host in lower case")
	case strings.HasSuffix(u.Host, ":") || u.Port() == "443":
		return errors.New("leave out an empty or default port")
	case !validPort(u.Port()):
		return errors.New("the port is a number from 1 to 65535 without leading zeros")
	case numericHost(host):
		return errors.New("write a name or a full IP address as the host")
	case !oneSpelling(host):
		return errors.New("write the host as a DNS name in ASCII (xn--… for other letters), or an IP address in its shortest form")
	}
	return checkPath(u)
}

// oneSpelling: a name of letters, digits, hyphens and low lines, or an address as
// everybody writes it (RFC 5952). host is decoded, so an encoded letter is seen too.
func oneSpelling(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String() == host && !ip.Is4In6()
	}
	for _, label := range strings.Split(host, ".") {
		if label == "" || strings.HasPrefix(label, "-") {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0 && port[0] != '0'
}

// numericHost: browsers read a host whose last label is a number as an IPv4
// address, in spellings that other readers do not know (WHATWG URL §3.5).
func numericHost(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	digits := strings.Trim(last, "0123456789") == ""
	if err != nil && !digits {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err != nil
}

func checkPath(u *url.URL) error {
	if !utf8.ValidString(u.Path) || needlessEscape(u.EscapedPath()) {
		return errors.New("its path must not encode letters, digits or what is no UTF-8")
	}
	for _, segment := range strings.Split(u.EscapedPath(), "/") {
		if segment == "." || segment == ".." {
			return errors.New("it must not have dot segments in its path")
		}
	}
	return nil
}

// needlessEscape finds an encoded character that needs no encoding: the URI would
// have a second spelling (RFC 3986 §6.2.2.2).
func needlessEscape(path string) bool {
	for i := 0; i+2 < len(path); i++ {
		if path[i] != '%' {
			continue
		}
		if c, err := strconv.ParseUint(path[i+1:i+3], 16, 8); err == nil && unreserved(byte(c)) {
			return true
		}
	}
	return false
}

func checkLoopback(uri string, u *url.URL, native bool) error {
	if _, loopback := withoutLoopbackPort(uri); !loopback {
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.IsLoopback() {
			return errors.New("write the loopback address as 127.0.0.1 or [::1]")
		}
		return errors.New("http is for loopback only (127.0.0.1, [::1] or localhost); use https")
	}
	if !native && u.Port() == "" {
		return errors.New("a loopback redirect without a port is for native apps; name the port")
	}
	return checkPath(u)
}

// checkPrivateScheme: a reverse domain name, so that it has an owner (RFC 8252
// §7.1, §8.4); schemes that browsers run or open themselves never.
func checkPrivateScheme(u *url.URL, native bool) error {
	if !native {
		return errors.New("a scheme other than https is for native apps only")
	}
	labels := strings.Split(u.Scheme, ".")
	if len(labels) < 2 {
		return errors.New("a private scheme is a reverse domain name that you own, such as com.example.app")
	}
	for _, label := range labels {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return errors.New("a private scheme is a reverse domain name, such as com.example.app")
		}
	}
	if u.User != nil || u.Host != "" {
		return errors.New("a private scheme is followed by one slash and a path, without a host")
	}
	if !strings.HasPrefix(u.Path, "/") {
		return errors.New("a private scheme is followed by one slash and a path, such as com.example.app:/callback")
	}
	return checkPath(u)
}
