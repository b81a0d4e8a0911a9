package sandbox_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/sandbox"
	"github.com/emberlatch/emberlatch/internal/store"
)

func withKeys(t *testing.T, secret string) []sandbox.Client {
	t.Helper()
	clients, err := sandbox.ClientsWithKeys([]byte(secret), today)
	if err != nil {
		t.Fatal(err)
	}
	return clients
}

// spec: CAUTH-22
func TestClientsWithKeys(t *testing.T) {
	clients := withKeys(t, strings.Repeat("s", 32))
	for i, kind := range []string{"asymmetric", "backend"} {
		c := clients[i]
		if c.Kind != kind || c.AuthMethod != store.AuthPrivateKeyJWT || c.Secret != "" || len(c.Secrets) > 0 || c.PKCEOptional {
			t.Errorf("%s is %s by %s", c.ID, c.Kind, c.AuthMethod)
		}
		if err := clientkey.Check(c.JWKS); err != nil {
			t.Errorf("%s: registration would refuse %v", c.ID, err)
		}
		var private jose.JSONWebKey
		if err := json.Unmarshal(c.PrivateJWK, &private); err != nil || private.IsPublic() || private.Algorithm != "ES384" || private.KeyID == "" {
			t.Fatalf("%s: %s, %v", c.ID, c.PrivateJWK, err)
		}
		var public struct{ Keys []json.RawMessage }
		if err := json.Unmarshal(c.JWKS, &public); err != nil || len(public.Keys) != 1 {
			t.Fatalf("%s: %s, %v", c.ID, c.JWKS, err)
		}
		if own, _ := private.Public().MarshalJSON(); !bytes.Equal(own, public.Keys[0]) {
			t.Errorf("%s: the registered key is another one", c.ID)
		}
		if backend := kind == "backend"; backend != c.HasGrantType(oauth.GrantClientCredentials) || backend != c.Data.All || backend != (len(c.RedirectURIs) == 0) ||
			backend != strings.HasPrefix(c.Scope, "system/") {
			t.Errorf("%s: %v, %q, %v", c.ID, c.GrantTypes, c.Scope, c.RedirectURIs)
		}
	}
	again, other := withKeys(t, strings.Repeat("s", 32)), withKeys(t, strings.Repeat("t", 32))
	if !bytes.Equal(clients[0].PrivateJWK, again[0].PrivateJWK) || bytes.Equal(clients[0].PrivateJWK, other[0].PrivateJWK) || bytes.Equal(clients[0].PrivateJWK, clients[1].PrivateJWK) {
		t.Error("keys are not each sandbox's and each client's own, or change from start to start")
	}
}

// Scripts find the private key in sandbox.json, which nobody else may read.
func TestPrivateKeysInTheFile(t *testing.T) {
	dir, clients := t.TempDir(), withKeys(t, strings.Repeat("s", 32))
	if err := sandbox.WriteJSON(dir, "http://localhost:1", "http://localhost:1/fhir", "", sandbox.Data{}, clients); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sandbox.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Clients []struct {
			ID           string           `json:"client_id"`
			Kind         string           `json:"kind"`
			RedirectURIs []string         `json:"redirect_uris"`
			PrivateJWK   *jose.JSONWebKey `json:"private_jwk"`
		} `json:"clients"`
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	for i, c := range f.Clients {
		if c.PrivateJWK == nil || c.PrivateJWK.IsPublic() || c.RedirectURIs == nil || c.Kind != clients[i].Kind {
			t.Errorf("%+v", c)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
