package trust_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/trust"
)

// What an operator lists is judged before anything starts.
//
// attack: E-43
func TestMistakesInAList(t *testing.T) {
	keys := trust.Issuer{Name: "https://id.example.org", Audience: audience, JWKSURI: "https://id.example.org/jwks"}
	asked := trust.Issuer{Name: "https://old.example.org", Audience: audience, Endpoint: "https://old.example.org/introspect", ClientID: "us", ClientSecret: "s", Opaque: true}
	for _, row := range []struct {
		name   string
		change func(keys, asked *trust.Issuer)
		want   string // entry, member; empty: good
	}{
		{"as it should be", func(_, _ *trust.Issuer) {}, ""},
		{"all algorithms", func(k, _ *trust.Issuer) {
			k.Algorithms = []string{"RS256", "ES256", "PS256", "RS384", "ES384", "PS384"}
		}, ""},
		{"no name", func(k, _ *trust.Issuer) { k.Name = "" }, "0 issuer"}, {"no URL", func(k, _ *trust.Issuer) { k.Name = "partner" }, "0 issuer"},
		{"http", func(k, _ *trust.Issuer) { k.Name = "http://id.example.org" }, "0 issuer"}, {"a query", func(k, _ *trust.Issuer) { k.Name += "?a" }, "0 issuer"}, {"a fragment", func(k, _ *trust.Issuer) { k.Name += "#" }, "0 issuer"}, {"a password", func(k, _ *trust.Issuer) { k.Name = "https://a:b@id.example.org" }, "0 issuer"},
		{"this server", func(k, _ *trust.Issuer) { k.Name = own + "/" }, "0 issuer"}, {"twice", func(k, a *trust.Issuer) { a.Name = k.Name }, "1 issuer"},
		{"no audience", func(k, _ *trust.Issuer) { k.Audience = "" }, "0 audience"},
		{"no way", func(k, _ *trust.Issuer) { k.JWKSURI = "" }, "0 issuer"}, {"both ways", func(k, _ *trust.Issuer) { k.Endpoint = k.JWKSURI }, "0 issuer"},
		{"keys by http", func(k, _ *trust.Issuer) { k.JWKSURI = "http://id.example.org/jwks" }, "0 jwks_uri"}, {"keys on loopback", func(k, _ *trust.Issuer) { k.JWKSURI = "https://127.0.0.1/jwks" }, "0 jwks_uri"}, {"keys inside", func(k, _ *trust.Issuer) { k.JWKSURI = "https://10.0.0.1/jwks" }, "0 jwks_uri"},
		{"HS256", func(k, _ *trust.Issuer) { k.Algorithms = []string{"ES256", "HS256"} }, "0 algorithms"}, {"none", func(k, _ *trust.Issuer) { k.Algorithms = []string{"none"} }, "0 algorithms"},
		{"a secret beside keys", func(k, _ *trust.Issuer) { k.ClientSecret = "s" }, "0 client_id"}, {"opaque by keys", func(k, a *trust.Issuer) { k.Opaque, a.Opaque = true, false }, "0 opaque_tokens"},
		{"no client", func(_, a *trust.Issuer) { a.ClientID = "" }, "1 client_id"}, {"no secret", func(_, a *trust.Issuer) { a.ClientSecret = "" }, "1 client_secret_file"}, {"algorithms of answers", func(_, a *trust.Issuer) { a.Algorithms = []string{"ES256"} }, "1 algorithms"},
		{"an endpoint on a strange port", func(_, a *trust.Issuer) { a.Endpoint = "https://old.example.org:22/" }, "1 introspection_endpoint"},
	} {
		k, a := keys, asked
		row.change(&k, &a)
		var got []string
		for _, m := range trust.Check([]trust.Issuer{k, a}, own, egress.Policy{}) {
			got = append(got, string(rune('0'+m.Entry))+" "+m.Member)
			if m.Text == "" {
				t.Errorf("%s: nothing is said", row.name)
			}
		}
		if strings.Join(got, ", ") != row.want {
			t.Errorf("%s: %v, want %q", row.name, got, row.want)
		}
	}
	two := asked
	two.Name = "https://two.example.org"
	if got := trust.Check([]trust.Issuer{asked, two}, own, egress.Policy{}); len(got) != 1 || got[0].Member != "opaque_tokens" {
		t.Errorf("two for opaque tokens: %v", got)
	}
	deps := trust.Deps{Issuers: []trust.Issuer{{Name: own}}, Own: own, Client: egress.New(egress.Deps{}), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if _, err := trust.New(deps); err == nil {
		t.Error("a list with a mistake was taken")
	}
	if _, err := trust.New(trust.Deps{}); err == nil {
		t.Error("made without its parts")
	}
}

// An operator sees whether a listed server can be asked, and one that says yes to
// everything.
func TestExplain(t *testing.T) {
	good, away, liar, refuses := newPartner(t), newPartner(t), newPartner(t), newPartner(t)
	away.keys = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	refuses.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }
	honest := newPartner(t)
	honest.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("token") == "" {
			t.Error("asked about nothing")
		}
		say(w, `{"active":false}`)
	}
	all := list(t, []*partner{good, away, liar, refuses, honest}, good.byKeys(), away.byKeys(), liar.byEndpoint(), refuses.byEndpoint(), honest.byEndpoint()).Explain(t.Context(), true)
	for n, want := range []string{"", "status 404", "active", "status 401", ""} {
		if got := all[n].Problem; want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
	if all[0].Keys.Usable() != 1 || all[0].Source != good.server.URL+"/jwks" || all[4].Source != honest.server.URL+"/introspect" {
		t.Errorf("%+v", all)
	}
}
