package keys_test

import (
	"bytes"
	"testing"

	"github.com/emberlatch/emberlatch/internal/keys"
)

// Whoever read a signing key could have read the secrets beside it: they are replaced
// in the same transaction, for every process. What honest clients hold is still told
// from what nobody made, by the one secret whose former is kept, and that one alone.
//
// attack: JW-11
func TestSecretsAreReplacedWithStolenKeys(t *testing.T) {
	r, m := ring(t)
	refresh, err := r.Live(ctx, keys.RefreshToken)
	must(t, err)
	ticket, err := r.Live(ctx, keys.FormTicket)
	must(t, err)
	lasting, err := r.Secret(ctx, "page-link")
	must(t, err)
	other, err := open(t, m, m.kek)
	must(t, err)
	elsewhere, err := other.Live(ctx, keys.RefreshToken)
	must(t, err)
	first, firstTicket := bytes.Clone(refresh.Bytes()), bytes.Clone(ticket.Bytes())
	if refresh.Former() != nil || !bytes.Equal(elsewhere.Bytes(), first) || len(first) != 32 {
		t.Errorf("at the start: %x, former %x", elsewhere.Bytes(), refresh.Former())
	}
	must(t, r.Rotate(ctx))
	if !bytes.Equal(refresh.Bytes(), first) {
		t.Error("an ordinary rotation replaces secrets")
	}
	must(t, r.Replace(ctx))
	second := bytes.Clone(refresh.Bytes())
	if bytes.Equal(second, first) || !bytes.Equal(refresh.Former(), first) {
		t.Error("the secret of refresh tokens was not replaced, or its former not kept")
	}
	if bytes.Equal(ticket.Bytes(), firstTicket) || ticket.Former() != nil {
		t.Error("the secret of tickets was not replaced, or its former is kept")
	}
	if again, err := r.Secret(ctx, "page-link"); err != nil || !bytes.Equal(again, lasting) {
		t.Errorf("another secret: %x, %v", again, err)
	}
	must(t, other.Reload(ctx))
	if !bytes.Equal(elsewhere.Bytes(), second) || !bytes.Equal(elsewhere.Former(), first) {
		t.Error("the other process has other secrets")
	}

	must(t, r.Reseal(ctx))
	if !bytes.Equal(refresh.Bytes(), second) || !bytes.Equal(refresh.Former(), first) {
		t.Error("resealing changes secrets")
	}
	again, err := open(t, m, m.kek)
	must(t, err)
	after, err := again.Live(ctx, keys.RefreshToken)
	must(t, err)
	if !bytes.Equal(after.Bytes(), second) || !bytes.Equal(after.Former(), first) {
		t.Error("a process that starts later has other secrets")
	}
	must(t, again.Replace(ctx))
	if !bytes.Equal(after.Former(), second) || len(m.secrets) != 4 {
		t.Errorf("after the second theft the first secret is still kept: %d secrets", len(m.secrets))
	}
}

// A process that cannot open what is stored goes on with what it has; one that cannot
// find a secret any more does not go on without it.
func TestSecretsThatCannotBeRead(t *testing.T) {
	r, m := ring(t)
	refresh, err := r.Live(ctx, keys.RefreshToken)
	must(t, err)
	first := bytes.Clone(refresh.Bytes())
	other, err := open(t, m, kekCopy(t, m.kek))
	must(t, err)
	elsewhere, err := other.Live(ctx, keys.RefreshToken)
	must(t, err)
	must(t, r.Reseal(ctx))
	must(t, other.Reload(ctx))
	if !bytes.Equal(elsewhere.Bytes(), first) {
		t.Error("a process with the old key-encrypting key has lost the secret")
	}
	delete(m.secrets, keys.RefreshToken)
	if err := r.Reload(ctx); err == nil || !bytes.Equal(refresh.Bytes(), first) {
		t.Errorf("a secret that is gone: %v", err)
	}
	if _, err := r.Live(ctx, "page-link"); err == nil {
		t.Error("a secret that is never replaced is given as one that is")
	}
	if _, err := r.Secret(ctx, keys.RefreshToken); err == nil {
		t.Error("a secret that is replaced is given to be kept")
	}
}
