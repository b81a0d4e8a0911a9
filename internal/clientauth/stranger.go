package clientauth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"

	"github.com/emberlatch/emberlatch/internal/clientkey"
)

// strangers are keys that nobody has, one for each algorithm. They stand in for the
// key that is missing when an assertion is refused before its signature is looked at,
// so that the refusal costs as much (CAUTH-08).
type strangers map[string]crypto.PublicKey

func newStrangers() (strangers, error) {
	s := strangers{}
	for algorithm, curve := range map[string]elliptic.Curve{clientkey.ES384: elliptic.P384(), clientkey.ES256: elliptic.P256()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("making a key of nobody: %w", err)
		}
		s[algorithm] = key.Public()
	}
	// A modulus is a number: to verify with it takes no more.
	raw := make([]byte, 2048/8)
	if _, err := rand.Read(raw); err != nil {
		return nil, err
	}
	raw[0], raw[len(raw)-1] = raw[0]|0xc0, raw[len(raw)-1]|1
	modulus := &rsa.PublicKey{N: new(big.Int).SetBytes(raw), E: 65537}
	s[clientkey.RS384], s[clientkey.PS384] = modulus, modulus
	return s, nil
}
