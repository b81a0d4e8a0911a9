package agent

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// form is one form of a page.
type form struct {
	action, method string
	inputs         []input
	buttons        []input
}

// input is a control of a form; text is what a button says.
type input struct {
	name, value, kind, autocomplete, text string
	checked, dialog                       bool
}

// forms reads the forms of a page; what cannot be read has none.
func forms(body []byte) []form {
	doc, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	var list []form
	inside := -1
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		before := inside
		if n.Type == html.ElementNode && n.Data == "form" {
			list = append(list, form{action: attribute(n, "action"), method: strings.ToLower(attribute(n, "method"))})
			inside = len(list) - 1
		}
		if n.Type == html.ElementNode && inside >= 0 {
			list[inside].control(n)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
		inside = before
	}
	visit(doc)
	return list
}

func (f *form) control(n *html.Node) {
	i := input{
		name: attribute(n, "name"), value: attribute(n, "value"), kind: strings.ToLower(attribute(n, "type")),
		autocomplete: strings.ToLower(attribute(n, "autocomplete")), dialog: strings.EqualFold(attribute(n, "formmethod"), "dialog"),
	}
	_, i.checked = find(n, "checked")
	switch n.Data {
	case "button":
		if i.kind != "button" && i.kind != "reset" {
			i.text = content(n)
			f.buttons = append(f.buttons, i)
		}
	case "input":
		switch i.kind {
		case "submit", "image":
			i.text = i.value
			f.buttons = append(f.buttons, i)
		case "button", "reset":
		default:
			f.inputs = append(f.inputs, i)
		}
	case "select":
		i.value = firstOption(n)
		f.inputs = append(f.inputs, i)
	case "textarea":
		i.value = content(n)
		f.inputs = append(f.inputs, i)
	}
}

// preset are the values that a form sends when nothing is touched.
func (f form) preset() url.Values {
	v := url.Values{}
	for _, i := range f.inputs {
		if i.name == "" || (i.kind == "checkbox" || i.kind == "radio") && !i.checked {
			continue
		}
		v.Add(i.name, i.value)
	}
	return v
}

func (f form) has(test func(input) bool) bool {
	for _, i := range f.inputs {
		if test(i) {
			return true
		}
	}
	return false
}

func isPassword(i input) bool { return i.kind == "password" || i.autocomplete == "current-password" }

func firstOption(n *html.Node) string {
	first, chosen := "", ""
	seen := false
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == "option" {
			if !seen {
				first, seen = attribute(n, "value"), true
			}
			if _, selected := find(n, "selected"); selected {
				chosen = attribute(n, "value")
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(n)
	if chosen != "" {
		return chosen
	}
	return first
}

// content is the text inside of an element, in one line.
func content(n *html.Node) string {
	var b strings.Builder
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

// title is what a page calls itself.
func title(body []byte) string {
	doc, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	found := ""
	var visit func(n *html.Node)
	visit = func(n *html.Node) {
		if n.Type == html.ElementNode && n.Data == "title" && found == "" {
			found = content(n)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			visit(c)
		}
	}
	visit(doc)
	return found
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
