package admin

import (
	"bufio"
	"context"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Auditor verifies and exports the security record.
type Auditor interface {
	Verify(ctx context.Context, noted audit.Head) (audit.Report, error)
	Export(ctx context.Context, since, until time.Time, write func(line []byte) error) error
}

// verifyAudit looks at the whole chain of events.
func (d *Door) verifyAudit(r *http.Request) (int, any, error) {
	noted, err := audit.ParseHead(r.URL.Query().Get("head"))
	if err != nil {
		return 0, nil, bad("head: use what an earlier verification printed, PLACE:LINK")
	}
	report, err := d.deps.Auditor.Verify(r.Context(), noted)
	return http.StatusOK, report, err
}

// exportAudit writes events as NDJSON of FHIR AuditEvents. Reading the record is
// recorded in it, before anything is read (AUD-15). An export that fails on its way
// breaks the connection off, so that it is not taken for a whole one.
func (d *Door) exportAudit(w http.ResponseWriter, r *http.Request) {
	since, until, err := span(r)
	if err == nil {
		err = d.record(r.Context(), "audit.exported", store.Event{})
	}
	if err != nil {
		d.answer(func(*http.Request) (int, any, error) { return 0, nil, err })(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/fhir+ndjson")
	out := bufio.NewWriter(w)
	err = d.deps.Auditor.Export(r.Context(), since, until, func(line []byte) error {
		_, err := out.Write(append(line, '\n'))
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		d.deps.Log.Error("an export of the security record failed", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// span reads since and until; one that is left out is no limit.
func span(r *http.Request) (since, until time.Time, err error) {
	for name, into := range map[string]*time.Time{"since": &since, "until": &until} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		if *into, err = time.Parse(time.RFC3339, text); err != nil {
			return since, until, bad("%s: write a time like 2026-11-26T00:00:00Z", name)
		}
	}
	return since, until, nil
}
