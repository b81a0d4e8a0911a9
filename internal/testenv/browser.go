package testenv

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// Browser is a person at a browser without JavaScript.
type Browser struct {
	t      testing.TB
	env    *Env
	client *http.Client
	stay   bool // follow no redirect
	// referrer is sent with every request, when set.
	referrer string
}

// Browser returns a new one without cookies.
func (e *Env) Browser() *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		e.t.Fatal(err)
	}
	c := plainClient(e.transport)
	c.Jar = jar
	return &Browser{t: e.t, env: e, client: c}
}

// Page is what the browser shows: an answer with its forms. Left is set when the
// server sent the browser to another origin or scheme; nothing was loaded there.
type Page struct {
	Status int
	URL    *url.URL
	Header http.Header
	Body   string
	Forms  []Form
	Left   *url.URL
}

// Form is one form of a page with its inputs as they are preset.
type Form struct {
	Action  string
	Values  url.Values
	Buttons []Input
	Inputs  []Input
}

// Input is an input or a button.
type Input struct{ Name, Value, Type string }

// At is the same browser, with its cookies, at another process of the same server.
func (b *Browser) At(e *Env) *Browser {
	c := plainClient(e.transport)
	c.Jar = b.client.Jar
	return &Browser{t: b.t, env: e, client: c}
}

// Open gets a page, following redirects as long as they stay with the server.
func (b *Browser) Open(target string) Page {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodGet, b.absolute(target), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(req)
}

func (b *Browser) absolute(target string) string {
	if strings.HasPrefix(target, "/") {
		return b.env.URL + target
	}
	return target
}

// Post sends a form with a button pressed; values override what was preset.
func (b *Browser) Post(action string, values url.Values) Page {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.absolute(action), strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.env.URL)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(req)
}

// CrossSitePost sends a form that stands on a page of another site: browsers keep
// the cookies back (SameSite=Lax), take what is set, and follow with cookies.
func (b *Browser) CrossSitePost(action string, values url.Values) Page {
	b.t.Helper()
	a := b.env.CrossSitePost(action, values)
	b.client.Jar.SetCookies(a.URL, (&http.Response{Header: a.Header}).Cookies())
	return b.Open(a.Header.Get("Location"))
}

// CrossSitePost sends a form of another site without cookies.
func (e *Env) CrossSitePost(action string, values url.Values) Page {
	e.t.Helper()
	req, err := http.NewRequest(http.MethodPost, e.URL+action, strings.NewReader(values.Encode()))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://app.example.org")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	a := e.Send(req)
	return Page{Status: a.Status, URL: req.URL, Header: a.Header}
}

// PostOnly sends a form like Post and does not follow the answer: the connection
// broke, or somebody stopped the browser.
func (b *Browser) PostOnly(action string, values url.Values) {
	b.t.Helper()
	b.stay = true
	defer func() { b.stay = false }()
	b.Post(action, values)
}

// Submit fills in the form that has a button name=value, presses it, and returns
// what comes.
func (b *Browser) Submit(p Page, button, value string, changes url.Values) Page {
	b.t.Helper()
	for _, f := range p.Forms {
		for _, btn := range f.Buttons {
			if btn.Name == button && btn.Value == value {
				values := url.Values{}
				for k, v := range f.Values {
					values[k] = v
				}
				for k, v := range changes {
					values[k] = v
				}
				values.Set(button, value)
				return b.Post(f.Action, values)
			}
		}
	}
	b.t.Fatalf("no button %s=%s on %s (status %d):\n%s", button, value, p.URL, p.Status, p.Body)
	return Page{}
}

const maxHops = 15

func (b *Browser) do(req *http.Request) Page {
	b.t.Helper()
	for range maxHops {
		if b.referrer != "" {
			req.Header["Referer"] = []string{url.PathEscape(b.referrer)}
		}
		resp, err := b.client.Do(req)
		if err != nil {
			b.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			b.t.Fatal(err)
		}
		p := Page{Status: resp.StatusCode, URL: req.URL, Header: resp.Header, Body: string(body)}
		location := resp.Header.Get("Location")
		if location == "" || b.stay {
			p.Forms = forms(b.t, p.Body)
			return p
		}
		next, err := req.URL.Parse(location)
		if err != nil {
			b.t.Fatalf("redirect to %q: %v", location, err)
		}
		if next.Scheme+"://"+next.Host != b.env.URL {
			p.Left = next
			return p
		}
		if req, err = http.NewRequest(http.MethodGet, next.String(), nil); err != nil {
			b.t.Fatal(err)
		}
	}
	b.t.Fatal("too many redirects")
	return Page{}
}

func forms(t testing.TB, body string) []Form {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	var list []Form
	var current *Form
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode {
			switch n.Data {
			case "form":
				list = append(list, Form{Action: attribute(n, "action"), Values: url.Values{}})
				current = &list[len(list)-1]
			case "input":
				if current != nil {
					current.input(n)
				}
			case "button":
				if current != nil {
					current.Buttons = append(current.Buttons, Input{attribute(n, "name"), attribute(n, "value"), "submit"})
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
		if n.Type == html.ElementNode && n.Data == "form" {
			current = nil
		}
	}
	visit(doc)
	return list
}

func (f *Form) input(n *html.Node) {
	i := Input{attribute(n, "name"), attribute(n, "value"), attribute(n, "type")}
	f.Inputs = append(f.Inputs, i)
	_, checked := find(n, "checked")
	if i.Name == "" || (i.Type == "checkbox" || i.Type == "radio") && !checked {
		return
	}
	f.Values.Add(i.Name, i.Value)
}

func attribute(n *html.Node, key string) string {
	v, _ := find(n, key)
	return v
}

func find(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// Value is the value of the element with an id, an input or its text.
func (p Page) Value(t testing.TB, id string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode && attribute(n, "id") == id {
			found = attribute(n, "value")
			if found == "" && n.FirstChild != nil {
				found = n.FirstChild.Data
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(doc)
	return found
}

// HasButton reports whether some form has the button.
func (p Page) HasButton(name, value string) bool {
	for _, f := range p.Forms {
		for _, b := range f.Buttons {
			if b.Name == name && b.Value == value {
				return true
			}
		}
	}
	return false
}

// Inputs are the values of all inputs of a name.
func (p Page) Inputs(name string) []string {
	var list []string
	for _, f := range p.Forms {
		for _, i := range f.Inputs {
			if i.Name == name {
				list = append(list, i.Value)
			}
		}
	}
	return list
}

// Password is that of a person of the sandbox.
func (e *Env) Password(username string) string {
	e.t.Helper()
	for _, person := range e.File.People {
		if person.Username == username {
			return person.Password
		}
	}
	e.t.Fatalf("nobody is called %s", username)
	return ""
}

// SignIn signs in on the login page with the password of the sandbox.
func (b *Browser) SignIn(p Page, username string) Page {
	b.t.Helper()
	return b.Submit(p, "action", "sign-in", url.Values{"username": {username}, "password": {b.env.Password(username)}})
}

// Describe is a page in one line, for failures.
func (p Page) Describe() string {
	if p.Left != nil {
		return fmt.Sprintf("%d to %s", p.Status, p.Left)
	}
	return fmt.Sprintf("%d %s", p.Status, p.URL)
}

// Claim makes the browser send a referrer and a cookie of somebody else's making with
// everything from then on.
func (b *Browser) Claim(text string) {
	b.referrer = text
	u, err := url.Parse(b.env.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "return_to", Value: url.QueryEscape(text), Path: "/"}})
}

// Cookies are what the browser holds for the server, by name.
func (b *Browser) Cookies() map[string]string {
	u, err := url.Parse(b.env.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]string{}
	for _, c := range b.client.Jar.Cookies(u) {
		all[c.Name] = c.Value
	}
	return all
}

// SetCookie makes the browser hold a cookie of somebody else's making for the server.
func (b *Browser) SetCookie(name, value string) {
	u, err := url.Parse(b.env.URL)
	if err != nil {
		b.t.Fatal(err)
	}
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Forged sends a form that stands on a page of another site, as a browser would that
// sends its cookies along all the same.
func (b *Browser) Forged(action string, values url.Values) Page {
	b.t.Helper()
	req, err := http.NewRequest(http.MethodPost, b.absolute(action), strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://evil.example.org")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	return b.do(req)
}
