package main

// The tests of second factors: of what is kept, on SQLite, of what a session is worth, and
// of the pages of a person's own.
var (
	factors  = suite{"the tests of factors", "./internal/store/storetest", []string{"-run", "(ACodeIsTakenOnce|AHalfSessionIsGoodOnce)/sqlite"}}
	sessions = suite{"the tests of sessions", "./internal/session", nil}
	matched  = suite{"the tests of codes", "./internal/factor", nil}
	own      = suite{"the tests of one's own pages", "./internal/manage", []string{"-run", "SecondStep"}}
	halfway  = suite{"a walk through the doors", "./internal/testenv", []string{"-run", "AHalfSessionOpensNoDoor|CodesAreThrottled|SigningOutForgets"}}
)

var inTheLogin = []bug{
	{name: "a step of a second factor counts twice", rows: "P-40, F-53", file: "internal/store/storesql/factor.go",
		old: "AND last_step < $2`", new: "AND last_step <= $2`", suites: []suite{factors}},
	{name: "a backup code counts twice", rows: "P-40, F-53", file: "internal/store/storesql/factor.go",
		old: "AND hash = $2 AND used = 0`", new: "AND hash = $2`", suites: []suite{factors}},
	{name: "a half session is used twice", rows: "LG-17", file: "internal/store/storesql/half_session.go",
		old: "`DELETE FROM half_session WHERE id_hash = $1 AND user_id = $2 AND expires > `+s.now+`", new: "`UPDATE half_session SET amr = amr WHERE id_hash = $1 AND user_id = $2 AND expires > `+s.now+`", suites: []suite{factors}},
	{name: "a half session opens the door", rows: "LG-17", file: "internal/session/session.go",
		old: "if !s.suffices(user.Role, user.FactorAt, amr) {", new: "if user.ID == \"\" {", suites: []suite{sessions}},
	{name: "a password stays enough", rows: "LG-17", file: "internal/session/session.go",
		old: "!live || !s.suffices(v.Role, v.FactorAt, v.AMR) {", new: "!live {", suites: []suite{sessions}},
	{name: "a password makes a second factor fresh", rows: "LG-19", file: "internal/session/half.go",
		old: "slices.Contains(amr, Multiple) || len(proven) == 0 {", new: "len(proven) == 0 {", suites: []suite{sessions, own}},
	{name: "an old sign-in changes a second factor", rows: "LG-19", file: "internal/manage/place.go",
		old: "Path: PathSecondStep, MaxAge: freshness}", new: "Path: PathSecondStep}", suites: []suite{own}},
	{name: "what is required is turned off", rows: "LG-23", file: "internal/manage/second_step.go",
		old: "(d.deps.Sessions.Required(user.Role) || user.FactorAt.IsZero())", new: "user.FactorAt.IsZero()", suites: []suite{own}},
	{name: "any visitor is offered one key", rows: "LG-17", file: "internal/factor/factor.go",
		old: "[][]byte{[]byte(id), session}", new: "[][]byte{[]byte(id)}", suites: []suite{matched}},
	{name: "codes are not counted", rows: "LG-05", file: "internal/tries/tries.go",
		old: "budgets = append(budgets, budget{codeKey(b.name, user), b.tries, b.window})", new: "_ = b", suites: []suite{halfway}},
	{name: "signing out leaves a half session", rows: "LOGIN-16", file: "internal/logout/door.go",
		old: "case d.ourForm(r, q): // somebody", new: "case d.ourForm(r, q) && len(all) > 0: // somebody", suites: []suite{halfway}},
}
