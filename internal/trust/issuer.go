package trust

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/egress"
)

// Issuer is another server as the operator lists it: how to know its tokens, and one
// way to check them, by its keys or by asking it.
type Issuer struct {
	Name string // iss of its tokens, byte for byte
	// Audience is what its tokens must be meant for.
	Audience string
	// JWKSURI is where its keys lie, and Algorithms what they may sign with; empty:
	// UsualAlgorithms.
	JWKSURI    string
	Algorithms []string
	// Endpoint is its introspection endpoint, with our credentials there.
	Endpoint, ClientID, ClientSecret string
	// Opaque: it is the one to ask about tokens that do not say whose they are.
	Opaque bool
}

// UsualAlgorithms are those that most servers sign with.
func UsualAlgorithms() []string { return []string{clientkey.RS256, clientkey.ES256} }

// byKeys reports whether its tokens are checked here.
func (i Issuer) byKeys() bool { return i.JWKSURI != "" }

// Mistake is what is wrong with one member of one entry of a list, as the
// configuration names them.
type Mistake struct {
	Entry        int
	Member, Text string
}

// maxIssuers bounds the list.
const maxIssuers = 100

// Check judges a list; own is our issuer. It returns everything that is wrong.
func Check(list []Issuer, own string, policy egress.Policy) []Mistake {
	var all []Mistake
	opaque := -1
	for n, i := range list {
		add := func(member, format string, args ...any) {
			all = append(all, Mistake{n, member, fmt.Sprintf(format, args...)})
		}
		i.checkName(own, policy.Loopback, add)
		if slices.ContainsFunc(list[:n], func(o Issuer) bool { return o.Name == i.Name }) {
			add("issuer", "%q is listed twice", i.Name)
		}
		if i.Audience == "" {
			add("audience", "missing: say what tokens of this issuer must be meant for")
		}
		i.checkWay(policy, add)
		if i.Opaque && opaque >= 0 {
			add("opaque_tokens", "one issuer only: an opaque token does not say whose it is, and is shown to nobody else")
		} else if i.Opaque {
			opaque = n
		}
	}
	if len(list) > maxIssuers {
		all = append(all, Mistake{maxIssuers, "issuer", fmt.Sprintf("at most %d issuers", maxIssuers)})
	}
	return all
}

// checkName: RFC 8414 §2, an https URL without query or fragment; and another one
// than ours, whose tokens are ours to judge.
func (i Issuer) checkName(own string, loopback bool, add func(member, format string, args ...any)) {
	u, err := url.Parse(i.Name)
	switch {
	case err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(i.Name, "?#") || u.Scheme != "https" && !(loopback && u.Scheme == "http"):
		add("issuer", "%q is not an https URL without query and fragment; write it as iss in its tokens has it", i.Name)
	case strings.TrimRight(i.Name, "/") == strings.TrimRight(own, "/"):
		add("issuer", "%q is this server itself", i.Name)
	}
}

// checkWay: exactly one way of checking, and all that it needs.
func (i Issuer) checkWay(policy egress.Policy, add func(member, format string, args ...any)) {
	if i.byKeys() == (i.Endpoint != "") {
		add("issuer", "give jwks_uri, or introspection_endpoint with client_id and client_secret_file: one of the two")
		return
	}
	if i.byKeys() {
		i.checkKeys(policy, add)
		return
	}
	checkURL("introspection_endpoint", i.Endpoint, policy, add)
	if i.ClientID == "" {
		add("client_id", "missing: who this server is at that endpoint")
	}
	if i.ClientSecret == "" {
		add("client_secret_file", "missing: the secret of that client_id, in a file")
	}
	if len(i.Algorithms) > 0 {
		add("algorithms", "only with jwks_uri")
	}
}

func (i Issuer) checkKeys(policy egress.Policy, add func(member, format string, args ...any)) {
	checkURL("jwks_uri", i.JWKSURI, policy, add)
	for _, a := range i.Algorithms {
		if !slices.Contains(clientkey.ServerAlgorithms(), a) {
			add("algorithms", "%q is not one of %s", a, strings.Join(clientkey.ServerAlgorithms(), ", "))
		}
	}
	if i.ClientID != "" || i.ClientSecret != "" {
		add("client_id", "only with introspection_endpoint")
	}
	if i.Opaque {
		add("opaque_tokens", "only with introspection_endpoint: keys say nothing of an opaque token")
	}
}

func checkURL(member, text string, policy egress.Policy, add func(member, format string, args ...any)) {
	if _, err := policy.CheckURL(text); err != nil {
		add(member, "%q may not be fetched: https, a public host, port 443 or 8443, or what outbound allows", text)
	}
}
