package introspect_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/introspect"
	"github.com/emberlatch/emberlatch/internal/store"
)

// grants knows those whose id begins with "g", and counts who asks.
type grants struct {
	reads  int
	failed error
}

func (g *grants) Grant(_ context.Context, id store.GrantID) (store.Grant, error) {
	g.reads++
	switch {
	case g.failed != nil:
		return store.Grant{}, g.failed
	case !strings.HasPrefix(string(id), "g"):
		return store.Grant{}, store.ErrNotFound
	case id == "g-broken":
		return store.Grant{ID: id, LaunchContext: "{"}, nil
	case id == "g-empty":
		return store.Grant{ID: id}, nil
	}
	return store.Grant{ID: id, LaunchContext: fmt.Sprintf(`{"intent":"%s"}`, id)}, nil
}

// What a grant says is read once, and never taken for what another says; what could not
// be read is asked for again.
//
// spec: INTRO-09
func TestContextsAreReadOnce(t *testing.T) {
	g := &grants{}
	of := introspect.Contexts(g)
	for _, id := range []store.GrantID{"g-a", "g-b", "g-a", "g-b", "g-empty", "g-empty"} {
		want := string(id)
		if id == "g-empty" {
			want = ""
		}
		if c, err := of(t.Context(), id); err != nil || c.Intent != want {
			t.Errorf("%s: %q %v", id, c.Intent, err)
		}
	}
	if g.reads != 3 {
		t.Errorf("%d reads, want 3", g.reads)
	}
	for _, id := range []store.GrantID{"none", "none"} {
		if c, err := of(t.Context(), id); err != nil || c.Intent != "" {
			t.Errorf("%s: %q %v", id, c.Intent, err)
		}
	}
	if _, err := of(t.Context(), "g-broken"); err == nil {
		t.Error("a broken one was read")
	}
	g.failed = errors.New("away")
	if _, err := of(t.Context(), "g-c"); !errors.Is(err, g.failed) {
		t.Errorf("%v", err)
	}
	g.failed = nil
	if c, err := of(t.Context(), "g-c"); err != nil || c.Intent != "g-c" {
		t.Errorf("%q %v", c.Intent, err)
	}
	if g.reads != 8 {
		t.Errorf("%d reads, want 8", g.reads)
	}
}

// However many are asked about, what is remembered is bounded, and right.
func TestContextsAreBounded(t *testing.T) {
	g := &grants{}
	of := introspect.Contexts(g)
	for i := range introspect.MaxContexts + 1 {
		if _, err := of(t.Context(), store.GrantID(fmt.Sprint("g", i))); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := of(t.Context(), "g0"); err != nil || c.Intent != "g0" || g.reads != introspect.MaxContexts+2 {
		t.Errorf("%q %v after %d reads: it was to be forgotten", c.Intent, err, g.reads)
	}
}
