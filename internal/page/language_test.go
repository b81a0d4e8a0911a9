package page_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/emberlatch/emberlatch/internal/page"
)

// The person's choice comes first, then what the app says, then the browser; what
// cannot be read counts for nothing.
//
// spec: LOGIN-25
// attack: CO-15
func TestLanguage(t *testing.T) {
	rows := []struct{ name, query, cookie, uiLocales, accept, want string }{
		{"nothing said", "", "", "", "", "en"},
		{"browser", "", "", "", "fr;q=0.9, es-MX;q=0.8, en;q=0.1", "es"},
		{"app before browser", "", "", "es en", "en", "es"},
		{"app says what we do not have", "", "", "fr de", "es", "es"},
		{"chosen before", "", "es", "en", "en", "es"},
		{"chosen now", "en", "es", "es", "es", "en"},
		{"CO-15 unknown", "xx", "zz", "tlh", "tlh", "en"},
		{"CO-15 path", "../../etc/passwd", "../es", "../es", "../es", "en"},
		{"CO-15 address", "//evil.test", "", "//evil.test", "//evil.test", "en"},
		{"CO-15 a thousand tags", "", "", strings.Repeat("fr-FR-x-", 1000), strings.Repeat("fr-FR,", 1000), "en"},
		{"CO-15 64 kB", "", "", "", strings.Repeat("a-", 32<<10), "en"},
	}
	r := renderer(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			req := httptest.NewRequest(http.MethodGet, "/login?"+url.Values{"lang": {row.query}}.Encode(), nil)
			req.Header.Set("Accept-Language", row.accept)
			req.AddCookie(&http.Cookie{Name: "emberlatch_language", Value: row.cookie})
			began := time.Now()
			if got := r.Language(req, row.uiLocales); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// The switch leads to the same page of the same request, and never away from here,
// whatever a page is told about itself; the choice is kept for the next pages.
//
// spec: LOGIN-25
// attack: LP-02, LP-03, LP-05, LP-09, LP-21, LP-26
func TestLanguageSwitch(t *testing.T) {
	rows := []struct{ name, self, want string }{
		{"a step", "/login?request=rq_5", "/login?lang=es&request=rq_5"},
		{"chosen before", "/login?request=rq_5&lang=en", "/login?lang=es&request=rq_5"},
		{"no page to show again", "", ""},
		{"LP-02", "///evil.test", ""}, {"LP-03", "////evil.test", ""}, {"LP-05", `\\evil.test`, ""}, {"LP-09", "https:evil.test", ""},
		{"LP-21", "javascript:alert(1)", ""}, {"LP-26", "https://as.example.evil.test/", ""}, {"one backslash", `/\evil.test`, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w, doc := render(t, sample{"", 200, page.SignIn{Shell: page.Shell{Self: row.self}}}, "en")
			link := find(doc, "a", "hreflang", "es")
			switch {
			case row.want == "" && link != nil:
				t.Errorf("a link to %q", attr(link, "href"))
			case row.want != "" && (link == nil || attr(link, "href") != row.want || attr(link, "lang") != "es" || words(link) != "Español"):
				t.Errorf("no link to %q", row.want)
			}
			if c := w.Result().Cookies(); len(c) != 1 || c[0].Value != "en" || !c[0].HttpOnly || !c[0].Secure || c[0].SameSite != http.SameSiteLaxMode || c[0].Path != "/" {
				t.Errorf("the choice is not kept as it should be: %v", c)
			}
		})
	}
}

// A page shown in answer to a form is one that a link can show again.
func TestSwitchOfAnAnsweredForm(t *testing.T) {
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader("username=maria"))
	if err := renderer(t).Render(w, req, http.StatusOK, sampleOf(t, "sign-in-failed").page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.Body.String(), `href="/login?lang=es&amp;request=rq_5"`) {
		t.Error("the link does not lead to the page by GET")
	}
}

// Numbers are told as the language tells them.
func TestPlurals(t *testing.T) {
	rows := []struct {
		lang    string
		seconds int
		want    string
	}{
		{"en", 1, "wait 1 second and"}, {"en", 2, "wait 2 seconds and"}, {"es", 1, "Espere 1 segundo y"}, {"es", 45, "Espere 45 segundos y"},
		{"es", 60_000_000, "Espere 1000000 minutos y"}, {"en", 120, "wait 120 seconds and"}, {"en", 121, "wait 3 minutes and"},
	}
	for _, row := range rows {
		_, doc := render(t, sample{"", 429, page.SignIn{WaitSeconds: row.seconds}}, row.lang)
		if text := words(elements(doc, "main")[0]); !strings.Contains(text, row.want) {
			t.Errorf("%s %d: %q is not in %q", row.lang, row.seconds, row.want, text)
		}
	}
}

// A sentence that a language lacks comes from the first language, one by one.
func TestMissingSentencesFallBack(t *testing.T) {
	catalogue := fstest.MapFS{
		"messages/en.json": {Data: []byte(`{"share": "Share", "search": "Search", "empty": "Full"}`)},
		"messages/es.json": {Data: []byte(`{"share": "Compartir", "empty": ""}`)},
	}
	got, err := page.LoadMessages(catalogue, "es")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"share": "Compartir", "search": "Search", "empty": "Full"} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
}
