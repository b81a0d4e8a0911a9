// Package testenv is the whole server for stories: a sandbox on a free port, a
// browser that fills in forms, and an app that speaks OAuth.
//
//	env := testenv.Start(t)
//	app := env.App("sandbox-native")
//	token := env.Browser().As("maria").Approve(app, "launch/patient patient/*.rs")
//	token.Get("Patient")
//
// The browser follows redirects itself, so that a story sees each hop; it keeps
// cookies and reads forms as HTML, like a person without JavaScript.
package testenv
