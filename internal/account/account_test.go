package account_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/account"
)

func accounts(t testing.TB) *account.Accounts {
	t.Helper()
	a, err := account.New()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// spec: LOGIN-12
func TestPasswordsAreKeptAsArgon2id(t *testing.T) {
	a, ctx := accounts(t), context.Background()
	first, err := a.HashPassword(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	second, _ := a.HashPassword(ctx, "correct horse")
	if !strings.HasPrefix(first, "$argon2id$v=19$m=19456,t=2,p=1$") || first == second || account.NeedsRehash(first) {
		t.Errorf("hashed to %s and %s", first, second)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsE": false, "": false} {
		if got, err := a.Verify(ctx, password, first); got != want || err != nil {
			t.Errorf("%q verifies: %v, %v", password, got, err)
		}
	}
	for _, old := range []string{
		strings.Replace(first, "t=2", "t=1", 1), strings.Replace(first, "m=19456", "m=8", 1), "$2a$10$abc", "",
	} {
		if !account.NeedsRehash(old) {
			t.Errorf("%q is not hashed anew", old)
		}
	}
}

// spec: LOGIN-10
func TestNobodyHasAPassword(t *testing.T) {
	a, ctx := accounts(t), context.Background()
	for _, hash := range []string{"", "broken", "$argon2id$v=19$m=0,t=0,p=0$$"} {
		for _, password := range []string{"", "nobody has this password"} {
			if right, err := a.Verify(ctx, password, hash); right || err != nil {
				t.Errorf("%q is right for %q (%v)", password, hash, err)
			}
		}
	}
	endless := strings.Repeat("long ", 1000)
	hash, err := a.HashPassword(ctx, endless)
	if err != nil {
		t.Fatal(err)
	}
	if right, err := a.Verify(ctx, endless, hash); right || err != nil {
		t.Errorf("a password that nobody can have is right (%v)", err)
	}
	empty, err := a.HashPassword(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if right, err := a.Verify(ctx, endless, empty); right || err != nil {
		t.Errorf("one that is too long is taken for none (%v)", err)
	}
	known, err := a.HashPassword(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	fastest := func(hash string) time.Duration {
		best := time.Hour
		for range 5 {
			start := time.Now()
			_, _ = a.Verify(ctx, "wrong horse", hash)
			best = min(best, time.Since(start))
		}
		return best
	}
	// The factor is wide: machines are busy. Without the work it would be thousands.
	if some, none := fastest(known), fastest(""); none*4 < some || some*4 < none {
		t.Errorf("an account takes %v, none %v", some, none)
	}
}

func TestHashingWaitsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a, gaveUp := accounts(t), 0
	for range 40 { // a free slot may win against an ended context, not forty times
		if _, err := a.HashPassword(ctx, "correct horse"); errors.Is(err, context.Canceled) {
			gaveUp++
			break
		}
	}
	if gaveUp == 0 {
		t.Error("an ended context is never noticed")
	}
}

func TestUserNamesAreComparedByOneKey(t *testing.T) {
	a := accounts(t)
	key, err := a.UsernameKey("maria.lopez")
	if err != nil {
		t.Fatal(err)
	}
	for _, same := range []string{"Maria.Lopez", "MARIA.LOPEZ", "ｍａｒｉａ.lopez"} {
		if got, err := a.UsernameKey(same); got != key || err != nil {
			t.Errorf("%q is compared as %q (%v), want %q", same, got, err, key)
		}
	}
	composed, _ := a.UsernameKey("jos\u00e9")
	if got, _ := a.UsernameKey("jose\u0301"); got != composed {
		t.Errorf("two spellings of é differ: %q, %q", got, composed)
	}
	for _, bad := range []string{"", "ab", "a b c", "a\u200bbc", "a\x00bc", "a\u202ebc", "abc\n", strings.Repeat("a", 65), "a\xffbc"} {
		if got, err := a.UsernameKey(bad); !errors.Is(err, account.ErrUsername) {
			t.Errorf("%q is taken as %q (%v)", bad, got, err)
		}
	}
}

func TestNewPasswords(t *testing.T) {
	for _, test := range []struct {
		password string
		want     account.PasswordProblem
	}{
		{"correct horse", ""}, {"12 45 78", ""}, {"ñandúñandú", ""}, {strings.Repeat("ab", 128), ""},
		{"seven77", account.PasswordTooShort}, {"ñandúña", account.PasswordTooShort}, {"", account.PasswordTooShort},
		{strings.Repeat("ab", 129), account.PasswordTooLong}, {"Password123", account.PasswordCommon},
		{"zzzzzzzzzz", account.PasswordCommon}, {"Maria.Lopez", account.PasswordIsName},
	} {
		if got := account.CheckPassword(test.password, "maria.lopez"); got != test.want {
			t.Errorf("%q: %q, want %q", test.password, got, test.want)
		}
	}
}
