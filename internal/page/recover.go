package page

// Recover asks for a recovery code and a new password (LOGIN-19).
type Recover struct {
	Shell
	Username, Code, Year, Month, Day string
	DisconnectApps                   bool
	Failed                           bool
	WaitSeconds                      int
	Problems                         []FieldProblem
	SignInURL                        string
}

// Problem returns the message key of a field's mistake, empty when there is none.
func (p Recover) Problem(field string) string { return problem(p.Problems, field) }

// Recovered says that the password is another one, and leads to sign-in.
type Recovered struct {
	Shell
	AppsDisconnected bool
	SignInURL        string
}

func (Recover) name() string   { return "recover" }
func (Recovered) name() string { return "recovered" }
