package testenv

import (
	"encoding/base32"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/factor"
)

// Authenticator is the app on a person's phone that makes codes by time.
type Authenticator struct {
	t      testing.TB
	secret []byte
	last   int64 // the step of the last code
	// Backup are the backup codes that were shown.
	Backup []string
}

// SetUp takes the secret of a page over and confirms it; what comes after the backup
// codes is returned.
func (b *Browser) SetUp(p Page) (*Authenticator, Page) {
	b.t.Helper()
	secret, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(p.Value(b.t, "secret"), " ", ""))
	if err != nil || len(secret) != 20 {
		b.t.Fatalf("no secret on %s: %v\n%s", p.Describe(), err, p.Body)
	}
	a := &Authenticator{t: b.t, secret: secret}
	shown := b.Submit(p, "action", "set-up", url.Values{"code": {a.Code()}})
	if a.Backup = items(shown.Body); len(a.Backup) != 10 {
		b.t.Fatalf("%d backup codes on %s\n%s", len(a.Backup), shown.Describe(), shown.Body)
	}
	_, rest, _ := strings.Cut(shown.Body, `<a class="button" href="`)
	next, _, found := strings.Cut(rest, `"`)
	if !found {
		b.t.Fatalf("nothing goes on from the backup codes: %s", shown.Body)
	}
	return a, b.Open(strings.ReplaceAll(next, "&amp;", "&"))
}

// Authenticator is the app of a person of the sandbox who has a second factor.
func (e *Env) Authenticator(username string) *Authenticator {
	e.t.Helper()
	for _, p := range e.File.People {
		if p.Username == username && p.TOTPSecret != "" {
			secret, err := base32.StdEncoding.DecodeString(p.TOTPSecret)
			if err != nil {
				e.t.Fatal(err)
			}
			return &Authenticator{t: e.t, secret: secret}
		}
	}
	e.t.Fatalf("%s has no second factor", username)
	return nil
}

// items are the backup codes of a page.
func items(body string) (list []string) {
	_, body, _ = strings.Cut(body, `<ol class="codes`)
	body, _, _ = strings.Cut(body, "</ol>")
	for part := range strings.SplitSeq(body, "<li>") {
		if code, _, found := strings.Cut(part, "</li>"); found {
			list = append(list, code)
		}
	}
	return list
}

// Code is one that was not used before: of the step before, of this one, or of the next.
// Where all of them were, it waits.
func (a *Authenticator) Code() string {
	a.t.Helper()
	for {
		now := time.Now().Unix() / 30
		if step := max(a.last+1, now-1); step <= now+1 {
			a.last = step
			return a.At(step)
		}
		time.Sleep(time.Second)
	}
}

// Last is the code that Code has made last.
func (a *Authenticator) Last() string { return a.At(a.last) }

// At is the code of a step.
func (a *Authenticator) At(step int64) string {
	a.t.Helper()
	code, err := factor.Code(a.secret, step)
	if err != nil {
		a.t.Fatal(err)
	}
	return code
}

// Confirm types a code on the page of the second step.
func (b *Browser) Confirm(p Page, code string) Page {
	b.t.Helper()
	return b.Submit(p, "action", "confirm", url.Values{"code": {code}})
}

// BackUp types a backup code in place of a code.
func (b *Browser) BackUp(p Page, code string) Page {
	b.t.Helper()
	other := b.Open("/login/second?backup&request=" + url.QueryEscape(p.Inputs("request")[0]))
	return b.Submit(other, "action", "confirm", url.Values{"backup": {code}})
}
