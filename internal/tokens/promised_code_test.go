package tokens_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/internal/store"
)

// promised draws a grant as it may be promised.
func promised(t *rapid.T) store.PromisedGrant {
	text := rapid.String()
	id := func(name string) string { return text.Draw(t, name) }
	moment := func(name string) time.Time {
		return time.UnixMilli(rapid.Int64Range(1, 1<<45).Draw(t, name)).UTC()
	}
	hash := func(name string) []byte { return rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name) }
	return store.PromisedGrant{
		Grant: store.Grant{
			ID: store.GrantID(id("id")), ClientID: store.ClientID(id("client")), UserID: store.UserID(id("user")), Username: id("username"),
			FHIRUser: id("fhirUser"), Patient: id("patient"), Encounter: id("encounter"), LaunchContext: id("context"),
			Scopes: rapid.SliceOfN(text, 1, 5).Draw(t, "scopes"), Audience: id("aud"), Nonce: id("nonce"), AuthTime: moment("auth_time"),
			AMR: rapid.SliceOfN(text, 1, 3).Draw(t, "amr"), KeyThumbprint: id("key"), SessionHash: hash("online"),
			Refresh: store.RefreshPolicy{
				Kind: store.RefreshKind(id("kind")), Idle: time.Duration(rapid.Int64().Draw(t, "idle")),
				Absolute: time.Duration(rapid.Int64().Draw(t, "absolute")), Rotate: rapid.Bool().Draw(t, "rotate"),
			},
		},
		RedirectURI: id("redirect"), CodeChallenge: id("challenge"), ExpiresAt: moment("expires"), ClientVersion: rapid.Int64().Draw(t, "version"),
		SessionHash: hash("session"), ToldOfSession: rapid.Bool().Draw(t, "told"), ApprovalPatient: id("approved"), ApprovedAt: moment("decided"),
	}
}

// A code carries every field of its grant, and is short enough or is none.
//
// spec: AUTHZ-22, AUTHZ-26
func TestAPromisedCodeCarriesItsGrant(t *testing.T) {
	w := newWorld(t)
	rapid.Check(t, func(t *rapid.T) {
		p := promised(t)
		code := w.PromisedCode(p)
		if code == "" {
			return
		}
		got, ours := w.ParsePromisedCode(code)
		if !ours || len(code) > 2048 {
			t.Fatalf("%d characters, ours: %t", len(code), ours)
		}
		if diff := cmp.Diff(p, got); diff != "" {
			t.Fatalf("-want +got\n%s", diff)
		}
	})
	usual := usualPromise()
	if code := w.PromisedCode(usual); code == "" || len(code) > 1024 {
		t.Errorf("a usual one has %d characters", len(code))
	}
	usual.Grant.Scopes = strings.Fields(strings.Repeat("patient/Observation.rs ", 200))
	if code := w.PromisedCode(usual); code != "" {
		t.Errorf("a long one has %d characters", len(code))
	}
	usual.Grant.Scopes = []string{strings.Repeat("x", 1<<16)}
	if code := w.PromisedCode(usual); code != "" {
		t.Errorf("a very long one has %d characters", len(code))
	}
}

func usualPromise() store.PromisedGrant {
	return store.PromisedGrant{
		Grant: store.Grant{
			ID: "AAECAwQFBgcICQoLDA0ODw", ClientID: "app", UserID: "u", Patient: "p", FHIRUser: "Patient/p", Username: "maria",
			Scopes: strings.Fields("openid fhirUser launch/patient patient/*.rs offline_access"), Audience: fhirBase, Nonce: "n",
			AuthTime: start, AMR: []string{"pwd"}, Refresh: store.RefreshPolicy{Kind: store.RefreshOffline, Idle: time.Hour, Rotate: true},
		},
		RedirectURI: "https://app.example.org/callback", CodeChallenge: strings.Repeat("c", 43), ExpiresAt: start, ClientVersion: 3,
		SessionHash: make([]byte, 32), ToldOfSession: true, ApprovalPatient: "p", ApprovedAt: start,
	}
}

// No two codes are the same, nothing of a grant can be read in one, and none survives a
// change of any of its characters.
//
// spec: AUTHZ-22
// attack: TK-12
func TestAPromisedCodeIsSealed(t *testing.T) {
	w := newWorld(t)
	p, seen := usualPromise(), map[string]bool{}
	for range 10000 {
		seen[w.PromisedCode(p)] = true
	}
	if len(seen) != 10000 {
		t.Errorf("%d different codes of 10,000", len(seen))
	}
	code := w.PromisedCode(p)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(code, "ac_"))
	must(t, err)
	for _, word := range []string{"maria", "app.example.org", "patient", string(p.Grant.ID)} {
		if strings.Contains(string(raw), word) || strings.Contains(code, word) {
			t.Errorf("%q can be read", word)
		}
	}
	for i := range code {
		other := byte('A')
		if code[i] == other {
			other = 'B'
		}
		if _, ours := w.ParsePromisedCode(code[:i] + string(other) + code[i+1:]); ours {
			t.Errorf("changed at %d it is still ours", i)
		}
	}
	for _, text := range []string{"", "ac_", code[3:], code + "A", code[:len(code)-1], code + "\n", code[:40] + "\n" + code[40:], " " + code, "ac_" + strings.Repeat("A", 43), "ac_" + strings.Repeat("A", 5000)} {
		if _, ours := w.ParsePromisedCode(text); ours {
			t.Errorf("%.60q is ours", text)
		}
	}
}

// After a theft of keys no code of before is good.
//
// spec: OIDC-04, F-71
func TestAPromisedCodeEndsWithTheKeys(t *testing.T) {
	w := newWorld(t)
	code := w.PromisedCode(usualPromise())
	must(t, w.ring.Rotate(ctx))
	if _, ours := w.ParsePromisedCode(code); !ours {
		t.Error("a rotation by schedule has ended it")
	}
	must(t, w.ring.Replace(ctx))
	if _, ours := w.ParsePromisedCode(code); ours {
		t.Error("it outlives the key")
	}
	if _, ours := w.ParsePromisedCode(w.PromisedCode(usualPromise())); !ours {
		t.Error("no code is good any more")
	}
}

func FuzzParsePromisedCode(f *testing.F) {
	w := newWorld(f)
	f.Add(w.PromisedCode(usualPromise()))
	f.Add("ac_" + strings.Repeat("A", 60))
	f.Fuzz(func(t *testing.T, text string) {
		if p, ours := w.ParsePromisedCode(text); ours && w.PromisedCode(p) == "" {
			t.Errorf("%q", text)
		}
	})
}
