package page

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/url"
	"strings"
)

// Post is what a form carries to an app (OAuth 2.0 Form Post Response Mode §2).
type Post struct {
	URL    string // a redirect URI that the app registered
	Host   string
	Fields []PostField
}

// PostField is one parameter of the answer.
type PostField struct{ Name, Value string }

// Action is where the form goes: https or http, which nothing but a browser's request
// comes of.
func (p Post) Action() template.URL {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return template.URL(p.URL) //nolint:gosec // its scheme was judged, and it is escaped as an attribute
}

// target is what form-action names for the address: its scheme, as for every form that
// leads to an app (FormTarget), since an app may answer on one origin and go on to
// another. The page has one form, and its action is the address.
func (p Post) target() string {
	if p.Action() == "" {
		return ""
	}
	return FormTarget(p.URL)
}

// FormPost brings the answer to an app by a form, which a script sends and else a
// person does, by a button.
type FormPost struct {
	Shell
	Post Post
}

func (FormPost) name() string { return "form-post" }

// submit is the one script of all pages. The policy of this page names its hash, so
// that nothing else runs.
const submit = `document.forms[0].submit()`

// Script is what sends the form.
func (FormPost) Script() template.JS { return submit }

var submitSource = hashSource(submit)

func hashSource(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// policy lets the form go to the app and nowhere else, and the one script send it.
func (p FormPost) policy() string { return policy(p.Post.target(), "script-src "+submitSource) }

// policy of an error that a form brings to an app: to there and nowhere else.
func (e Error) policy() string {
	if e.Leave.Post.URL == "" {
		return e.Shell.policy()
	}
	return policy(e.Leave.Post.target())
}

// policy of any other page: forms go to us, and from us to the app.
func (s Shell) policy() string { return policy("'self'" + joined(s.FormTargets)) }

// policy is a content security policy that starts from nothing.
func policy(formAction string, more ...string) string {
	if formAction == "" {
		formAction = "'none'"
	}
	return strings.Join(append([]string{
		"default-src 'none'", "style-src 'self'", "img-src 'self'", "base-uri 'none'", "frame-ancestors 'none'", "form-action " + formAction,
	}, more...), "; ")
}
