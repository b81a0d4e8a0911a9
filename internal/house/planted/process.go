package main

var inTheProcess = []bug{
	{name: "a relation that ended is remembered", rows: "112", file: "internal/reach/reach.go",
		old: "2 * time.Second", new: "2 * time.Hour", suites: []suite{people}},
	{name: "a process does not follow the change feed", rows: "112", file: "internal/live/facts.go",
		old: "err := f.Refresh(ctx)\n\t\tif ctx.Err() != nil {", new: "err := error(nil)\n\t\tif ctx.Err() != nil {", suites: []suite{load}},
	{name: "a process does not know what it has just revoked", rows: "112", file: "internal/revoke/door.go",
		old: "revoking an access token: %w\", err)\n\t}\n\treturn d.deps.Settle(ctx)", new: "revoking an access token: %w\", err)\n\t}\n\treturn nil", suites: []suite{{"the revocation's tests", "./internal/testenv", []string{"-run", "Revo|Introspect|Ended"}}}},
}
