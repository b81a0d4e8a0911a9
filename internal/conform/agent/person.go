package agent

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Visit asks a person to go through an authorization request.
type Visit struct {
	Browser     *Browser
	Method      string // POST sends a form, any other a link
	Endpoint    string
	Values      url.Values
	RedirectURI string
	// Why is a word for a person who does it by hand.
	Why string
}

// Start opens the request; nobody has done anything yet.
func (v Visit) Start(ctx context.Context) (Page, error) {
	if v.Method == http.MethodPost {
		return v.Browser.Open(ctx, http.MethodPost, v.Endpoint, v.Values, v.RedirectURI)
	}
	return v.Browser.Open(ctx, v.Method, v.URL(), nil, v.RedirectURI)
}

// URL is the request as a link; a query of the endpoint stays.
func (v Visit) URL() string {
	separator := "?"
	if strings.Contains(v.Endpoint, "?") {
		separator = "&"
	}
	return v.Endpoint + separator + v.Values.Encode()
}

// Person goes through the pages until the server answers the app, or does not go
// on. An error says that the person did not know what to do.
type Person interface {
	Authorize(ctx context.Context, v Visit) (Page, error)
	// ByHand reports whether a human is asked each time.
	ByHand() bool
}

// Script is a person without a mind: it fills in what forms ask for and presses
// the button that allows.
type Script struct {
	Username, Password string
	// Patient is chosen when a page offers it.
	Patient string
	// Fields are values for inputs by name, for pages that ask for more.
	Fields map[string]string
	// Press are texts of buttons to prefer.
	Press []string
}

// ByHand: nobody is asked.
func (Script) ByHand() bool { return false }

const maxPages = 10

// Authorize goes from page to page.
func (s Script) Authorize(ctx context.Context, v Visit) (Page, error) {
	p, err := v.Start(ctx)
	passwords := 0
	for range maxPages {
		if err != nil || !p.IsForm() {
			return p, err
		}
		f, values, ok := s.fill(p.forms)
		if !ok {
			return p, fmt.Errorf("the script knows no button on %s", p.Describe())
		}
		if f.has(isPassword) {
			if passwords++; passwords > 1 {
				return p, errors.New("signing in did not succeed: the server asks for the password again")
			}
			if s.Password == "" {
				return p, errors.New("the server asks for a password and none was given")
			}
		}
		p, err = v.Browser.submit(ctx, p, f, values, v.RedirectURI)
	}
	return p, fmt.Errorf("no answer after %d pages; the last is %s", maxPages, p.Describe())
}

// fill chooses the form and the button, and returns what to send.
func (s Script) fill(list []form) (form, url.Values, bool) {
	best, found := 0, false
	var chosen form
	var pressed input
	for _, f := range list {
		button, points := s.button(f)
		points += s.weight(f)
		if points > best {
			best, chosen, pressed, found = points, f, button, true
		}
	}
	if !found {
		return form{}, nil, false
	}
	values := chosen.preset()
	s.typeIn(chosen, values)
	if pressed.name != "" {
		values.Set(pressed.name, pressed.value)
	}
	return chosen, values, true
}

// weight says how much a form looks like the one to answer.
func (s Script) weight(f form) int {
	switch {
	case f.has(func(i input) bool { return i.kind == "radio" }):
		return 300
	case f.has(isPassword):
		return 200
	}
	return 0
}

var (
	allowing = []string{"allow", "approve", "authorize", "authorise", "accept", "agree", "consent", "grant", "permit", "yes", "continue", "log in", "login", "sign in", "next"}
	refusing = []string{"deny", "cancel", "decline", "reject", "refuse", "don't", "do not", "disallow", "no", "back", "switch", "search", "forgot", "register", "sign up", "enrol"}
)

// button is the button to press; no points, or fewer, mean none.
func (s Script) button(f form) (best input, points int) {
	if len(f.buttons) == 0 { // a form that JavaScript sends, or the Enter key
		return input{}, 1
	}
	points = -1000
	for _, b := range f.buttons {
		if n := s.points(b); n > points {
			best, points = b, n
		}
	}
	return best, points
}

func (s Script) points(b input) int {
	says := strings.ToLower(b.text + " " + b.value)
	switch {
	case b.dialog:
		return -1000
	case slices.ContainsFunc(s.Press, func(p string) bool { return strings.EqualFold(b.text, p) || b.value == p }):
		return 1000
	case b.name == "decision" && b.value == "allow": // the pages of this project
		return 100
	case slices.ContainsFunc(refusing, func(w string) bool { return hasWord(says, w) }):
		return -1000
	case slices.ContainsFunc(allowing, func(w string) bool { return hasWord(says, w) }):
		return 50
	}
	return 10
}

// hasWord finds whole words, so that "no" is not found in "now".
func hasWord(text, word string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return r != '\'' && (r < 'a' || r > 'z') })
	return strings.Contains(" "+strings.Join(words, " ")+" ", " "+word+" ")
}

// typeIn fills in user name, password, radio buttons and what was named.
func (s Script) typeIn(f form, values url.Values) {
	login := f.has(isPassword)
	for _, i := range f.inputs {
		own, named := s.Fields[i.name]
		switch {
		case i.name == "":
		case named:
			values.Set(i.name, own)
		case isPassword(i):
			values.Set(i.name, s.Password)
		case i.autocomplete == "username", login && isText(i) && values.Get(i.name) == "":
			values.Set(i.name, s.Username)
		case i.kind == "radio" && (values.Get(i.name) == "" || i.value == s.Patient):
			values.Set(i.name, i.value)
		}
	}
}

func isText(i input) bool { return i.kind == "" || i.kind == "text" || i.kind == "email" }
