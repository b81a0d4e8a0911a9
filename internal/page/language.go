package page

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// Languages that pages exist in; the first one is what others fall back to.
var Languages = []string{"en", "es"}

var ownNames = map[string]string{"en": "English", "es": "Español"}

var matcher = language.NewMatcher([]language.Tag{language.English, language.Spanish})

// languageCookie remembers the language that a person chose.
const languageCookie = "emberlatch_language"

// Language is the language of a request: what the person chose on a page, then
// what the app says (ui_locales, OpenID Connect Core §3.1.2.1), then what the
// browser says.
func (r *Renderer) Language(req *http.Request, uiLocales string) string {
	if chosen := req.URL.Query().Get("lang"); ownNames[chosen] != "" {
		return chosen
	}
	if c, err := req.Cookie(languageCookie); err == nil && ownNames[c.Value] != "" {
		return c.Value
	}
	_, index := language.MatchStrings(matcher, strings.ReplaceAll(uiLocales, " ", ","), req.Header.Get("Accept-Language"))
	return Languages[index]
}

// remember keeps a language that was chosen by a link.
func (r *Renderer) remember(w http.ResponseWriter, req *http.Request) {
	if chosen := req.URL.Query().Get("lang"); ownNames[chosen] != "" {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: chosen, Path: "/", MaxAge: 365 * 24 * 3600,
			Secure: r.deps.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
}

// others are links to the same page in the other languages.
func others(code, self string) []languageLink {
	u, err := url.Parse(self)
	if self == "" || err != nil || u.IsAbs() || u.Host != "" {
		return nil
	}
	var list []languageLink
	for _, l := range Languages {
		if l == code {
			continue
		}
		q := u.Query()
		q.Set("lang", l)
		list = append(list, languageLink{l, ownNames[l], u.Path + "?" + q.Encode()})
	}
	return list
}

func loadMessages(code string) (map[string]string, error) {
	raw, err := files.ReadFile("messages/" + code + ".json")
	if err != nil {
		return nil, err
	}
	var m map[string]string
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("messages/%s.json: %w", code, err)
	}
	return m, nil
}

// styleFile is the name of the style sheet with the version of its content.
var styleFile = func() string {
	css, err := files.ReadFile("assets/style.css")
	if err != nil {
		return "style.css"
	}
	sum := sha256.Sum256(css)
	return "style-" + hex.EncodeToString(sum[:6]) + ".css"
}()

// functions are what templates call.
func (l *tongue) functions() template.FuncMap {
	return template.FuncMap{
		"t": l.text, "date": l.date, "day": l.day, "clock": clock, "has": l.has,
		"style": func() string { return "/assets/" + styleFile },
	}
}

func (l *tongue) has(key string) bool { return l.messages[key] != "" }

// text is a sentence with its {named} parts filled in, pairs of name and value.
// A key without words shows itself, which a test does not let pass.
func (l *tongue) text(key string, pairs ...any) string {
	s, ok := l.messages[key]
	if !ok {
		return key
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		s = strings.ReplaceAll(s, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return s
}

// date writes a day as people of the language do.
func (l *tongue) date(t time.Time) string {
	return l.text("date.form", "day", t.Day(), "month", l.text(fmt.Sprintf("month.%d", int(t.Month()))), "year", t.Year())
}

// day writes a FHIR date; a partial one as it is.
func (l *tongue) day(s string) string {
	t, err := time.Parse("2006-01-02", s)
	if err != nil {
		return s
	}
	return l.date(t)
}

func clock(t time.Time) string { return t.UTC().Format("15:04") + " UTC" }
