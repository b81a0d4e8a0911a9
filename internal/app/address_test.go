package app

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// Tries are counted by the peer, or by the address that a proxy of ours added last;
// what anybody else writes into the header changes nothing, and what cannot be read
// leaves the peer.
//
// spec: TLS-05
// attack: LG-30
func TestAddressOfAPeer(t *testing.T) {
	const proxy, client = "10.1.2.3:4711", "198.51.100.9:4711"
	for _, row := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"no proxy", client, nil, "198.51.100.9"},
		{"no proxy, spoofed", client, []string{"203.0.113.1"}, "198.51.100.9"},
		{"the proxy, nothing told", proxy, nil, "10.1.2.3"},
		{"the proxy tells", proxy, []string{"203.0.113.7"}, "203.0.113.7"},
		{"behind what was spoofed", proxy, []string{"192.0.2.1, 192.0.2.2, 203.0.113.7"}, "203.0.113.7"},
		{"behind a header that was spoofed", proxy, []string{"192.0.2.1", "203.0.113.7"}, "203.0.113.7"},
		{"200 entries", proxy, []string{strings.Repeat("192.0.2.1, ", 200) + "203.0.113.7"}, "203.0.113.7"},
		{"a letter", proxy, []string{"a"}, "10.1.2.3"},
		{"empty", proxy, []string{""}, "10.1.2.3"},
		{"a comma at the end", proxy, []string{"203.0.113.7,"}, "10.1.2.3"},
		{"with a port", proxy, []string{"203.0.113.7:80"}, "10.1.2.3"},
		{"IPv6", proxy, []string{"2001:db8:1:2:3:4:5:6"}, "2001:db8:1:2::/64"},
		{"IPv4 in IPv6", "[::ffff:10.1.2.3]:4711", []string{"::ffff:203.0.113.7"}, "203.0.113.7"},
		{"no peer", "@", []string{"203.0.113.7"}, "unknown"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := &App{cfg: Config{TLS: TLSConfig{TerminatedByProxy: true, TrustedProxies: []string{"10.1.2.0/24"}}}}
			r := httptest.NewRequest("POST", "/login", nil)
			r.RemoteAddr = row.peer
			r.Header["X-Forwarded-For"] = row.forwarded
			r.Header.Set("Forwarded", "for=203.0.113.99")
			if got := a.address(r); got != row.want {
				t.Errorf("counted by %s, want %s", got, row.want)
			}
		})
	}
}
