package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Names of the clients that prove themselves by a key.
const (
	AsymmetricClient = "sandbox-asymmetric"
	BackendClient    = "sandbox-backend"
)

// ClientsWithKeys are the registered apps that prove themselves by a key: one that
// people use, and a backend service. The private keys come from a secret of this
// sandbox, so that they are the same at each start and known to nobody else.
func ClientsWithKeys(secret []byte, now time.Time) ([]Client, error) {
	asymmetric := store.Client{
		ID: AsymmetricClient, Name: "Care Planner", ApplicationType: store.ApplicationWeb, RedirectURIs: []string{"http://127.0.0.1:9003/callback"},
		Scope: standalone, GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
	}
	backend := store.Client{
		ID: BackendClient, Name: "Nightly Report", ApplicationType: store.ApplicationWeb, RedirectURIs: []string{},
		Scope: "system/*.rs", GrantTypes: []string{oauth.GrantClientCredentials}, Data: store.ClientData{All: true},
	}
	list := []Client{{Client: asymmetric, Kind: "asymmetric"}, {Client: backend, Kind: "backend"}}
	for i := range list {
		made := &list[i]
		private, err := deriveKey(secret, string(made.ID))
		if err != nil {
			return nil, err
		}
		made.AuthMethod, made.IDTokenAlg, made.CreatedAt, made.Trusted = store.AuthPrivateKeyJWT, "RS256", now, true
		if made.PrivateJWK, err = json.Marshal(private); err != nil {
			return nil, err
		}
		if made.JWKS, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{private.Public()}}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// deriveKey makes a key for ES384 of a secret and a name (RFC 5869). A text that is
// no scalar of the curve is passed over, which practically never happens.
func deriveKey(secret []byte, name string) (jose.JSONWebKey, error) {
	for n := range 100 {
		raw, err := hkdf.Key(sha256.New, secret, nil, "emberlatch sandbox client "+name+" "+strconv.Itoa(n), 48)
		if err != nil {
			return jose.JSONWebKey{}, err
		}
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), raw)
		if err != nil {
			continue
		}
		key := jose.JSONWebKey{Key: private, Algorithm: "ES384", Use: "sig"}
		thumbprint, err := key.Thumbprint(crypto.SHA256) // RFC 7638
		key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
		return key, err
	}
	return jose.JSONWebKey{}, fmt.Errorf("sandbox: no key for %s", name)
}
