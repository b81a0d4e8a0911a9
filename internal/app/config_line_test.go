package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
)

// What is wrong in a configuration is told with the line where it stands.
//
// attack: E-43, LO-09
func TestMistakesAreToldWithTheirLine(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open := write("open.secret", "s", 0o644)
	empty := write("empty.secret", "\n", 0o600)
	two := write("two.secret", "s3cr3t\nb\n", 0o600)
	good := write("good.secret", "s3cr3t-of-ours\n", 0o600)
	const head = "public_url: https://records.example.org\nlisten: { public: \"127.0.0.1:0\" }\ntls: { cert_file: a, key_file: b }\n"
	entry := func(lines ...string) string {
		return head + "introspection:\n  signed_answers: true\n  trusted_issuers:\n    - issuer: https://id.example.org\n      audience: https://id.example.org/fhir\n      " + strings.Join(lines, "\n      ") + "\n"
	}
	keys := "jwks_uri: https://id.example.org/jwks"
	asked := func(file string) string {
		return entry("introspection_endpoint: https://id.example.org/introspect", "client_id: us", "client_secret_file: "+file)
	}
	for _, row := range []struct{ name, text, want string }{
		{"good, by keys", entry(keys), ""}, {"good, by asking", asked(good), ""},
		{"an algorithm", entry(keys, "algorithms: [RS256, HS256]"), ":10: introspection.trusted_issuers[0].algorithms: "},
		{"what is not there", strings.Replace(entry(keys), "      audience: https://id.example.org/fhir\n", "", 1), ":7: introspection.trusted_issuers[0].audience: missing"},
		{"the second one", entry(keys, "opaque_tokens: false") + "    - issuer: https://id.example.org\n      audience: x\n      " + keys + "\n", ":11: introspection.trusted_issuers[1].issuer: "},
		{"this server", strings.Replace(entry(keys), "issuer: https://id.", "issuer: https://records.", 1), ":7: introspection.trusted_issuers[0].issuer: "},
		{"a key that nobody knows", entry(keys, "jwks_url: x"), "[10:7] unknown field \"jwks_url\""},
		{"a secret that is not there", asked(filepath.Join(dir, "none")), ":11: introspection.trusted_issuers[0].client_secret_file: " + filepath.Join(dir, "none") + " does not exist"},
		{"a secret that others read", asked(open), ":11: introspection.trusted_issuers[0].client_secret_file: " + open + " may be read by others"},
		{"no secret in the file", asked(empty), ":11: introspection.trusted_issuers[0].client_secret_file: "}, {"two lines", asked(two), ":11: "}, {"a folder", asked(dir), ":11: "},
		{"elsewhere", head + "tokens:\n  access: 20m\n  code: 11m\n", ":6: tokens.code: "}, {"in braces", strings.Replace(head, "https://records.example.org", "http://records.example.org", 1), ":1: public_url: "},
		{"nowhere", "listen: { public: \"127.0.0.1:0\" }\n", ": public_url: "},
	} {
		path := write("emberlatch.yaml", row.text, 0o600)
		_, err := app.LoadConfig(path)
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%s: %v", row.name, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), path)):
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the secret is told", row.name)
		}
	}
}
