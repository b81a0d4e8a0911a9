package page

import (
	"html/template"
	"net/url"
	"time"
)

// SecondStep asks for a code of the second factor, after the password (page C1).
type SecondStep struct {
	Shell
	Backup      bool   // a backup code is asked for
	OtherURL    string // the other way: a backup code, or the app again
	Failed      bool
	WaitSeconds int
}

// Input is the name of the field.
func (p SecondStep) Input() string {
	if p.Backup {
		return "backup"
	}
	return "code"
}

// SetUpSecondStep shows a secret and asks for the first code of it.
type SetUpSecondStep struct {
	Shell
	Username string
	Secret   string // in groups, to type
	URI      string // otpauth://…
	QR       Drawing
	// Required: the organisation asks for it, and nothing goes on without.
	Required bool
	Replaces bool // the one that there is
	Failed   bool
	Back     string // empty: there is nowhere to go back to
}

// Href is the link for an app on the same device. The template knows no such scheme, so
// it is judged here.
func (p SetUpSecondStep) Href() template.URL {
	if u, err := url.Parse(p.URI); err != nil || u.Scheme != "otpauth" {
		return ""
	}
	return template.URL(p.URI) //nolint:gosec // its scheme was judged, and it is escaped as an attribute
}

// Drawing is a QR code as an SVG path in a box, with its quiet zone.
type Drawing struct{ Box, Path string }

// BackupCodes shows backup codes, this once.
type BackupCodes struct {
	Shell
	Codes []string
	New   bool   // they take the place of others
	Next  string // where the person goes on
	ToApp bool   // that is the app's request
}

// SecondStepState is what a person sees of their second step on their own pages.
type SecondStepState struct {
	Shell
	Since    time.Time // zero: it is off
	Codes    int       // backup codes that are left
	Required bool      // it cannot be removed
	Removed  bool      // just now
	SetUpURL string
	Back     string
}

// On reports whether there is one.
func (p SecondStepState) On() bool { return !p.Since.IsZero() }

func (SecondStep) name() string      { return "second-step" }
func (SetUpSecondStep) name() string { return "set-up-second-step" }
func (BackupCodes) name() string     { return "backup-codes" }
func (SecondStepState) name() string { return "second-step-state" }

// waiting says how long to wait, in minutes where seconds say nothing.
func (l *tongue) waiting(seconds int) string {
	if seconds <= 120 {
		return l.counted("wait", seconds)
	}
	return l.counted("wait-minutes", (seconds+59)/60)
}
