package tokens_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/store"
)

// twisted are texts near to a token that are not it.
func twisted(text string) []string {
	list := []string{text + "A", text + "=", text + ".", " " + text, text + "\n", strings.ToUpper(text), strings.ToLower(text)}
	for i := range len(text) {
		list = append(list, text[:i], text[i+1:])
	}
	for i, c := range text { // the case of one letter, and the other alphabet of base64
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			list = append(list, text[:i]+string(c^0x20)+text[i+1:])
		case c == '-':
			list = append(list, text[:i]+"+"+text[i+1:])
		case c == '_':
			list = append(list, text[:i]+"/"+text[i+1:])
		}
	}
	return list
}

// Nothing but the whole text of a token is the token, warm or cold.
//
// attack: JW-06
func TestOnlyTheWholeTextIsAToken(t *testing.T) {
	w, g, ctx := newWorld(t), grant(), context.Background()
	refresh, access := w.RefreshToken(refreshName(g, 3)), w.mint(t, g).Text
	for range 2 { // the second time the good one is remembered
		for _, text := range twisted(refresh) {
			if _, ok := w.ParseRefreshToken(text); ok && text != refresh {
				t.Errorf("refresh token %q is read", text)
			}
		}
		for _, text := range twisted(access) {
			if _, err := w.Verify(ctx, text); err == nil && text != access {
				t.Errorf("access token %q is accepted", text)
			}
		}
		if _, err := w.Verify(ctx, access); err != nil {
			t.Fatal(err)
		}
	}
}

// A hint is an ID token of this server, whether its time is over or not, and
// nothing that only looks like one.
//
// spec: AUTHZ-45
// attack: AZ-18
func TestWhatIsAHint(t *testing.T) {
	w, other := newWorld(t), newWorld(t)
	mint := func(w *world) string {
		t.Helper()
		text, err := w.MintID(grant(), store.Client{ID: "app"}, "access")
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := mint(w)
	parts := strings.Split(good, ".")
	foreign := claims(t, good, 1)
	foreign["iss"] = "https://evil.test"
	payload, err := json.Marshal(foreign)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := w.ring.Sign(keys.UseID, keys.RS256, "JWT", payload)
	if err != nil {
		t.Fatal(err)
	}
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	flipped := []byte(good)
	flipped[len(flipped)-10] ^= 1
	for name, text := range map[string]string{
		"alg none": none + "." + parts[1] + ".", "alg none, signed": none + "." + parts[1] + "." + parts[2], "a bit flipped": string(flipped),
		"another server's key": mint(other), "another issuer under our key": elsewhere, "1 MiB": strings.Repeat("e", 1<<20), "nothing": "",
		"without its signature": parts[0] + "." + parts[1] + ".",
	} {
		if user, ours := w.HintedUser(text); ours {
			t.Errorf("%s: names %s", name, user)
		}
	}
	w.now = start.Add(30 * 24 * time.Hour)
	if user, ours := w.HintedUser(good); !ours || user != "u1" {
		t.Error("an authentic hint does not count any more when its time is over")
	}
}

// A token of a process whose clock is up to a minute ahead is good here.
//
// spec: TOK-26, AT-07
func TestClocksOfProcessesMayDiffer(t *testing.T) {
	ctx := context.Background()
	for skew, good := range map[time.Duration]bool{-time.Minute: true, 30 * time.Second: true, time.Minute: true, 61 * time.Second: false} {
		w := newWorld(t)
		w.now = start.Add(skew)
		text := w.mint(t, grant()).Text
		w.now = start
		if _, err := w.Verify(ctx, text); (err == nil) != good {
			t.Errorf("%v ahead: %v", skew, err)
		}
	}
}
