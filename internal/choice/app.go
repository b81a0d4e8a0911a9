package choice

import (
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

// App is what people are told of an app. In a sandbox every app that nobody has checked
// is a test app.
func App(c store.Client, sandbox bool) page.App {
	a := page.App{Name: c.Name, Maker: c.Maker, PolicyURI: c.PolicyURI, TermsURI: c.TermsURI, Status: "registered"}
	switch {
	case c.Checked:
		a.Status = "checked"
	case c.SelfRegistered: // CONS-23
		a.Status = "self"
	case sandbox:
		a.Status = "test"
	}
	return a
}
