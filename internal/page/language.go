package page

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/text/language"
)

// Languages that pages exist in; the first one is what others fall back to.
var Languages = []string{"en", "es"}

// ownNames are what languages call themselves.
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

// others are links to the same page in the other languages; none when self is not
// a path of ours. Browsers take two slashes or a backslash for another host.
func others(code, self string) []languageLink {
	u, err := url.Parse(self)
	if err != nil || !strings.HasPrefix(self, "/") || strings.HasPrefix(self, "//") || strings.ContainsAny(self, "\\\t\r\n") {
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

// loadMessages reads the sentences of a language. One that is missing is taken
// from the first language, so that a page is never blank.
func loadMessages(catalogue fs.FS, code string) (map[string]string, error) {
	m, err := readMessages(catalogue, code)
	if err != nil || code == Languages[0] {
		return m, err
	}
	first, err := readMessages(catalogue, Languages[0])
	if err != nil {
		return nil, err
	}
	for key, text := range first {
		if m[key] == "" {
			m[key] = text
		}
	}
	return m, nil
}

func readMessages(catalogue fs.FS, code string) (map[string]string, error) {
	raw, err := fs.ReadFile(catalogue, "messages/"+code+".json")
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
