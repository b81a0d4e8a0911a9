package register_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/register"
)

const trust = "https://trust.example.org"

func statementKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issuerKeys(t testing.TB, keys ...jose.JSONWebKey) []byte {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// trusting is a registrar that trusts one issuer with one key.
func trusting(t testing.TB, key *ecdsa.PrivateKey) *register.Registrar {
	t.Helper()
	issuer, err := register.NewStatementIssuer(trust, issuerKeys(t, jose.JSONWebKey{Key: key.Public(), KeyID: "k1"}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.New(register.Deps{
		Now: func() time.Time { return now }, Self: register.Policy{Scope: ceiling, Statements: []register.StatementIssuer{issuer}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func statement(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, &jose.SignerOptions{ExtraHeaders: header})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What a trusted party says takes the place of what the client says, and no more
// than the policy allows comes of it.
//
// spec: REG-12, REG-14
func TestSoftwareStatements(t *testing.T) {
	key, other := statementKey(t), statementKey(t)
	r := trusting(t, key)
	kid := map[jose.HeaderKey]any{"kid": "k1"}
	good := statement(t, jose.ES256, key, kid, `{"iss":"`+trust+`","iat":1,"client_name":"Real Name","software_id":"s1","redirect_uris":["https://real.example.org/cb"],"client_id":"chosen"}`)
	c, _, err := r.RegisterSelf([]byte(`{"client_name":"Other Name","redirect_uris":["https://other.example.org/cb"],"contacts":["a@example.org"],"software_statement":"` + good + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "Real Name" || c.SoftwareID != "s1" || fmt.Sprint(c.RedirectURIs) != "[https://real.example.org/cb]" || len(c.Contacts) != 1 || c.ID == "chosen" || c.Checked {
		t.Errorf("%+v", c)
	}
	body, err := register.Describe(c, register.Once{})
	if err != nil || !strings.Contains(string(body), `"software_statement":"`+good+`"`) {
		t.Errorf("RFC 7591 §3.2.1: it is not returned as it came: %s, %v", body, err)
	}
	again, changed, err := r.ReplaceSelf(c, []byte(`{"client_id":"`+string(c.ID)+`","client_name":"Third","contacts":["a@example.org"],"software_statement":"`+good+`"}`))
	if err != nil || len(changed) != 0 || again.Name != "Real Name" {
		t.Errorf("changed %v, %v", changed, err)
	}
	if without, changed, err := r.ReplaceSelf(c, []byte(`{"client_id":"`+string(c.ID)+`",`+redirects+`}`)); err != nil || without.SoftwareStatement != "" || !strings.Contains(fmt.Sprint(changed), "software_statement") {
		t.Errorf("without it: %v, %v", changed, err)
	}

	claims := `{"iss":"` + trust + `","client_name":"x"}`
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: other.Public(), KeyID: "k1"})
	if err != nil {
		t.Fatal(err)
	}
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	const invalid, unapproved, metadata = oauth.InvalidSoftwareStatement, oauth.UnapprovedSoftwareStatement, oauth.InvalidClientMetadata
	for _, row := range []struct {
		name, text string
		want       oauth.Code
	}{
		{"no JWT", "x", invalid}, {"empty", "", invalid}, {"long", strings.Repeat("a", 9000), invalid},
		{"unsigned", part(`{"alg":"none","kid":"k1"}`) + "." + part(claims) + ".", invalid},
		{"by a shared secret", statement(t, jose.HS256, []byte(strings.Repeat("k", 32)), kid, claims), invalid},
		{"by a stranger", statement(t, jose.ES256, other, kid, claims), invalid},
		{"by another kind of key", statement(t, jose.RS256, rs, kid, claims), invalid},
		{"without kid", statement(t, jose.ES256, key, nil, claims), invalid},
		{"another kid", statement(t, jose.ES256, key, map[jose.HeaderKey]any{"kid": "k2"}, claims), invalid},
		{"brings its key", statement(t, jose.ES256, other, map[jose.HeaderKey]any{"kid": "k1", "jwk": json.RawMessage(public)}, claims), invalid},
		{"points to its key", statement(t, jose.ES256, key, map[jose.HeaderKey]any{"kid": "k1", "jku": "https://evil.test/keys"}, claims), invalid},
		{"altered", good[:len(good)-4] + "AAAA", invalid},
		{"claims twice", statement(t, jose.ES256, key, kid, `{"iss":"`+trust+`","iss":"`+trust+`"}`), invalid},
		{"no issuer", statement(t, jose.ES256, key, kid, `{"client_name":"x"}`), invalid},
		{"expired", statement(t, jose.ES256, key, kid, fmt.Sprintf(`{"iss":%q,"exp":%d}`, trust, now.Unix())), invalid},
		{"not yet", statement(t, jose.ES256, key, kid, fmt.Sprintf(`{"iss":%q,"nbf":%d}`, trust, now.Unix()+120)), invalid},
		{"another issuer", statement(t, jose.ES256, key, kid, `{"iss":"`+trust+`/"}`), unapproved},
		{"beyond the policy", statement(t, jose.ES256, key, kid, `{"iss":"`+trust+`","scope":"system/*.rs"}`), metadata},
		{"an operator's switch", statement(t, jose.ES256, key, kid, `{"iss":"`+trust+`","emberlatch_checked":true}`), metadata},
		{"a bad redirect", statement(t, jose.ES256, key, kid, `{"iss":"`+trust+`","redirect_uris":["javascript:x"]}`), oauth.InvalidRedirectURI},
	} {
		_, _, err := r.RegisterSelf([]byte(`{` + redirects + `,"software_statement":"` + row.text + `"}`))
		if err == nil {
			t.Errorf("%s: registered", row.name)
		} else if refused := refusal(t, err); refused.Code != row.want {
			t.Errorf("%s: %v", row.name, refused)
		}
	}
	// Where nobody is trusted it counts for nothing (RFC 7591 §2.3).
	c, _, err = strict(t).RegisterSelf([]byte(`{` + redirects + `,"client_name":"Own","software_statement":"` + good + `"}`))
	if err != nil || c.Name != "Own" || c.SoftwareStatement != "" {
		t.Errorf("ignored: %+v, %v", c, err)
	}
}

func TestKeysOfStatementIssuers(t *testing.T) {
	key := statementKey(t)
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "k"}
	for name, row := range map[string]struct {
		issuer string
		keys   []byte
	}{
		"no issuer": {"", issuerKeys(t, public)}, "no key": {trust, issuerKeys(t)}, "no JSON": {trust, []byte("x")},
		"private": {trust, issuerKeys(t, jose.JSONWebKey{Key: key, KeyID: "k"})}, "shared": {trust, issuerKeys(t, jose.JSONWebKey{Key: []byte("secret"), KeyID: "k"})},
		"weak": {trust, issuerKeys(t, jose.JSONWebKey{Key: weak, KeyID: "k"})}, "no kid": {trust, issuerKeys(t, jose.JSONWebKey{Key: key.Public()})},
		"one kid twice": {trust, issuerKeys(t, public, public)},
	} {
		if _, err := register.NewStatementIssuer(row.issuer, row.keys); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
