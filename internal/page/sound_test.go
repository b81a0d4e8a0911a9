package page_test

import (
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/emberlatch/emberlatch/internal/page"
)

// Every page is sound for a screen reader and by keyboard (WCAG 2.2 AA): one
// heading that is the title, a language, labels, ids that exist and are unique,
// groups with a name, mistakes that are tied to their inputs.
//
// spec: LOGIN-25
func TestEveryPageIsSound(t *testing.T) {
	for _, s := range append(samples(), hostilePages()...) {
		for _, lang := range page.Languages {
			t.Run(s.name+" "+lang, func(t *testing.T) {
				_, doc := render(t, s, lang)
				ids := checkIDs(t, doc)
				checkFrame(t, doc, lang)
				checkInputs(t, doc)
				checkReferences(t, doc, ids)
				checkMistakes(t, doc)
			})
		}
	}
}

func checkIDs(t *testing.T, doc *html.Node) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	for _, n := range elements(doc) {
		id, ok := attribute(n, "id")
		if ok && (id == "" || ids[id]) {
			t.Errorf("the id %q is empty or there twice", id)
		}
		ids[id] = true
	}
	return ids
}

func checkFrame(t *testing.T, doc *html.Node, lang string) {
	t.Helper()
	root := elements(doc, "html")[0]
	if attr(root, "lang") != lang || attr(root, "dir") != "ltr" {
		t.Errorf("language %q, direction %q", attr(root, "lang"), attr(root, "dir"))
	}
	headings := elements(doc, "h1")
	if len(headings) != 1 {
		t.Fatalf("%d h1", len(headings))
	}
	title := words(elements(doc, "title")[0])
	if !strings.HasPrefix(title, words(headings[0])) || !strings.HasSuffix(title, "– Valley Clinic") {
		t.Errorf("title %q, heading %q", title, words(headings[0]))
	}
	body := elements(doc, "body")[0]
	if first := elements(body)[0]; attr(first, "href") != "#main" || len(elements(doc, "main")) != 1 {
		t.Errorf("the first element is <%s %s>, want the link that skips to the content", first.Data, attr(first, "href"))
	}
	if !strings.Contains(words(body), map[string]string{"en": "Test system", "es": "Sistema de prueba"}[lang]) {
		t.Error("the page does not say that this is a test system")
	}
}

// checkInputs: every input that people fill in has a label, every button words,
// every group a name.
func checkInputs(t *testing.T, doc *html.Node) {
	t.Helper()
	labels := map[string]bool{}
	for _, n := range elements(doc, "label") {
		if target := attr(n, "for"); target != "" && words(n) != "" {
			labels[target] = true
		}
	}
	for _, n := range elements(doc, "input", "textarea", "select") {
		if attr(n, "type") != "hidden" && !labels[attr(n, "id")] {
			t.Errorf("input %q has no label", attr(n, "name"))
		}
	}
	for _, n := range elements(doc, "button") {
		if words(n) == "" && attr(n, "aria-hidden") == "" {
			t.Errorf("button %s=%s has no words", attr(n, "name"), attr(n, "value"))
		}
	}
	for _, n := range elements(doc, "fieldset") {
		if attr(n, "aria-labelledby") == "" && attr(n, "aria-label") == "" && (len(elements(n, "legend")) == 0 || words(elements(n, "legend")[0]) == "") {
			t.Error("a fieldset has no name")
		}
	}
}

// checkReferences: what describes or labels an element, and what a link within
// the page leads to, exists.
func checkReferences(t *testing.T, doc *html.Node, ids map[string]bool) {
	t.Helper()
	for _, n := range elements(doc) {
		for _, key := range []string{"for", "aria-describedby", "aria-labelledby"} {
			for _, id := range strings.Fields(attr(n, key)) {
				if !ids[id] {
					t.Errorf("<%s> %s names %q, which is not there", n.Data, key, id)
				}
			}
		}
		if id, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && !ids[id] && !strings.HasPrefix(id, "ZgotmplZ") { // that one html/template disarmed
			t.Errorf("a link leads to #%s, which is not there", id)
		}
		if attr(n, "target") == "_blank" && attr(n, "rel") != "noreferrer noopener" {
			t.Errorf("%s opens another tab and tells it of this one", attr(n, "href"))
		}
	}
}

// checkMistakes: a mistake is announced once, above the form, and every input that
// is wrong says where it is described.
func checkMistakes(t *testing.T, doc *html.Node) {
	t.Helper()
	alerts := 0
	for _, n := range elements(doc) {
		if attr(n, "role") == "alert" {
			alerts++
			if _, ok := attribute(n, "autofocus"); !ok || words(n) == "" {
				t.Error("the alert does not take the focus, or is empty")
			}
		}
		if attr(n, "aria-invalid") == "true" {
			if attr(n, "aria-describedby") == "" {
				t.Errorf("%s is wrong and does not say why", attr(n, "name"))
			}
			if alerts != 1 {
				t.Errorf("%s is wrong, and %d alerts stand above it", attr(n, "name"), alerts)
			}
		}
	}
	if alerts > 1 {
		t.Errorf("%d alerts", alerts)
	}
}
