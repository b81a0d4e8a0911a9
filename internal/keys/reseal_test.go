package keys_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Another key-encrypting key opens the same keys and secrets, the old one nothing
// any more, and no token is lost.
func TestResealKeepsWhatIsSealed(t *testing.T) {
	r, m := ring(t)
	secret, err := r.Secret(ctx, "mac")
	must(t, err)
	tokens, published, sealed := signed(t, r), kids(t, r), slices.Clone(m.keys)
	old := kekCopy(t, m.kek)
	must(t, r.Reseal(ctx))
	for i, k := range m.keys {
		if bytes.Equal(k.Sealed, sealed[i].Sealed) {
			t.Errorf("%s is sealed as before", k.ID)
		}
	}
	if _, err := os.Stat(m.kek + ".next"); !os.IsNotExist(err) {
		t.Errorf("the next key still lies beside its place: %v", err)
	}
	if _, err := open(t, m, old); err == nil || !strings.Contains(err.Error(), "key-encrypting key") {
		t.Errorf("the old key still opens: %v", err)
	}
	again, err := open(t, m, m.kek)
	must(t, err)
	for _, ring := range []*keys.Ring{r, again} {
		if errs := accepted(ring, tokens); !good(errs) || !slices.Equal(kids(t, ring), published) {
			t.Errorf("tokens from before: %v", errs)
		}
		if got, err := ring.Secret(ctx, "mac"); err != nil || !bytes.Equal(got, secret) {
			t.Errorf("the secret is another one: %v", err)
		}
		must(t, ring.Rotate(ctx))
	}
}

func kekCopy(t *testing.T, path string) string {
	t.Helper()
	to := t.TempDir() + "/kek"
	copyFile(t, path, to)
	return to
}

// A running server has what it needs when its file is lost.
func TestResealAfterTheFileWasLost(t *testing.T) {
	r, m := ring(t)
	tokens := signed(t, r)
	must(t, os.Remove(m.kek))
	must(t, r.Reseal(ctx))
	again, err := open(t, m, m.kek)
	must(t, err)
	if errs := accepted(again, tokens); !good(errs) {
		t.Error(errs)
	}
}

// A process that dies at any point of the change leaves a state that opens.
func TestResealCutShort(t *testing.T) {
	r, m := ring(t)
	tokens := signed(t, r)
	before := &memory{kek: m.kek, keys: slices.Clone(m.keys), secrets: maps.Clone(m.secrets)}
	old := kekCopy(t, m.kek)
	must(t, r.Reseal(ctx))
	after := &memory{kek: m.kek, keys: m.keys, secrets: m.secrets}
	for name, at := range map[string]struct {
		database      *memory
		file, nextTo  string
		movesToItself bool
	}{
		"before the transaction": {before, old, m.kek, false},
		"before the move":        {after, old, m.kek, true},
		"after the move":         {after, m.kek, "", false},
	} {
		file := kekCopy(t, at.file)
		if at.nextTo != "" {
			copyFile(t, at.nextTo, file+".next")
		}
		database := &memory{keys: slices.Clone(at.database.keys), secrets: maps.Clone(at.database.secrets)}
		again, err := open(t, database, file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if errs := accepted(again, tokens); !good(errs) {
			t.Errorf("%s: %v", name, errs)
		}
		if _, err := os.Stat(file + ".next"); at.movesToItself != os.IsNotExist(err) && at.nextTo != "" {
			t.Errorf("%s: the next file: %v", name, err)
		}
		must(t, again.Reseal(ctx)) // and the change can be finished, or made again
	}
}

// Of several processes, one that was given the new key beforehand goes on with it.
// One that was not keeps what it has opened, seals nothing, and cannot follow the
// next keys: then it vouches for nothing.
func TestResealWithSeveralProcesses(t *testing.T) {
	r, m := ring(t)
	prepared, forgotten := kekCopy(t, m.kek), kekCopy(t, m.kek)
	one, err := open(t, m, prepared)
	must(t, err)
	two, err := open(t, m, forgotten)
	must(t, err)
	must(t, os.WriteFile(m.kek+".next", []byte(strings.Repeat("5a", 32)), 0o600))
	copyFile(t, m.kek+".next", prepared+".next")
	must(t, r.Reseal(ctx))
	must(t, one.Reload(ctx))
	must(t, two.Reload(ctx))
	must(t, two.Reload(ctx))
	if text, _ := os.ReadFile(prepared); string(text) != strings.Repeat("5a", 32) {
		t.Errorf("the prepared file did not move: %s", text)
	}
	if errs := accepted(two, signed(t, r)); !good(errs) {
		t.Errorf("what was opened before: %v", errs)
	}
	for name, change := range map[string]func() error{
		"rotate": func() error { return two.Rotate(ctx) }, "replace": func() error { return two.Replace(ctx) },
		"reseal": func() error { return two.Reseal(ctx) },
	} {
		if err := change(); err == nil {
			t.Errorf("%s by a process with the old key", name)
		}
	}
	if _, err := two.Keep(ctx); err == nil {
		t.Error("a process with the old key keeps the schedule")
	}
	must(t, one.Rotate(ctx))
	must(t, r.Reload(ctx))
	if err := two.Reload(ctx); err == nil {
		t.Error("keys that cannot be opened are no error")
	}
	copyFile(t, m.kek, forgotten) // the operator helps
	must(t, two.Reload(ctx))
	must(t, two.Rotate(ctx))
	if !slices.Equal(kids(t, two), kids(t, r)) {
		t.Error("the processes differ")
	}
}

// A change of the keys between what a process read and what it writes is not lost,
// and nothing is sealed under the old key afterwards.
func TestResealAgainstRotation(t *testing.T) {
	for range 5 {
		r, m := clocked(t)
		other, err := open(t, m, m.kek)
		must(t, err)
		done := make(chan error, 2)
		go func() { done <- r.Reseal(ctx) }()
		go func() { done <- other.Rotate(ctx) }()
		must(t, <-done)
		must(t, <-done)
		again, err := open(t, m, m.kek)
		must(t, err)
		if got := kids(t, again); len(got) != 6 {
			t.Fatalf("%d keys", len(got))
		}
	}
}

func TestANextKeyThatIsNone(t *testing.T) {
	r, m := ring(t)
	must(t, os.WriteFile(m.kek+".next", []byte("short"), 0o600))
	before := slices.Clone(m.keys)
	if err := r.Reseal(ctx); err == nil {
		t.Error("sealed under five letters")
	}
	if !slices.EqualFunc(before, m.keys, func(a, b store.SigningKey) bool { return bytes.Equal(a.Sealed, b.Sealed) }) {
		t.Error("the keys were changed")
	}
	if _, err := open(t, m, m.kek); err != nil {
		t.Errorf("a file beside the key keeps the server from starting: %v", err)
	}
}

// The answer of the database was lost, the change was not: whoever reads the keys
// next goes on with the new key.
func TestResealWithoutAnAnswer(t *testing.T) {
	r, m := ring(t)
	tokens := signed(t, r)
	m.lost = errors.New("the outcome is not known")
	if err := r.Reseal(ctx); !errors.Is(err, m.lost) {
		t.Fatal(err)
	}
	m.lost = nil
	must(t, r.Reload(ctx))
	if _, err := os.Stat(m.kek + ".next"); !os.IsNotExist(err) {
		t.Errorf("the next key still lies beside its place: %v", err)
	}
	must(t, r.Rotate(ctx))
	again, err := open(t, m, m.kek)
	must(t, err)
	if errs := accepted(again, tokens); !good(errs) {
		t.Error(errs)
	}
}
