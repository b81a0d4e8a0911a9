package factor_test

import (
	"context"
	"encoding/base32"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/factor"
	"github.com/emberlatch/emberlatch/internal/store"
)

// kept is a store of one factor.
type kept struct {
	factor store.Factor
	none   bool
}

func (k *kept) Factor(context.Context, store.UserID) (store.Factor, error) {
	if k.none {
		return store.Factor{}, store.ErrNotFound
	}
	return k.factor, nil
}

type env struct {
	*factor.Factors
	store *kept
	clock time.Time
}

var chen = store.User{ID: "u1", Username: "wei:chen & co"}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{store: &kept{none: true}, clock: time.Unix(1_800_000_000, 0)}
	f, err := factor.New(factor.Deps{Store: e.store, Secret: make([]byte, 32), Issuer: "Valley Clinic", Now: func() time.Time { return e.clock }})
	if err != nil {
		t.Fatal(err)
	}
	e.Factors = f
	return e
}

// secret is what an app takes over of an offer.
func (e *env) secret(t *testing.T, user store.User, session string) []byte {
	t.Helper()
	o, err := e.Offer(user, []byte(session))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(o.Secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (e *env) step() int64 { return e.clock.Unix() / 30 }

func code(t *testing.T, secret []byte, step int64) string {
	t.Helper()
	c, err := factor.Code(secret, step)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The last six digits of the test vectors of RFC 6238, appendix B, SHA-1.
//
// spec: LOGIN-13
func TestCodesAreThoseOfRFC6238(t *testing.T) {
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := code(t, []byte("12345678901234567890"), at/30); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
}

// A code is good for its step and one on either side, in any spacing, and for nobody else.
//
// spec: LOGIN-13
// attack: P-40
func TestMatch(t *testing.T) {
	e := newEnv(t)
	secret := e.secret(t, chen, "s1")
	made, right, err := e.Confirm(t.Context(), chen, []byte("s1"), code(t, secret, e.step()))
	if err != nil || !right || made.Change.Step != e.step() || made.Change.Was != nil || made.Change.UserID != "u1" {
		t.Fatalf("confirming: %+v, %v, %v", made, right, err)
	}
	if strings.Contains(string(made.Change.Sealed), string(secret)) {
		t.Error("the secret is not sealed")
	}
	e.store.none, e.store.factor = false, store.Factor{UserID: "u1", Sealed: made.Change.Sealed}
	e.clock = e.clock.Add(time.Hour)
	now := e.step()
	good := code(t, secret, now)
	for _, row := range []struct {
		name, typed string
		want        int64 // 0: refused
	}{
		{"now", good, now}, {"the step before", code(t, secret, now-1), now - 1}, {"the step after", code(t, secret, now+1), now + 1},
		{"two before", code(t, secret, now-2), 0}, {"two after", code(t, secret, now+2), 0},
		{"in two groups", good[:3] + " " + good[3:], now}, {"with blanks of all kinds", "\t" + good + "\u00a0\n", now},
		{"empty", "", 0}, {"five digits", good[:5], 0}, {"seven digits", good + "0", 0}, {"letters", "abcdef", 0},
		{"digits of another script", strings.Map(func(r rune) rune { return r - '0' + '٠' }, good), 0}, {"with a dash", good[:3] + "-" + good[3:], 0},
		{"the key itself", string(secret), 0},
	} {
		use, right, err := e.Match(t.Context(), "u1", row.typed)
		if err != nil || right != (row.want != 0) || right && use.Step != row.want || use.BackupHash != nil {
			t.Errorf("%s: %+v, %v, %v", row.name, use, right, err)
		}
	}
	if _, _, err := e.Match(t.Context(), "u2", good); err == nil {
		t.Error("a sealed secret is opened for somebody else")
	}
	e.store.factor.Sealed = []byte("short")
	if _, _, err := e.Match(t.Context(), "u1", good); err == nil {
		t.Error("what was never sealed is opened")
	}
	e.store.none = true
	if _, _, err := e.Match(t.Context(), "u1", good); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without a factor: %v", err)
	}
}

// What is offered is of one person, one session and one server, and stays while the
// page is loaded again; whoever has seen one offer knows no other.
func TestOffers(t *testing.T) {
	e := newEnv(t)
	first := string(e.secret(t, chen, "s1"))
	if string(e.secret(t, chen, "s1")) != first {
		t.Error("a page that is loaded again shows another key")
	}
	for name, other := range map[string]string{
		"another session": string(e.secret(t, chen, "s2")), "another person": string(e.secret(t, store.User{ID: "u2", Username: "x"}, "s1")),
		"shifted": string(e.secret(t, store.User{ID: "u", Username: "x"}, "1s1")),
	} {
		if other == first {
			t.Errorf("%s is offered the same", name)
		}
	}
	if _, right, err := e.Confirm(t.Context(), chen, []byte("s2"), code(t, []byte(first), e.step())); right || err != nil {
		t.Errorf("a key of another session is confirmed: %v", err)
	}
	if len(first) != 20 {
		t.Errorf("%d bytes", len(first))
	}

	o, err := e.Offer(chen, []byte("s1"))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(o.URI)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Valley Clinic:wei:chen & co" {
		t.Errorf("%s: %v", o.URI, err)
	}
	q := u.Query()
	if q.Get("secret") != strings.ReplaceAll(o.Secret, " ", "") || q.Get("issuer") != "Valley Clinic" || q.Get("digits") != "6" || q.Get("period") != "30" || q.Get("algorithm") != "SHA1" {
		t.Errorf("%s", o.URI)
	}
	if !regexp.MustCompile(`^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$`).MatchString(o.Secret) {
		t.Errorf("to type: %s", o.Secret)
	}
	if !regexp.MustCompile(`^(M\d+ \d+h\d+v1h-\d+z)+$`).MatchString(o.QR.Path) || o.QR.Size < 21 || !strings.HasPrefix(o.QR.Path, "M0 0h7v1h-7z") {
		t.Errorf("the drawing of %d: %s", o.QR.Size, o.QR.Path)
	}
}

// A factor that replaces another names the one that it replaces.
func TestConfirmReplacesWhatIsThere(t *testing.T) {
	e := newEnv(t)
	e.store.none, e.store.factor = false, store.Factor{Sealed: []byte("before")}
	typed := code(t, e.secret(t, chen, "s"), e.step())
	made, right, err := e.Confirm(t.Context(), chen, []byte("s"), typed)
	if err != nil || !right || string(made.Change.Was) != "before" {
		t.Errorf("%+v, %v, %v", made.Change, right, err)
	}
	if _, right, err := e.Confirm(t.Context(), chen, []byte("s"), "000000"+typed); right || err != nil {
		t.Errorf("a wrong code: %v, %v", right, err)
	}
}

// Ten codes of 80 bits, read off paper in any spelling.
//
// spec: LOGIN-13
func TestBackupCodes(t *testing.T) {
	texts, hashes := factor.BackupCodes()
	if len(texts) != 10 || len(hashes) != 10 {
		t.Fatalf("%d codes, %d hashes", len(texts), len(hashes))
	}
	seen := map[string]bool{}
	for i, text := range texts {
		if !regexp.MustCompile(`^([a-z2-7]{4}-){3}[a-z2-7]{4}$`).MatchString(text) || seen[text] {
			t.Errorf("%q", text)
		}
		seen[text] = true
		for _, typed := range []string{text, strings.ToUpper(text), strings.ReplaceAll(text, "-", ""), " " + strings.ReplaceAll(text, "-", " – ") + "\n"} {
			if use, ok := factor.Backup(typed); !ok || string(use.BackupHash) != string(hashes[i]) || use.Step != 0 {
				t.Errorf("%q: %v", typed, ok)
			}
		}
	}
	for _, bad := range []string{"", "123456", texts[0][:18], texts[0] + "a", strings.Repeat("a", 1<<16)} {
		if use, ok := factor.Backup(bad); ok || use.BackupHash == nil {
			t.Errorf("%.20q can be one: %v", bad, use)
		}
	}
}

// A secret that is known to others is one of 20 bytes.
func TestKnownSecrets(t *testing.T) {
	e := newEnv(t)
	secret := e.secret(t, chen, "s")
	c, err := e.Known(chen, base32.StdEncoding.EncodeToString(secret))
	if err != nil {
		t.Fatal(err)
	}
	e.store.none, e.store.factor = false, store.Factor{Sealed: c.Sealed}
	if _, right, err := e.Match(t.Context(), chen.ID, code(t, secret, e.step())); !right || err != nil {
		t.Errorf("%v, %v", right, err)
	}
	for _, bad := range []string{"", "ABC", "abcdefghijklmnopqrstuvwxyz234567", strings.Repeat("A", 64)} {
		if _, err := e.Known(chen, bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestMissingPartsAreRefused(t *testing.T) {
	for _, deps := range []factor.Deps{{}, {Store: &kept{}, Secret: make([]byte, 16), Issuer: "x", Now: time.Now}, {Store: &kept{}, Secret: make([]byte, 32), Now: time.Now}} {
		if _, err := factor.New(deps); err == nil {
			t.Errorf("%+v is taken", deps)
		}
	}
}
