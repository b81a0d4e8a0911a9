package live_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/store"
)

// spec: CORS-03, CORS-04, CORS-08
func TestOriginsOfClients(t *testing.T) {
	w := newWorld()
	w.clients = []store.Client{
		{
			ID: "browser", Origins: []string{"https://page.example"},
			RedirectURIs: []string{
				"https://app.example/cb?x=1", "https://ported.example:8443/cb", "https://default.example:443/cb",
				"http://plain.example:80/", "http://[::1]:4000/cb", "https://Upper.Example/cb",
				store.OutOfBand, "com.example.app:/cb", "https:///cb", "://", "javascript:alert(1)",
			},
		},
		{ID: "off", Disabled: true, Origins: []string{"https://off.example"}, RedirectURIs: []string{"https://off.example/cb"}},
	}
	f := facts(t, w)
	for origin, want := range map[string]bool{
		"https://page.example": true, "https://app.example": true, "https://ported.example:8443": true,
		"https://default.example": true, "http://plain.example": true, "http://[::1]:4000": true, "https://upper.example": true,
		"https://off.example": false, "http://app.example": false, "https://app.example:8443": false, "https://ported.example": false,
		"https://app.example.evil.example": false, "https://app.example/": false, "null": false, "": false, "https://": false,
		"com.example.app:": false, "https://default.example:443": false,
	} {
		if got := f.AllowsOrigin(origin); got != want {
			t.Errorf("%q: %v, want %v", origin, got, want)
		}
	}
}

func TestClientsAreReadAgainWhenTheyChange(t *testing.T) {
	w := newWorld()
	w.clients = []store.Client{{ID: "a", RedirectURIs: []string{"https://a.example/cb"}}}
	f := facts(t, w)
	w.do(func() {
		w.clients = []store.Client{{ID: "a", Disabled: true, RedirectURIs: []string{"https://a.example/cb"}}, {ID: "b"}}
	})
	if _, ok := f.Client("b"); ok || !f.AllowsOrigin("https://a.example") {
		t.Error("changed before the feed said so")
	}
	w.tell(1, store.ChangeClient, "a")
	must(t, f.Refresh(ctx))
	if c, ok := f.Client("a"); !ok || !c.Disabled {
		t.Errorf("a: %+v, %v; disabled clients are still known", c, ok)
	}
	if f.AllowsOrigin("https://a.example") {
		t.Error("the origin of a disabled client may call")
	}
	if diff := cmp.Diff(w.clients, f.Clients()); diff != "" {
		t.Error(diff)
	}
	if _, ok := f.Client("c"); ok {
		t.Error("a client that nobody registered")
	}
}
