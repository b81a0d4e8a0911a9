package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/store"
)

func TestKeysAreMadeOnceAndOpenOnlyUnderTheirKEK(t *testing.T) {
	first, m := ring(t)
	second, err := open(t, m, m.kek)
	if err != nil {
		t.Fatal(err)
	}
	if m.created != 1 || !bytes.Equal(first.JWKS(), second.JWKS()) {
		t.Error("the second process has other keys")
	}
	other := kekFile(t, bytes.Repeat([]byte{8}, 32))
	if _, err := open(t, m, other); err == nil || !strings.Contains(err.Error(), "key-encrypting key") || m.created != 1 {
		t.Errorf("another KEK: %v, keys made %d times", err, m.created)
	}
	// kid and use are bound to the sealed key.
	for name, spoil := range map[string]func(k *store.SigningKey){
		"other use": func(k *store.SigningKey) { k.Use = keys.UseID },
		"other kid": func(k *store.SigningKey) { k.ID = "another" },
		"one bit": func(k *store.SigningKey) {
			k.Sealed = append(slices.Clone(k.Sealed[:20]), append([]byte{k.Sealed[20] ^ 1}, k.Sealed[21:]...)...)
		},
		"nothing":         func(k *store.SigningKey) { k.Sealed = nil },
		"other algorithm": func(k *store.SigningKey) { k.Algorithm = keys.RS256 },
	} {
		changed := &memory{keys: slices.Clone(m.keys)}
		spoil(&changed.keys[0])
		if _, err := open(t, changed, m.kek); err == nil || changed.created != 0 {
			t.Errorf("%s: %v, keys made %d times", name, err, changed.created)
		}
	}
	if _, err := open(t, &memory{keys: m.keys[1:]}, m.kek); err == nil {
		t.Error("a ring that signs no access tokens is accepted")
	}
	for _, k := range m.keys {
		if bytes.Contains(k.Sealed, []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}) {
			t.Error("a private key lies open in the database")
		}
	}
}

// spec: OIDC-03
// attack: JW-11
func TestPublishedKeysArePublic(t *testing.T) {
	r, _ := ring(t)
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(r.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"RSA": {"alg", "e", "kid", "kty", "n", "use"}, "EC": {"alg", "crv", "kid", "kty", "use", "x", "y"}}
	seen := map[string]bool{}
	for _, k := range set.Keys {
		var members []string
		for name := range k {
			members = append(members, name)
		}
		slices.Sort(members)
		if diff := cmp.Diff(want[k["kty"]], members); diff != "" {
			t.Errorf("%s key: %s", k["kty"], diff)
		}
		if seen[k["kid"]] || k["use"] != "sig" {
			t.Errorf("kid %q, use %q", k["kid"], k["use"])
		}
		seen[k["kid"]] = true
	}
	if len(set.Keys) != 3 {
		t.Errorf("%d keys", len(set.Keys))
	}
}

// spec: OIDC-02, AT-08
func TestSignaturesVerifyElsewhere(t *testing.T) {
	r, _ := ring(t)
	for _, way := range []struct{ use, algorithm string }{{keys.UseAccess, keys.ES256}, {keys.UseID, keys.RS256}, {keys.UseID, keys.ES256}} {
		text, err := r.Sign(way.use, way.algorithm, "t", []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(r.JWKS(), &set); err != nil {
			t.Fatal(err)
		}
		jws, err := jose.ParseSigned(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(way.algorithm)})
		if err != nil {
			t.Fatal(err)
		}
		found := set.Key(jws.Signatures[0].Header.KeyID)
		if len(found) != 1 {
			t.Fatalf("%d keys for one kid", len(found))
		}
		if payload, err := jws.Verify(found[0]); err != nil || string(payload) != `{"a":1}` {
			t.Errorf("%v: %s, %v", way, payload, err)
		}
	}
}

// spec: AT-05
// attack: JW-01
func TestForgedTokensAreRefused(t *testing.T) {
	r, _ := ring(t)
	good, err := r.Sign(keys.UseAccess, keys.ES256, "at+jwt", []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Verify(keys.UseAccess, "at+jwt", good); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	raw, _ := base64.RawURLEncoding.DecodeString(parts[0])
	header := func(old, replacement string) string {
		changed := strings.Replace(string(raw), old, replacement, 1)
		return base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[1] + "." + parts[2]
	}
	idToken, _ := r.Sign(keys.UseID, keys.ES256, "at+jwt", []byte(`{"a":1}`))
	forged := map[string]string{
		"alg none": header("ES256", "none"), "alg HS256": header("ES256", "HS256"), "alg RS256": header("ES256", "RS256"),
		"jku": header(`{"alg"`, `{"jku":"https://evil.test","alg"`), "jwk": header(`{"alg"`, `{"jwk":{},"alg"`),
		"x5u": header(`{"alg"`, `{"x5u":"https://evil.test","alg"`), "two algs": header(`{"alg"`, `{"alg":"none","alg"`),
		"crit": header(`{"alg"`, `{"crit":["b64"],"alg"`), "no kid": header(`"kid":"`, `"kid":"x`),
		"no signature": parts[0] + "." + parts[1] + ".", "two parts": parts[0] + "." + parts[1], "four parts": good + ".x",
		"padding": good + "=", "line feed": parts[0] + ".\n" + parts[1] + "." + parts[2],
		"payload":         parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"a":2}`)) + "." + parts[2],
		"JW-01 other use": idToken, "empty": "", "dots": "..", "too long": good + strings.Repeat("A", 9000),
	}
	for name, text := range forged {
		if _, _, err := r.Verify(keys.UseAccess, "at+jwt", text); !errors.Is(err, keys.ErrJWS) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := r.Verify(keys.UseAccess, "JWT", good); err == nil {
		t.Error("JW-01: another typ is accepted")
	}
	for n := range len(good) {
		if _, _, err := r.Verify(keys.UseAccess, "at+jwt", good[:n]); err == nil {
			t.Fatalf("the first %d characters are accepted", n)
		}
	}
}

func TestSecretsAreMadeOnce(t *testing.T) {
	r, m := ring(t)
	a, err1 := r.Secret(ctx, "a")
	again, err2 := r.Secret(ctx, "a")
	b, err3 := r.Secret(ctx, "b")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if len(a) != 32 || !bytes.Equal(a, again) || bytes.Equal(a, b) || bytes.Contains(m.secrets["a"].Sealed, a) {
		t.Error("a secret is not one sealed secret a name")
	}
	m.secrets["a"] = store.ServerSecret{Name: "a", Sealed: m.secrets["b"].Sealed}
	if _, err := r.Secret(ctx, "a"); err == nil {
		t.Error("the secret of another name is accepted")
	}
}

func TestTheFileOfTheKEK(t *testing.T) {
	_, m := ring(t)
	missing := filepath.Join(t.TempDir(), "kek")
	if _, err := open(t, m, missing); err == nil || !strings.Contains(err.Error(), "restore") {
		t.Errorf("a key that is missing where something is sealed: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a key was made that opens nothing")
	}
	text, err := os.ReadFile(m.kek)
	info, _ := os.Stat(m.kek)
	if err != nil || len(strings.TrimSpace(string(text))) != 64 || info.Mode().Perm() != 0o600 {
		t.Errorf("%d characters with mode %v: %v", len(text), info.Mode(), err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, text string
		mode       os.FileMode
		good       bool
	}{
		{"hex", hex.EncodeToString(raw), 0o600, true},
		{"base64", base64.StdEncoding.EncodeToString(raw) + "\n", 0o400, true},
		{"readable by others", hex.EncodeToString(raw), 0o644, false},
		{"short", hex.EncodeToString(raw[:16]), 0o600, false},
		{"empty", "", 0o600, false},
	} {
		path := filepath.Join(t.TempDir(), "kek")
		if err := os.WriteFile(path, []byte(test.text), test.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, m, path); (err == nil) != test.good {
			t.Errorf("%s: %v", test.name, err)
		}
		if after, _ := os.ReadFile(path); string(after) != test.text {
			t.Errorf("%s: the file was changed", test.name)
		}
	}
}
