package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Following goes on behind the place that was kept; without it everything comes again.
func followed(t *testing.T, dir string) {
	t.Helper()
	place := filepath.Join(t.TempDir(), "place")
	follow := func() string {
		t.Helper()
		code, out, errs := command(t, "audit", "follow", "--once", "--place", place, "--data", dir)
		if code != 0 {
			t.Fatalf("audit follow: %d %s", code, errs)
		}
		return out
	}
	if first := follow(); !strings.Contains(first, `"code":"client.added"`) || !strings.Contains(first, `"code":"audit.exported"`) {
		t.Errorf("the beginning: %s", first)
	}
	if code, _, errs := command(t, "audit", "export", "--until", "2020-01-01T00:00:00Z", "--data", dir); code != 0 {
		t.Fatal(errs)
	}
	if more := follow(); strings.Contains(more, `"code":"client.added"`) || !strings.Contains(more, `"code":"audit.exported"`) {
		t.Errorf("behind the place: %s", more)
	}
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	if again := follow(); !strings.Contains(again, `"code":"client.added"`) {
		t.Errorf("without a place: %s", again)
	}
	if err := os.WriteFile(place, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := command(t, "audit", "prune", "--before", "2999-01-01T00:00:00Z", "--data", dir); code != 0 || !strings.Contains(out, "removed") {
		t.Errorf("audit prune: %d %s %s", code, out, errs)
	}
	if code, _, errs := command(t, "audit", "follow", "--once", "--place", place, "--data", dir); code == 0 || !strings.Contains(errs, "cannot be delivered") {
		t.Errorf("a place that is gone: %d %s", code, errs)
	}
	if code, out, errs := command(t, "audit", "verify", "--data", dir); code != 0 || !strings.Contains(out, "pruned") {
		t.Errorf("audit verify after pruning: %d %s %s", code, out, errs)
	}
	if code, _, errs := command(t, "audit", "prune", "--before", "yesterday", "--data", dir); code == 0 || !strings.Contains(errs, "write a time") {
		t.Errorf("a bad time: %d %s", code, errs)
	}
	if err := os.WriteFile(place, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := command(t, "audit", "follow", "--once", "--place", place, "--data", dir); code == 0 || !strings.Contains(errs, "holds no place") {
		t.Errorf("a bad place: %d %s", code, errs)
	}
}
