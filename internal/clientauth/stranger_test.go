package clientauth_test

import (
	"testing"

	"github.com/emberlatch/emberlatch/internal/clientauth"
)

// Whoever makes up assertions does not learn by the work of the answer which clients
// there are: one that has nothing wrong by itself costs one signature with a key of
// its algorithm, whatever is registered.
//
// attack: CA-26
func TestWhatIsRefusedWithOneTextCostsOneSignature(t *testing.T) {
	k := newKeyed(t)
	checked := clientauth.CountSignatures(k.Authenticator)
	cost := func(name, text, extra string, good bool) {
		t.Helper()
		before := *checked
		if _, err := k.ask(text, extra); (err == nil) != good || *checked != before+1 {
			t.Errorf("%s: %d signatures, %v", name, *checked-before, err)
		}
	}
	for alg, key := range map[string]string{"RS384": "rsa", "PS384": "rsa", "ES384": "p384", "ES256": "p256"} {
		cost(alg, good(makes{alg: alg, key: key}).text(t), "", true)
		for _, client := range []string{"nobody", "off", "secret", "public", "evil"} {
			cost(alg+" of "+client, good(makes{alg: alg, key: key}, of(client)).text(t), "", false)
		}
	}
	for _, f := range faults(t) {
		if !f.told {
			cost(f.row, f.text, f.extra, false)
		}
	}
}

// A key that stands for none verifies nothing, whoever signed.
func TestNobodyHasTheKeysOfStrangers(t *testing.T) {
	k := newKeyed(t)
	for alg, key := range map[string]string{"RS384": "rsa-evil", "PS384": "rsa-evil", "ES384": "p384-evil"} {
		for _, client := range []string{"nobody", "jwt", "off"} {
			if _, err := k.ask(good(makes{alg: alg, key: key}, of(client)).text(t)); err == nil {
				t.Errorf("%s of %s", alg, client)
			}
		}
	}
}
