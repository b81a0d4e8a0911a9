package clientauth

import "crypto"

// Counted is how many counters are kept.
func Counted(l *Limited) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.counts)
}

// CountSignatures counts what is verified from now on.
func CountSignatures(a *Authenticator) *int {
	n, check := new(int), a.check
	a.check = func(s assertion, key crypto.PublicKey) error {
		*n++
		return check(s, key)
	}
	return n
}
