package account_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/account"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// A recovery code can be read off paper and typed as people type; another code, and what
// is of another class, is another one.
//
// spec: LOGIN-19
// attack: TK-11
func TestRecoveryCodes(t *testing.T) {
	code, other := account.NewRecoveryCode(), account.NewRecoveryCode()
	if !regexp.MustCompile(`^RC[A-Z2-7]{2}(-[A-Z2-7]{4}){6}$`).MatchString(code) || code == other {
		t.Fatalf("%q and %q", code, other)
	}
	want := account.RecoveryCodeHash(code)
	for _, typed := range []string{
		strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " "), " " + code + "\n", strings.ReplaceAll(code, "-", "\u2013"),
		strings.NewReplacer("O", "0", "I", "1", "B", "8").Replace(code),
	} {
		if !bytes.Equal(account.RecoveryCodeHash(typed), want) {
			t.Errorf("%q is not %q", typed, code)
		}
	}
	for _, wrong := range []string{other, code[:len(code)-1], code + "A", strings.TrimPrefix(code, "RC"), "RC" + code, ""} {
		if bytes.Equal(account.RecoveryCodeHash(wrong), want) {
			t.Errorf("%q is %q", wrong, code)
		}
	}
	if bytes.Equal(oauth.Hash(code), want) {
		t.Error("a recovery code is kept as any other token is")
	}
}
