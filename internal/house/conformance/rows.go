package main

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// group is one group of requirement rows: PREFIX-01 to PREFIX-rows.
type group struct {
	prefix, subject string
	rows            int
	// current groups belong to what is claimed now: each row needs a test or a reason.
	current bool
}

var groups = []group{
	{"DISC", "Discovery", 39, true}, {"AUTHZ", "Authorization request and response", 57, true},
	{"LOGIN", "Login, identity confirmation, enrolment, sessions", 26, true},
	{"CONS", "Approval of apps, remembered choices", 24, true},
	{"SCOPE", "Scope grammar, mapping and grant computation", 50, true}, {"CTX", "Launch context", 36, true},
	{"TOK", "Token endpoint", 26, true}, {"CAUTH", "Client authentication", 32, true}, {"PKCE", "Proof key", 10, true},
	{"RT", "Refresh tokens", 32, true}, {"OIDC", "OpenID Connect", 24, true}, {"INTRO", "Introspection", 21, true},
	{"REVOKE", "Revocation", 16, true}, {"LOGOUT", "RP-initiated logout", 10, false}, {"CORS", "Cross-origin access", 14, true},
	{"REG", "Client registration", 19, true}, {"HDR", "Caching and security headers", 10, true}, {"TLS", "Transport", 7, false},
	{"AT", "Access token format and binding", 15, true}, {"BS", "Backend services", 14, true},
	{"ERR", "Error matrix", 48, true}, {"RS", "Resource server: tokens", 23, true},
	{"RSX", "Resource server: interactions and scopes", 27, true}, {"RSG", "Resource server: granular scopes", 15, true},
	{"RSP", "Resource server: patient compartment", 23, true}, {"RSB", "Resource server: batch, operations, bulk", 18, false},
	{"AUD", "Audit", 17, false}, {"DOC", "Documentation duties", 11, false}, {"XP", "Optional parts", 6, false},
}

// attacks are the surfaces of the attack catalogue; B.n are rows of the leak catalogue.
var attacks = []struct{ prefix, subject string }{
	{"AZ", "Authorization endpoint and interaction state"}, {"TK", "Code redemption and token endpoint"},
	{"RT", "Refresh tokens"}, {"JW", "Token verification and keys"}, {"IN", "Introspection, revocation, userinfo, discovery"},
	{"LG", "Login and sessions"}, {"EN", "Enrolment"}, {"CO", "Approval"}, {"SL", "Launch, context, scopes"},
	{"GW", "FHIR enforcement"}, {"HT", "HTTP and parsing"}, {"RU", "Redirect URI payloads"}, {"LB", "Loopback redirect"},
	{"CU", "Private-use schemes"}, {"LP", "Return targets"}, {"SC", "Scope grammar"}, {"DC", "Registration and outbound fetches"},
	{"CA", "Client assertions"}, {"LO", "Logs"}, {"AD", "Administration"}, {"B", "Leak catalogue"}, {"E", "Defensive design rules"}, {"F", "Faults"}, {"P", "Promises"},
}

var (
	tagLine = regexp.MustCompile(`//\s*(spec|attack):\s*(.+)$`)
	rowID   = regexp.MustCompile(`^([A-Z]+)[-.](\d{1,3})[a-z]?$`)
	rowSpan = regexp.MustCompile(`^([A-Z]+)([-.])(\d{1,3})\s*(?:to|\.\.|–)\s*(?:[A-Z]+[-.])?(\d{1,3})$`)
)

// expand turns "RT-22, RT-24..26" into single ids.
func expand(list string) (ids, unread []string) {
	for _, part := range strings.Split(list, ",") {
		part = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(part), "."))
		if m := rowSpan.FindStringSubmatch(part); m != nil {
			from, _ := strconv.Atoi(m[3])
			to, _ := strconv.Atoi(m[4])
			for n := from; n <= to; n++ {
				ids = append(ids, rowName(m[1], m[2], n))
			}
			continue
		}
		if rowID.MatchString(part) {
			ids = append(ids, part)
		} else if part != "" {
			unread = append(unread, part)
		}
	}
	return ids, unread
}

func rowName(prefix, separator string, n int) string {
	if separator == "." {
		return fmt.Sprintf("%s.%d", prefix, n)
	}
	return fmt.Sprintf("%s-%02d", prefix, n)
}

// unknownRows lists ids of tests and notes that no catalogue has.
func unknownRows(p proofs, n notes) []string {
	var wrong []string
	for id := range n.rows {
		if !known(id) {
			wrong = append(wrong, id)
		}
	}
	for id := range n.attacks {
		if !knownAttack(id) {
			wrong = append(wrong, id)
		}
	}
	for id := range p.spec {
		if !known(id) {
			wrong = append(wrong, id)
		}
	}
	for id := range p.attack {
		if !knownAttack(id) {
			wrong = append(wrong, id)
		}
	}
	sort.Strings(wrong)
	return append(wrong, p.unread...)
}

func known(id string) bool {
	m := rowID.FindStringSubmatch(id)
	if m == nil {
		return false
	}
	n, _ := strconv.Atoi(m[2])
	for _, g := range groups {
		if g.prefix == m[1] {
			return n >= 1 && n <= g.rows
		}
	}
	return false
}

// knownAttack reports whether the catalogue has the row.
func knownAttack(id string) bool {
	m := rowID.FindStringSubmatch(id)
	if m == nil {
		return false
	}
	n, _ := strconv.Atoi(m[2])
	for _, span := range strings.Fields(attackRows[m[1]]) {
		first, last, isSpan := strings.Cut(span, "-")
		from, _ := strconv.Atoi(first)
		to := from
		if isSpan {
			to, _ = strconv.Atoi(last)
		}
		if from <= n && n <= to {
			return true
		}
	}
	return false
}

func attackPrefix(prefix string) bool {
	for _, a := range attacks {
		if a.prefix == prefix {
			return true
		}
	}
	return false
}

// unexplained lists rows of current groups with neither a test nor a reason.
func unexplained(p proofs, n notes) []string {
	var open []string
	for _, g := range groups {
		if !g.current {
			continue
		}
		for i := 1; i <= g.rows; i++ {
			id := rowName(g.prefix, "-", i)
			if len(p.spec[id]) == 0 && n.rows[id] == "" {
				open = append(open, id)
			}
		}
	}
	return open
}
