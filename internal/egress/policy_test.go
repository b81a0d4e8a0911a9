package egress_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/egress"
)

// targets are what an attacker would like the server to ask (attack DC-04).
var targets = []string{
	"https://127.0.0.1/", "https://127.1.2.3/", "https://[::1]/", "https://0.0.0.0/", "https://[::]/", "https://10.1.2.3/", "https://172.16.0.1/",
	"https://172.31.255.255/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data", "https://100.64.0.1/", "https://198.18.0.1/",
	"https://192.0.0.1/", "https://192.0.2.1/", "https://198.51.100.7/", "https://203.0.113.9/", "https://192.88.99.1/", "https://240.0.0.1/",
	"https://255.255.255.255/", "https://224.0.0.1/", "https://[fc00::1]/", "https://[fd12::1]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/",
	"https://[ff02::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:10.0.0.1]/", "https://[::127.0.0.1]/", "https://[64:ff9b::7f00:1]/",
	"https://[64:ff9b:1::1]/", "https://[2002:7f00:1::]/", "https://[2001:0:53aa::1]/", "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[100::1]/",
	"https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://127.1/", "https://0x7f.1/", "https://127.0.0.0x1/", "https://1.2.3.4.5/",
	"https://localhost/", "https://localhost./", "https://x.localhost/", "https://metadata.google.internal/", "https://printer.local/", "https://intranet/",
	"https://records.example.org/jwks", "https://records.example.org:8443/jwks", "https://keys.example.org:22/", "https://keys.example.org:25/",
	"https://keys.example.org:6379/", "https://keys.example.org:80/", "https://keys.example.org:0443/", "https://keys.example.org:/",
	"https://keys.example.org:99999/", "http://keys.example.org/", "http://127.0.0.1/", "file:///etc/passwd", "gopher://keys.example.org/", "unix:///run/x",
	"ftp://keys.example.org/", "//keys.example.org/", "keys.example.org/jwks", "", "https://", "https:///jwks", "https:keys.example.org",
	"https://user@keys.example.org/", "https://user:pass@keys.example.org/", "https://keys.example.org/#f", "https://keys.example.org#", "https://KEYS.example.org/",
	"https://keys.example.org\\@127.0.0.1/", "https://keys.example.org/a b", "https://keys.exämple.org/", "https://keys.example.org/\n", "https://127.0.0.1%2f@keys.example.org/",
	"https://keys.example.org/" + strings.Repeat("x", 2000), "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:application/json,{}",
}

// spec: CAUTH-23
// attack: DC-04, E-23
func TestWhatIsNeverFetched(t *testing.T) {
	p := egress.Policy{Own: "records.example.org"}
	for _, target := range targets {
		if u, err := p.CheckURL(target); !errors.Is(err, egress.ErrRefused) || u != nil {
			t.Errorf("%q may be fetched: %v", target, err)
		}
	}
	for _, fine := range []string{
		"https://keys.example.org/.well-known/jwks.json", "https://keys.example.org:8443/a?b=c", "https://keys.example.org:443/", "https://93.184.215.14/",
		"https://[2606:2800:21f:cb07::1]/", "https://other.records.example.org/", "https://a-1.example.co/",
	} {
		if _, err := p.CheckURL(fine); err != nil {
			t.Errorf("%q: %v", fine, err)
		}
	}
}

// What an operator allows is that and nothing beside it.
//
// spec: CAUTH-23
func TestWhatAnOperatorAllows(t *testing.T) {
	wide := egress.Policy{Networks: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}, Ports: []uint16{9443}}
	dev := egress.Policy{Loopback: true, Own: "localhost:8765"}
	for _, row := range []struct {
		name   string
		policy egress.Policy
		url    string
		may    bool
	}{
		{"an allowed network", wide, "https://10.1.2.3/", true},
		{"its other spelling", wide, "https://[::ffff:10.1.2.3]/", true},
		{"the network beside it", wide, "https://10.2.0.1/", false},
		{"an allowed port", wide, "https://keys.example.org:9443/", true},
		{"another port", wide, "https://keys.example.org:9444/", false},
		{"a name of that network", wide, "https://keys.corp.internal/", true},
		{"still no loopback", wide, "https://127.0.0.1/", false},
		{"still https only", wide, "http://10.1.2.3/", false},
		{"loopback", dev, "http://127.0.0.1:9001/jwks", true},
		{"loopback by name", dev, "http://localhost:9001/jwks", true},
		{"loopback IPv6", dev, "http://[::1]:9001/jwks", true},
		{"loopback by https", dev, "https://127.0.0.1:9001/jwks", true},
		{"itself", dev, "http://localhost:8765/jwks.json", false},
		{"itself by another name", dev, "http://127.0.0.1:8765/jwks.json", false},
		{"no http beyond loopback", dev, "http://keys.example.org/", false},
		{"no private address beside loopback", dev, "https://192.168.1.1/", false},
		{"no other port beyond loopback", dev, "https://keys.example.org:9001/", false},
	} {
		if _, err := row.policy.CheckURL(row.url); (err == nil) != row.may {
			t.Errorf("%s, %s: %v", row.name, row.url, err)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, target := range targets {
		f.Add(target)
	}
	f.Add("https://keys.example.org/jwks")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := egress.Policy{}.CheckURL(text)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil || u.Fragment != "" || !strings.Contains(u.Hostname(), ".") && !strings.Contains(u.Hostname(), ":") {
			t.Fatalf("%q may be fetched", text)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && (addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.Is4In6() && addr.Unmap().IsPrivate()) {
			t.Fatalf("%q may be fetched", text)
		}
	})
}
