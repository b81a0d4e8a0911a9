package page

import (
	"net/http"
	"strings"
	"time"
	"unicode"
)

// Receipt is what a person keeps of an access that has ended. It holds nothing that
// opens anything.
type Receipt struct {
	StoppedAccess
	ClientID    string
	Since       time.Time
	Read, Write []ScopeRow
	Scopes      []string
}

// Receipt writes a receipt as a text to keep, in the person's language.
func (r *Renderer) Receipt(w http.ResponseWriter, req *http.Request, p Receipt) {
	code := r.Language(req, "")
	h := w.Header()
	Headers(h, nil)
	h.Set("Content-Language", code)
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="sharing-stopped-`+p.At.UTC().Format("20060102-150405")+`.txt"`)
	_, _ = w.Write([]byte(r.languages[code].receipt(p, r.deps.Organisation)))
}

func (l *tongue) receipt(p Receipt, organisation string) string {
	var b strings.Builder
	line := func(words string) { b.WriteString(oneLine(words) + "\r\n") }
	line(organisation)
	line(l.text("receipt.title"))
	line("")
	line(l.text("receipt.app", "app", p.App.Name, "id", p.ClientID))
	line(l.text("record."+p.Whose.Kind, "patient", p.Whose.Name))
	line(l.text("receipt.since", "date", l.date(p.Since.UTC())))
	line(l.text("receipt.stopped", "moment", l.moment(p.At)))
	line(l.text("stopped-by."+p.By, "organisation", organisation, "app", p.App.Name))
	line("")
	for _, kind := range l.summary(p.Read, p.Whose.Own()) {
		line(l.text("approve.pair", "kind", l.text("connected.read"), "part", kind))
	}
	for _, kind := range l.summary(p.Write, p.Whose.Own()) {
		line(l.text("approve.pair", "kind", l.text("connected.write"), "part", kind))
	}
	line(l.text("receipt.scopes", "scopes", strings.Join(p.Scopes, " ")))
	line("")
	line(l.text("stop-sharing.effect"))
	line(l.text("approve.copies"))
	return b.String()
}

// oneLine keeps what others have named from making lines of its own, or from turning
// the writing around.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}
