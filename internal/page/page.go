package page

import (
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Shell is what every page of a flow has.
type Shell struct {
	AppName   string
	UILocales string
	Self      string // path and query that show this page by GET, for the language switch
	Action    string // where the form goes
	Handle    string // hidden input `request`
	Ticket    string // hidden input `ticket`, good once
	// FormTargets are the addresses beside our own that the form may lead to.
	FormTargets []string
}

func (s Shell) shell() Shell { return s }

// FieldProblem is a mistake in an input; Message is a key of the catalogue. Detail
// says more, in English.
type FieldProblem struct{ Field, Message, Detail string }

// SignIn asks for user name and password (page C1).
type SignIn struct {
	Shell
	Username       string
	Failed         bool
	WaitSeconds    int // tries are too many: how long to wait
	Reauthenticate bool
	SignedInAs     string // a session exists: continue or switch
	CanEnrol       bool
	EnrolURL       string
	RecoverURL     string // for those who cannot sign in
}

// SignedOut says that the session has ended.
type SignedOut struct {
	Shell
	// Leave is where the app waits that asked for it; zero: nowhere.
	Leave Leave
}

// SignOut asks whether the session is to end.
type SignOut struct {
	Shell
	User string // who is signed in
}

// StillSignedIn says that nothing has ended.
type StillSignedIn struct{ Shell }

// Identify asks who a person without credentials is (page C2, first step).
type Identify struct {
	Shell
	Given, Family, Year, Month, Day, Code string
	OneName                               bool // the person has one name only
	Failed                                bool
	WaitSeconds                           int
	Problems                              []FieldProblem
}

// CreateCredentials asks for a user name and a new password (C2, second step).
type CreateCredentials struct {
	Shell
	Username string
	Problems []FieldProblem
}

// Person is one line of a picker.
type Person struct {
	ID, Name, Relationship, BirthDate, Sex, RecordNumber string
	Age                                                  int
	Self                                                 bool
	Until                                                time.Time
	SameName                                             bool // another line has the same name
}

// ChoosePerson asks whose record is meant (page C3).
type ChoosePerson struct {
	Shell
	People []Person
	Failed bool
}

// ChoosePatient lets a clinician search and choose (page C4).
type ChoosePatient struct {
	Shell
	Query, BirthDate, RecordNumber string
	Searched                       bool
	Found                          []Person
	More                           bool
	Failed                         bool
	// Emergency are people whom the clinician does not reach, and whose record they may open
	// in an emergency.
	Emergency []Person
	// WaitSeconds: they have looked for too many of those.
	WaitSeconds int
}

// Encounter is one line of the visits of a patient.
type Encounter struct{ ID, Kind, Date, Place, With string }

// ChooseEncounter asks which visit of a patient is meant, if any (page C4).
type ChooseEncounter struct {
	Shell
	Patient    Person
	Self       bool // it is the person's own record
	Encounters []Encounter
	More       bool // older ones are not shown
	Failed     bool
}

// Code shows the code of a desktop app (page C6).
type Code struct {
	Shell
	Code      string
	ExpiresAt time.Time
}

// Error is one error (page C8).
type Error struct {
	Shell
	ID    string // the same in the log
	Title string // key below "error." of the catalogue
	// For the developer.
	ErrorCode, Parameter, Description, Section string
	Slug                                       oauth.Slug // its name in the catalogue
	When                                       time.Time
	// SignOutURL leads to where people can sign out, for an app that could not do it.
	SignOutURL string
	// Leave is where the app waits, for those who want to go there; zero: nowhere.
	Leave Leave
}

// Leave is a link to an app that the server does not go to by itself.
type Leave struct {
	URL  string // below a redirect URI that the app registered
	Host string
	Post Post // in place of URL, for an app that wants its answer by a form
}

// Href is the link. The schemes of native apps are none that the template knows, so
// it is judged here: https, a loopback address, or a reverse domain name, which no
// browser runs (RFC 8252 §7).
func (l Leave) Href() template.URL {
	u, err := url.Parse(l.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && !strings.Contains(u.Scheme, ".") {
		return ""
	}
	return template.URL(l.URL) //nolint:gosec // its scheme was judged, and it is escaped as an attribute
}

// Errors explains every error that the server tells (RFC 6749 §5.2, error_uri).
type Errors struct{ Shell }

// Catalogue are the errors that have a name.
func (Errors) Catalogue() []oauth.Explanation { return oauth.Catalogue() }

// Codes are the error codes.
func (Errors) Codes() []oauth.CodeMeaning { return oauth.Codes() }

// Start is the first page of the sandbox.
type Start struct {
	Shell
	People           []StartPerson
	SampleApp        string
	Issuer, FHIRBase string
	Enrol            []StartEnrolment
	Charts           []StartCharts // of clinicians, to start the sample app from
	DataDir          string
	Developers       string // path of the pages for developers; empty: there are none
}

// StartCharts are the charts of one clinician.
type StartCharts struct {
	Username, Display string
	Patients          []StartChart
}

// StartChart is a patient; the input chart has the value username/id.
type StartChart struct{ ID, Name string }

// StartPerson is someone to log in as.
type StartPerson struct{ Username, Password, Display, Role, Note string }

// StartEnrolment is someone who has no login yet.
type StartEnrolment struct{ Given, Family, BirthDate, Code string }

func (SignIn) name() string            { return "sign-in" }
func (SignedOut) name() string         { return "signed-out" }
func (SignOut) name() string           { return "sign-out" }
func (StillSignedIn) name() string     { return "still-signed-in" }
func (Identify) name() string          { return "identify" }
func (CreateCredentials) name() string { return "create-credentials" }
func (ChoosePerson) name() string      { return "choose-person" }
func (ChoosePatient) name() string     { return "choose-patient" }
func (ChooseEncounter) name() string   { return "choose-encounter" }
func (Approve) name() string           { return "approve" }
func (Code) name() string              { return "code" }
func (Error) name() string             { return "error" }
func (Errors) name() string            { return "errors" }
func (Start) name() string             { return "start" }

// Problem returns the message key of a field's mistake, empty when there is none.
func (p Identify) Problem(field string) string { return problem(p.Problems, field) }

// Problem returns the message key of a field's mistake, empty when there is none.
func (p CreateCredentials) Problem(field string) string { return problem(p.Problems, field) }

func problem(list []FieldProblem, field string) string {
	for _, p := range list {
		if p.Field == field {
			return p.Message
		}
	}
	return ""
}
