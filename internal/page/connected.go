package page

import "time"

// Connected is what a person shares, with whom, and what they have stopped (page C7).
type Connected struct {
	Shell
	UserName string
	Records  []Record
	Keeping  int  // apps that keep access while nobody uses them (CONS-19)
	More     bool // not all are shown
	Stopped  []StoppedAccess
	// Where the person goes from here; StopAllURL is empty when there is nothing to stop.
	StopAllURL, SessionsURL, PasswordURL, SecondStepURL, SignOutURL string
	LookedURL                                                       string // empty: the person has no record of their own
	// EmergenciesURL leads to the records that the person has open in an emergency; empty: none.
	EmergenciesURL string
}

// Record is one person's record with the apps that may use it.
type Record struct {
	ID       string // of the heading
	Whose    Whose
	Accesses []Access
}

// Whose record something is about.
type Whose struct {
	Kind string // own, other, unseen, none: the key below "record." of the catalogue
	Name string // for own and other
}

// Own reports whether the record is that of the person who looks.
func (w Whose) Own() bool { return w.Kind == "own" }

// Access is what one app may do with one record.
type Access struct {
	App         App
	By          string // who stands for the person and gave it; empty: the person
	Staff       bool   // people who treat the person use it; it is not the person's to stop
	Read, Write []ScopeRow
	Scopes      []string // exactly
	Identity    bool     // the app learns who the person is
	Keeps       bool     // access while nobody uses it (CONS-19)
	Since       time.Time
	Used        time.Time // to read, or to get a token
	Ends        Ending
	StopURL     string // empty: it cannot be stopped here
}

// Ending is when an access ends by itself.
type Ending struct {
	Kind string // on, unused, session, soon: the key below "ends." of the catalogue
	At   time.Time
}

// StoppedAccess is what has ended.
type StoppedAccess struct {
	App        App
	Whose      Whose
	At         time.Time
	By         string // key below "stopped-by." of the catalogue
	ReceiptURL string
}

// StopSharing asks once whether an app, or every app, is to lose its access.
type StopSharing struct {
	Shell
	All    bool
	Count  int // with All: how many accesses end
	Access Access
	Whose  Whose
	Back   string
}

// SharingStopped says what has ended, to the second.
type SharingStopped struct {
	Shell
	All     bool
	Stopped []StoppedAccess
	Back    string
}

// SignIns are the sessions of a person.
type SignIns struct {
	Shell
	Sessions []SignedIn
	Ended    bool // the others have just been ended
	Back     string
}

// SignedIn is one session.
type SignedIn struct {
	Here               bool
	Since, Seen, Until time.Time
}

// Others reports whether there is more than the session of this browser.
func (s SignIns) Others() bool { return len(s.Sessions) > 1 }

// ChangePassword asks for the password and a new one.
type ChangePassword struct {
	Shell
	Username    string // for password managers
	WaitSeconds int
	Problems    []FieldProblem
	Back        string
}

// Problem returns the message key of a field's mistake, empty when there is none.
func (p ChangePassword) Problem(field string) string { return problem(p.Problems, field) }

// PasswordChanged says that the password is another one now.
type PasswordChanged struct {
	Shell
	Back string
}

func (Connected) name() string       { return "connected" }
func (StopSharing) name() string     { return "stop-sharing" }
func (SharingStopped) name() string  { return "sharing-stopped" }
func (SignIns) name() string         { return "sign-ins" }
func (ChangePassword) name() string  { return "change-password" }
func (PasswordChanged) name() string { return "password-changed" }

// summary names the kinds of information of rows, one sentence each.
func (l *tongue) summary(rows []ScopeRow, self bool) []string {
	var list []string
	for _, k := range l.kinds(rows, self) {
		if !k.Several() {
			list = append(list, k.Lines[0].Words)
			continue
		}
		words := ""
		for i, n := range k.Lines {
			if i > 0 {
				words += ", "
			}
			words += n.Words
		}
		list = append(list, l.text("approve.pair", "kind", k.Words, "part", words))
	}
	return list
}

// ago is how long ago something was, as people say it.
func (l *tongue) ago(t time.Time) string {
	switch d := l.now().Sub(t); {
	case d < time.Minute:
		return l.text("ago.now")
	case d < time.Hour:
		return l.counted("ago.minutes", int(d/time.Minute))
	case d < 48*time.Hour:
		return l.counted("ago.hours", int(d/time.Hour))
	}
	return l.date(t)
}

// moment is a time to the second.
func (l *tongue) moment(t time.Time) string {
	return l.text("moment", "date", l.date(t.UTC()), "time", t.UTC().Format("15:04:05")+" UTC")
}
