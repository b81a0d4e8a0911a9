package tokens_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

func (w *world) logout(t *testing.T, client store.Client) string {
	t.Helper()
	text, err := w.MintLogout(client, "u1", "s1")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// spec: LOGOUT-10
func TestALogoutToken(t *testing.T) {
	w := newWorld(t)
	text := w.logout(t, store.Client{ID: "app"})
	header, c := claims(t, text, 0), claims(t, text, 1)
	if header["typ"] != "logout+jwt" || header["alg"] != "RS256" {
		t.Errorf("header %v", header)
	}
	for name, want := range map[string]any{"iss": issuer, "sub": "u1", "aud": "app", "sid": "s1", "iat": float64(start.Unix()), "exp": float64(start.Add(2 * time.Minute).Unix())} {
		if c[name] != want {
			t.Errorf("%s is %v, want %v", name, c[name], want)
		}
	}
	events, err := json.Marshal(c["events"])
	if err != nil || string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` {
		t.Errorf("events %s, %v", events, err)
	}
	id, _ := c["jti"].(string)
	if _, has := c["nonce"]; has || len(id) != 22 || len(c) != 8 {
		t.Errorf("claims %v", c)
	}
	if again := claims(t, w.logout(t, store.Client{ID: "app"}), 1); again["jti"] == id {
		t.Error("two tokens have one jti")
	}
	if header := claims(t, w.logout(t, store.Client{ID: "app", IDTokenAlg: "ES256"}), 0); header["alg"] != "ES256" {
		t.Errorf("signed otherwise than the ID tokens of the client: %v", header)
	}
}

// A logout token is no other token: no hint and no access token.
//
// spec: LOGOUT-10
// attack: JW-01
func TestALogoutTokenOpensNothing(t *testing.T) {
	w := newWorld(t)
	text := w.logout(t, store.Client{ID: "app"})
	if hint, ours := w.Hint(text); ours {
		t.Errorf("taken for an ID token: %v", hint)
	}
	if user, ours := w.HintedUser(text); ours {
		t.Errorf("names %s", user)
	}
	if _, err := w.Verify(t.Context(), text); err == nil {
		t.Error("taken for an access token")
	}
	if _, ok := w.ParseRefreshToken(text); ok {
		t.Error("taken for a refresh token")
	}
}

// The sid of the grant is that of the ID token.
//
// spec: LOGOUT-10
func TestAnIDTokenNamesItsSession(t *testing.T) {
	w, g := newWorld(t), grant()
	for _, sid := range []string{"s1", ""} {
		g.SID = sid
		text, err := w.MintID(g, store.Client{ID: "app"}, "access")
		if err != nil {
			t.Fatal(err)
		}
		got, has := claims(t, text, 1)["sid"]
		if has != (sid != "") || has && got != sid {
			t.Errorf("sid %v, want %q", got, sid)
		}
	}
}
