package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// keyList is the answer of a key command as JSON.
func keyList(t *testing.T, args ...string) map[string][]string {
	t.Helper()
	code, out, errs := command(t, append(args, "--json")...)
	var list []keyLine
	if code != 0 || json.Unmarshal([]byte(out), &list) != nil {
		t.Fatalf("%v: %d %s %s", args, code, out, errs)
	}
	by := map[string][]string{}
	for _, k := range list {
		by[k.State] = append(by[k.State], k.ID)
	}
	return by
}

// publishedKeys are the kids of the key set.
func publishedKeys(t *testing.T, address string) []string {
	t.Helper()
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Get(address + "/jwks.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var set struct {
		Keys []struct{ Kid string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	var kids []string
	for _, k := range set.Keys {
		kids = append(kids, k.Kid)
	}
	return kids
}

// What docs/operations.md says about keys, on a running sandbox and then without one.
func TestKeyCommands(t *testing.T) {
	dir := t.TempDir()
	kek := filepath.Join(dir, "key-encrypting.key")
	ctx, stop := context.WithCancel(t.Context())
	address, ended := devUntil(ctx, t, dir)
	first := keyList(t, "key", "list", "--data", dir)
	if len(first["signing"]) != 3 || len(first) != 1 {
		t.Errorf("keys at the start: %v", first)
	}
	rotated := keyList(t, "key", "rotate", "--data", dir)
	if again := keyList(t, "key", "rotate", "--data", dir); len(rotated["published"]) != 3 || !slices.Equal(rotated["published"], again["published"]) ||
		!slices.Equal(rotated["signing"], first["signing"]) {
		t.Errorf("rotated %v, again %v", rotated, again)
	}
	if got := publishedKeys(t, address); len(got) != 6 {
		t.Errorf("published: %v", got)
	}
	replaced := keyList(t, "key", "rotate", "--now", "--data", dir)
	if got := publishedKeys(t, address); !slices.Equal(got, replaced["signing"]) || len(replaced) != 1 || slices.Contains(got, rotated["published"][0]) {
		t.Errorf("after a theft: %v, published %v", replaced, got)
	}
	before, err := os.ReadFile(kek)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := command(t, "key", "reseal", "--data", dir)
	if code != 0 || !strings.Contains(out, "SIGNS FROM") || !strings.Contains(out, replaced["signing"][0]) {
		t.Errorf("reseal: %d %s %s", code, out, errs)
	}
	after, err := os.ReadFile(kek)
	if err != nil || string(after) == string(before) {
		t.Errorf("the key-encrypting key is the old one: %v", err)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("dev ended with %d", code)
	}
	if got := keyList(t, "key", "list", "--data", dir); !slices.Equal(got["signing"], replaced["signing"]) {
		t.Errorf("without a server: %v", got)
	}
	if err := os.WriteFile(kek, before, 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs = command(t, "dev", "--listen", "127.0.0.1:0", "--data", dir, "--quiet")
	if code == 0 || !strings.Contains(errs, "cannot be opened with this key-encrypting key") {
		t.Errorf("with the old key: %d %s", code, errs)
	}
}

// A rhythm that would lose tokens, or nobody could follow, is refused with its name.
func TestTheRhythmOfKeysIsChecked(t *testing.T) {
	for _, row := range []struct{ keys, key string }{
		{"{ rotate_every: 1h }", "keys.rotate_every"}, {"{ publish_ahead: 1m }", "keys.publish_ahead"},
		{"{ rotate_every: 48h, publish_ahead: 25h }", "keys.publish_ahead"}, {"{ rotate: 48h }", "rotate"},
	} {
		config := file(t, "emberlatch.yaml", "public_url: http://localhost:1\nlisten: { public: \"127.0.0.1:0\" }\nkeys: "+row.keys+"\n")
		if code, _, errs := command(t, "key", "list", "--config", config); code == 0 || !strings.Contains(errs, row.key) {
			t.Errorf("%s: %d %s", row.keys, code, errs)
		}
	}
}
