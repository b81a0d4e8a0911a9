package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// rsaBits is the size of RS256 keys (CAUTH-28 asks at least this of others).
const rsaBits = 2048

// kidSize is the length of a kid.
const kidSize = 16

// key is one opened key.
type key struct {
	store.SigningKey
	private crypto.Signer
}

// generate makes a key and seals its private half.
func generate(use, algorithm string, b box) (store.SigningKey, error) {
	var (
		private crypto.Signer
		err     error
	)
	if algorithm == RS256 {
		private, err = rsa.GenerateKey(rand.Reader, rsaBits)
	} else {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		return store.SigningKey{}, err
	}
	id := strings.TrimPrefix(oauth.RandomToken(""), "-")[:kidSize]
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return store.SigningKey{}, err
	}
	sealed, err := b.seal(sealName(id, use, algorithm), der)
	if err != nil {
		return store.SigningKey{}, err
	}
	jwk, err := publicJWK(id, algorithm, private.Public())
	return store.SigningKey{ID: id, Algorithm: algorithm, Use: use, PublicJWK: jwk, Sealed: sealed}, err
}

func sealName(id, use, algorithm string) string { return "key " + id + " " + use + " " + algorithm }

// publicJWK is the public half with its name, for signatures only (RFC 7517 §4).
func publicJWK(id, algorithm string, public crypto.PublicKey) ([]byte, error) {
	jwk := map[string]string{"kid": id, "use": "sig", "alg": algorithm}
	b64 := base64.RawURLEncoding.EncodeToString
	switch p := public.(type) {
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", b64(p.N.Bytes()), b64(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := p.Bytes() // 0x04 ‖ X ‖ Y
		if err != nil {
			return nil, err
		}
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	default:
		return nil, errors.New("keys: unknown kind of key")
	}
	return json.Marshal(jwk)
}

// openKey opens one key and proves it.
func (b box) openKey(s store.SigningKey) (*key, error) {
	der, err := b.open(sealName(s.ID, s.Use, s.Algorithm), s.Sealed)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	k := &key{SigningKey: s}
	switch p := parsed.(type) {
	case *rsa.PrivateKey:
		k.private = p
	case *ecdsa.PrivateKey:
		k.private = p
	}
	if rsaKey, isRSA := parsed.(*rsa.PrivateKey); k.private == nil || isRSA != (s.Algorithm == RS256) || isRSA && rsaKey.N.BitLen() < rsaBits {
		return nil, fmt.Errorf("it is no %s key", s.Algorithm)
	}
	probe := []byte("self-test")
	signature, err := k.sign(probe)
	if err != nil {
		return nil, err
	}
	if !k.verify(probe, signature) {
		return nil, errors.New("its signatures do not verify")
	}
	return k, nil
}

// sign makes the JWS signature of a signing input (RFC 7518 §3.3, §3.4).
func (k *key) sign(input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			return nil, err
		}
		out := make([]byte, 64)
		r.FillBytes(out[:32])
		s.FillBytes(out[32:])
		return out, nil
	}
	return nil, errors.New("keys: unknown kind of key")
}

func (k *key) verify(input, signature []byte) bool {
	digest := sha256.Sum256(input)
	switch private := k.private.(type) {
	case *rsa.PrivateKey:
		return rsa.VerifyPKCS1v15(&private.PublicKey, crypto.SHA256, digest[:], signature) == nil
	case *ecdsa.PrivateKey:
		if len(signature) != 64 {
			return false
		}
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		return ecdsa.Verify(&private.PublicKey, digest[:], r, s)
	}
	return false
}
