package page

import "time"

// Developers is where somebody begins who makes an app (page C9).
type Developers struct {
	Shell
	Issuer, FHIRBase, Configuration string
	RegisterURL, StateURL           string
	Reviewed                        bool   // apps wait until an operator has let them in
	VerifyWithin, EnableWithin      int    // business days
	TermsURI                        string // of the operator; may be empty
}

// RegisterApp is the form by which a developer registers an app.
type RegisterApp struct {
	Shell
	// Typed are the values of the inputs by their name, as they were sent.
	Typed map[string]string
	// Read, Write and Named are what the app may ask for.
	Read, Write []ScopeRow
	Named       []ScopeChoice // openid and its kin; the words are those of scope.NAME
	Problems    []FieldProblem
	WaitSeconds int
	Stale       bool // the form was too old, or was sent before
	Full        bool // nobody can register at this moment
	Reviewed    bool
}

// RegisteredApp shows what a developer needs to keep; some of it never again.
type RegisteredApp struct {
	Shell    // its form leads to the state of the app
	ClientID string
	Secret   string // empty: the app has none
	Token    string // registration access token
	URI      string // where it is good
	State    AppStanding
	Preview  Approve
}

// AppState shows how far an app is, to who has its registration access token.
type AppState struct {
	Shell
	ClientID    string
	Token       string // comes back with the page in another language
	Failed      bool
	WaitSeconds int
	Shown       bool // the token is that of the app
	Name, Scope string
	URI         string // where the registration is managed; empty: it cannot be now
	Redirects   []string
	State       AppStanding
	Preview     Approve
}

// AppStanding is where an app is in its review; State is a key below "review.".
type AppStanding struct {
	State    string
	Due      time.Time // zero: nothing is due
	Overdue  bool
	Question string // what the developer was asked, in the operator's words
	Reason   string // why it was declined or suspended
	Steps    []AppStep
}

// AppStep is something that happened; Name is a key below "review-step.".
type AppStep struct {
	Name string
	At   time.Time
}

func (Developers) name() string    { return "developers" }
func (RegisterApp) name() string   { return "register-app" }
func (RegisteredApp) name() string { return "registered-app" }
func (AppState) name() string      { return "app-state" }

// appInput is one line of the form with its words; area has several lines.
type appInput struct {
	Name, Label, Hint, Complete, Mode string
	Area, Required                    bool
	Value                             string
	Problem                           *FieldProblem
}

// The inputs, named as the members of RFC 7591 §2.
var (
	whoInputs = []appInput{
		{Name: "client_name", Label: "register-app.name", Hint: "register-app.name-hint", Required: true},
		{Name: "emberlatch_maker", Label: "register-app.maker", Hint: "register-app.maker-hint", Complete: "organization", Required: true},
		{Name: "client_uri", Label: "register-app.website", Hint: "register-app.website-hint", Complete: "url", Mode: "url"},
		{Name: "contacts", Label: "register-app.contact", Hint: "register-app.contact-hint", Complete: "email", Mode: "email", Required: true},
		{Name: "policy_uri", Label: "register-app.policy", Hint: "register-app.policy-hint", Mode: "url"},
	}
	whereInputs = []appInput{
		{Name: "redirect_uris", Label: "register-app.redirects", Hint: "register-app.redirects-hint", Area: true, Required: true},
		{Name: "initiate_login_uri", Label: "register-app.launch", Hint: "register-app.launch-hint", Mode: "url"},
	}
	keyInputs = []appInput{
		{Name: "jwks_uri", Label: "register-app.key-url", Hint: "register-app.key-url-hint", Mode: "url"},
		{Name: "jwks", Label: "register-app.keys", Hint: "register-app.keys-hint", Area: true},
	}
)

// Who, Where and Keys are the groups of inputs as they were filled in.
func (p RegisterApp) Who() []appInput   { return p.filled(whoInputs) }
func (p RegisterApp) Where() []appInput { return p.filled(whereInputs) }
func (p RegisterApp) Keys() []appInput  { return p.filled(keyInputs) }

func (p RegisterApp) filled(list []appInput) []appInput {
	out := make([]appInput, len(list))
	for i, in := range list {
		in.Value, in.Problem = p.Typed[in.Name], p.Problem(in.Name)
		out[i] = in
	}
	return out
}

// Problem is the mistake in an input, nil when there is none.
func (p RegisterApp) Problem(field string) *FieldProblem {
	for i, found := range p.Problems {
		if found.Field == field {
			return &p.Problems[i]
		}
	}
	return nil
}

// Kinds and Methods are the answers to what the app is, and how it proves itself.
func (p RegisterApp) Kinds() []string { return []string{"native", "browser", "web"} }
func (p RegisterApp) Methods() []string {
	return []string{"none", "client_secret_basic", "private_key_jwt"}
}
