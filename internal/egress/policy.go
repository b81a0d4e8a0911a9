package egress

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// ErrRefused: the policy does not let this URL or address be fetched.
var ErrRefused = errors.New("egress: refused by policy")

// Policy says what may be fetched. The zero value allows https to ordinary global
// addresses on ports 443 and 8443.
type Policy struct {
	// Networks may be reached as well: the operator's own.
	Networks []netip.Prefix
	// Ports may be used as well.
	Ports []uint16
	// Loopback allows http, any port, and loopback addresses: a sandbox.
	Loopback bool
	// Own is the host of this server, as in its public URL; it never asks itself.
	Own string
}

// maxURL bounds a URL, in bytes.
const maxURL = 2000

// usualPorts are those of https servers.
var usualPorts = []uint16{443, 8443}

// CheckURL parses a URL that somebody wants fetched. What it refuses would be
// refused at dial as well, or be read in two ways; the error is ErrRefused with
// one sentence for all causes (attack DC-04).
func (p Policy) CheckURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxURL || !plain(text) || u.Opaque != "" || u.User != nil || u.Host == "" ||
		strings.Contains(text, "#") || u.Hostname() != strings.ToLower(u.Hostname()) || strings.HasSuffix(u.Hostname(), ".") {
		return nil, ErrRefused
	}
	port, ok := portOf(u)
	if !ok || p.isOwn(u) || !p.mayName(u.Hostname()) {
		return nil, ErrRefused
	}
	local := p.Loopback && loopbackName(u.Hostname())
	if u.Scheme != "https" && !(u.Scheme == "http" && local) || !local && !p.mayUsePort(port) {
		return nil, ErrRefused
	}
	return u, nil
}

// plain: visible ASCII without what readers of URLs disagree about.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte("\\<>\"{}|^`", c) >= 0 {
			return false
		}
	}
	return true
}

func portOf(u *url.URL) (uint16, bool) {
	text := u.Port()
	switch {
	case text == "" && strings.HasSuffix(u.Host, ":"):
		return 0, false
	case text == "" && u.Scheme == "http":
		return 80, true
	case text == "":
		return 443, true
	}
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err == nil && n > 0 && text[0] != '0'
}

// isOwn: a server that asks itself waits for itself. On loopback the ports tell
// servers apart.
func (p Policy) isOwn(u *url.URL) bool {
	own, _ := url.Parse("//" + p.Own)
	if own == nil || own.Host == "" {
		return false
	}
	if p.Loopback && loopbackName(u.Hostname()) {
		return loopbackName(own.Hostname()) && u.Port() == own.Port()
	}
	return u.Hostname() == own.Hostname()
}

// mayName: an address that may be dialled, or a name with a dot that no reader
// takes for an address.
func (p Policy) mayName(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return p.admits(addr)
	}
	if p.Loopback && loopbackName(host) {
		return true
	}
	dot := strings.LastIndexByte(host, '.')
	if dot <= 0 {
		return false
	}
	last := host[dot+1:]
	_, err := strconv.ParseUint(last, 0, 64)
	number := err == nil || strings.Trim(last, "0123456789") == ""
	return !number && (len(p.Networks) > 0 || !slices.Contains(localDomains, last))
}

// localDomains never name a public host (RFC 6761, RFC 6762, RFC 8375); an operator
// who allows networks may well have names in them.
var localDomains = []string{"localhost", "local", "internal", "invalid", "test", "arpa"}

func loopbackName(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func (p Policy) mayUsePort(port uint16) bool {
	return slices.Contains(usualPorts, port) || slices.Contains(p.Ports, port)
}

// admits reports whether an address may be dialled.
func (p Policy) admits(addr netip.Addr) bool {
	if addr.Zone() != "" {
		return false
	}
	addr = addr.Unmap()
	if slices.ContainsFunc(p.Networks, func(n netip.Prefix) bool { return n.Contains(addr) }) || p.Loopback && addr.IsLoopback() {
		return true
	}
	return isGlobal(addr)
}

// admitsDial judges the address and port of a connection that is about to be made.
func (p Policy) admitsDial(to netip.AddrPort) bool {
	if p.Loopback && to.Addr().Unmap().IsLoopback() {
		return true
	}
	return p.admits(to.Addr()) && p.mayUsePort(to.Port())
}

// isGlobal: an ordinary address of the internet (IANA special-purpose address
// registries, RFC 6890). IPv6 outside of 2000::/3 is none, so translated, local
// and multicast addresses need no line here.
func isGlobal(addr netip.Addr) bool {
	if addr.Is6() && !globalUnicast.Contains(addr) {
		return false
	}
	return addr.IsValid() && !slices.ContainsFunc(special, func(n netip.Prefix) bool { return n.Contains(addr) })
}

var globalUnicast = netip.MustParsePrefix("2000::/3")

var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, text := range list {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}
