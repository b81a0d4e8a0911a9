package review

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Refusal says to an operator why something cannot be decided.
type Refusal struct{ Text string }

func (r *Refusal) Error() string { return r.Text }

// maxWords bounds what a developer is told, in characters.
const maxWords = 500

// Ask has the developer asked for a proof of who they are.
func Ask(c store.Client, question string, now time.Time) (store.Client, error) {
	if err := waiting(c); err != nil {
		return c, err
	}
	if c.Review.State() == store.ReviewVerified {
		return c, &Refusal{"who makes this app is verified already"}
	}
	if question == "" {
		return c, &Refusal{"question: say what the developer has to show"}
	}
	c.Review.AskedAt, c.Review.Question, c.OperatorSet = now, question, true
	return c, sayable("question", question)
}

// Verify keeps that it is known who makes the app; people read it from then on.
func Verify(c store.Client, now time.Time) (store.Client, error) {
	if err := ownedByDeveloper(c); err != nil {
		return c, err
	}
	switch s := c.Review.State(); {
	case s == store.ReviewSuspended:
		return c, &Refusal{"the app is suspended: lift that first, by client enable"}
	case !c.Review.VerifiedAt.IsZero() && s != store.ReviewDeclined:
		return c, &Refusal{"who makes this app is verified already"}
	}
	c.Review.VerifiedAt, c.Review.DeclinedAt, c.Review.Reason = now, time.Time{}, ""
	c.Checked, c.Disabled, c.OperatorSet = true, false, true
	return c, nil
}

// Approve verifies what is not verified yet, and lets the app ask people.
func Approve(c store.Client, now time.Time) (store.Client, error) {
	if c.Review.State() == store.ReviewVerified {
		c.Review.EnabledAt, c.OperatorSet = now, true
		return c, ownedByDeveloper(c)
	}
	c, err := Verify(c, now)
	if err == nil && c.Review.EnabledAt.IsZero() {
		c.Review.EnabledAt = now
	}
	return c, err
}

// Decline stops an app whose maker could not be verified.
func Decline(c store.Client, reason string, now time.Time) (store.Client, error) {
	if err := ownedByDeveloper(c); err != nil {
		return c, err
	}
	switch s := c.Review.State(); {
	case s == store.ReviewDeclined || s == store.ReviewSuspended:
		return c, &Refusal{"the app is " + string(s) + " already"}
	case s == store.ReviewEnabled && !c.Review.VerifiedAt.IsZero():
		return c, &Refusal{"the app is approved: use client suspend"}
	case reason == "":
		return c, &Refusal{"reason: the developer has to be told why"}
	}
	c.Review.DeclinedAt, c.Review.EnabledAt, c.Review.Reason = now, time.Time{}, reason
	c.Checked, c.Disabled, c.OperatorSet = false, true, false // it goes when nobody has used it
	return c, sayable("reason", reason)
}

// Suspend stops any app, an operator's own too; the reason may be left out.
func Suspend(c store.Client, reason string, now time.Time) (store.Client, error) {
	if s := c.Review.State(); s == store.ReviewDeclined || s == store.ReviewSuspended {
		return c, &Refusal{"the app is " + string(s) + " already"}
	}
	c.Review.SuspendedAt, c.Review.Reason, c.Disabled = now, reason, true
	return c, sayable("reason", reason)
}

// Resume lets a suspended app go on from where it was.
func Resume(c store.Client) (store.Client, error) {
	if c.Review.State() == store.ReviewDeclined {
		return c, &Refusal{"the app was declined: client approve lets it in"}
	}
	c.Review.SuspendedAt, c.Review.Reason, c.Disabled = time.Time{}, "", false
	c.OperatorSet = c.SelfRegistered
	return c, nil
}

// ownedByDeveloper: only what registered itself is reviewed.
func ownedByDeveloper(c store.Client) error {
	if !c.SelfRegistered {
		return &Refusal{"an operator registered this app: there is nothing to review"}
	}
	return nil
}

func waiting(c store.Client) error {
	if err := ownedByDeveloper(c); err != nil {
		return err
	}
	if s := c.Review.State(); !s.Waits() {
		return &Refusal{"the app is " + string(s) + ": nothing is to be decided"}
	}
	return nil
}

// sayable: a few lines that can be shown.
func sayable(name, text string) error {
	unseen := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) && r != '\n' }
	if utf8.RuneCountInString(text) > maxWords || strings.ContainsFunc(text, unseen) {
		return &Refusal{name + ": at most 500 characters, each of which can be seen"}
	}
	return nil
}
