package manage

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/choice"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// Ledger tells what was recorded about a patient.
type Ledger interface {
	Entries(ctx context.Context, patient string, behind audit.Position, most int) ([]trail.Entry, audit.Position, error)
}

// maxLooks is how many accesses one page puts together.
const maxLooks = 500

// ShowLooked shows who looked at the person's own record: by app, by whether it was the
// person, somebody who stands for them, people who treat them, or the app by itself, and
// never by the name of anybody (AUD-16; docs/adr/0027).
func (d *Door) ShowLooked(w http.ResponseWriter, r *http.Request) {
	who, ok := d.signedIn(w, r, placeLooked)
	if !ok {
		return
	}
	behind, err := audit.ParsePosition(r.URL.Query().Get("before"))
	if err != nil {
		d.deps.Flow.Redirect(w, PathLooked)
		return
	}
	v, err := d.viewer(r.Context(), who)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if v.record == "" { // there is nothing of their own
		d.deps.Flow.Redirect(w, Path)
		return
	}
	p, err := d.looked(r.Context(), v, behind)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.record(r.Context(), "audit.looked", who, "ok")
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

func (d *Door) looked(ctx context.Context, v viewer, behind audit.Position) (page.Looked, error) {
	p := page.Looked{Shell: page.Shell{Self: PathLooked}, Back: Path}
	list, next, err := d.deps.Ledger.Entries(ctx, v.record, behind, maxLooks)
	if err != nil {
		return p, err
	}
	if behind != (audit.Position{}) {
		p.Later = PathLooked
	}
	if text := next.String(); text != "" {
		p.Earlier = PathLooked + "?" + url.Values{"before": {text}}.Encode()
	}
	p.Days = d.days(v, list)
	return p, nil
}

// days puts accesses together: by day, and in it by app, people and way.
func (d *Door) days(v viewer, list []trail.Entry) (days []page.LookedDay) {
	for _, a := range list {
		what := wayOf(a)
		if what == "" {
			continue
		}
		day := a.At.UTC().Truncate(24 * time.Hour)
		if n := len(days); n == 0 || !days[n-1].Day.Equal(day) {
			days = append(days, page.LookedDay{ID: "day-" + strconv.Itoa(n+1), Day: day})
		}
		into := &days[len(days)-1].Looks
		look := page.Look{App: d.app(store.ClientID(a.Client)), By: v.behind(a), What: what, Last: a.At}
		at := slices.IndexFunc(*into, func(l page.Look) bool {
			return l.App.Name == look.App.Name && l.App.Maker == look.App.Maker && l.By == look.By && l.What == look.What
		})
		if at < 0 {
			at = len(*into)
			*into = append(*into, look)
		}
		add(&(*into)[at], a)
		d.sensitive(&(*into)[at], a.Sensitive[v.record])
	}
	return days
}

// sensitive notes which categories of sensitive content were in it, of those that patients
// are told of.
func (d *Door) sensitive(l *page.Look, categories []string) {
	for _, category := range categories {
		words := page.Words{}
		for _, language := range page.Languages {
			if d.deps.Sensitive != nil {
				words[language] = d.deps.Sensitive(category, language)
			}
		}
		known := slices.ContainsFunc(l.Sensitive, func(w page.Words) bool { return maps.Equal(w, words) })
		if !known && words[page.Languages[0]] != "" {
			l.Sensitive = append(l.Sensitive, words)
		}
	}
}

// add counts an access, and the kind of information that it was about.
func add(l *page.Look, a trail.Entry) {
	l.Times++
	if l.What == "allowed" {
		return
	}
	kind := page.Kind{Group: choice.GroupOf(a.Target.Type)}
	switch {
	case a.Code == "$everything":
		kind.Group = "everything"
	case kind.Group == "other":
		kind.Type = string(a.Target.Type)
	}
	if !slices.Contains(l.Kinds, kind) {
		l.Kinds = append(l.Kinds, kind)
	}
}

// wayOf is what was done; empty: nothing that concerns the record.
func wayOf(a trail.Entry) string {
	switch {
	case a.Kind == trail.CodeIssued:
		return "allowed"
	case a.Kind != trail.FHIR || a.Failed() || a.Target.Type == "":
		return ""
	case a.Refused():
		return "refused"
	}
	switch a.Code {
	case "create", "update", "patch", "delete":
		return "changed"
	}
	return "shown"
}

// behind says who was behind an access.
func (v viewer) behind(a trail.Entry) string {
	switch {
	case a.User == "":
		return "app"
	case a.User == string(v.user.ID):
		return "you"
	case audit.Stands(a):
		return "representative"
	}
	return "staff"
}
