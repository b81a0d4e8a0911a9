package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

//go:embed pages messages assets
var files embed.FS

// Deps are what all pages share; Organisation, Now and Log are required.
type Deps struct {
	Organisation string
	Phone        string
	Sandbox      bool // every page says that this is a test system
	// Upstream says that the people of a sandbox are those of another server, who may
	// be real.
	Upstream bool
	Secure   bool // cookies travel over https only
	// ConnectedPath is the page of connected apps; empty: there is none.
	ConnectedPath string
	Now           func() time.Time
	Log           *slog.Logger
}

// Renderer renders pages. It is safe for concurrent use.
type Renderer struct {
	deps      Deps
	languages map[string]*tongue
}

// Page is a page of this package.
type Page interface {
	name() string // of the template, and of the title's message: name + ".title"
	shell() Shell
	policy() string // what the page may load, run and send
}

// New parses everything; a missing template or word is an error here, not later.
func New(deps Deps) (*Renderer, error) {
	if deps.Organisation == "" || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("page: a part is missing")
	}
	r := &Renderer{deps: deps, languages: map[string]*tongue{}}
	for _, code := range Languages {
		l, err := newTongue(code, deps)
		if err != nil {
			return nil, err
		}
		r.languages[code] = l
	}
	return r, nil
}

func newTongue(code string, deps Deps) (*tongue, error) {
	messages, err := loadMessages(files, code)
	if err != nil {
		return nil, err
	}
	l := &tongue{
		code: code, tag: language.MustParse(code), messages: messages, pages: map[string]*template.Template{}, now: deps.Now, log: deps.Log,
	}
	layout, err := template.New("layout").Funcs(l.functions()).ParseFS(files, shared...)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "pages/*.tmpl")
	if err != nil {
		return nil, err
	}
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "pages/"), ".tmpl")
		if slices.Contains(shared, file) {
			continue
		}
		t, err := layout.Clone()
		if err != nil {
			return nil, err
		}
		if l.pages[name], err = t.ParseFS(files, file); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// shared are the templates that no page is made of by itself.
var shared = []string{"pages/layout.tmpl", "pages/approval.tmpl"}

// view is what a template sees.
type view struct {
	Page         Page
	Shell        Shell
	Name         string
	Organisation string
	Phone        string
	Sandbox      bool
	Connected    string // the page of connected apps
	Upstream     bool
	Language     string
	Direction    string // of the writing
	Others       []languageLink
}

// Of is the view of another page, shown inside of this one.
func (v view) Of(p Page) view {
	v.Page, v.Shell, v.Name = p, p.shell(), p.name()
	return v
}

// Tongues are the other languages, for a page that has no address of its own.
func (v view) Tongues() []languageLink { return others(v.Language, "/") }

type languageLink struct{ Code, Name, URL string }

// Render writes a page with a status. It is rendered as a whole before the first
// byte is sent, so an error never leaves half a page.
func (r *Renderer) Render(w http.ResponseWriter, req *http.Request, status int, p Page) error {
	shell := p.shell()
	code := r.Language(req, shell.UILocales)
	l := r.languages[code]
	t := l.pages[p.name()]
	if t == nil {
		return fmt.Errorf("page: no template for %s", p.name())
	}
	v := view{
		Page: p, Shell: shell, Name: p.name(), Organisation: r.deps.Organisation, Phone: r.deps.Phone, Sandbox: r.deps.Sandbox, Upstream: r.deps.Upstream,
		Connected: r.deps.ConnectedPath, Language: code, Direction: "ltr", Others: others(code, shell.Self),
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "layout", v); err != nil {
		return fmt.Errorf("rendering %s: %w", p.name(), err)
	}
	h := w.Header()
	headers(h, p.policy())
	h.Set("Content-Language", code)
	h.Set("Content-Type", "text/html; charset=utf-8")
	r.remember(w, req)
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
	return nil
}

// Assets serves the style sheet. Its name carries the version of its content.
func (r *Renderer) Assets() http.Handler {
	css, err := files.ReadFile("assets/style.css")
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err != nil || req.PathValue("file") != styleFile {
			http.NotFound(w, req)
			return
		}
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		_, _ = w.Write(css)
	})
}
