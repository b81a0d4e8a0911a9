package admin

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/internal/audit"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Auditor verifies and exports the security record.
type Auditor interface {
	Verify(ctx context.Context, noted audit.Head) (audit.Report, error)
	Export(ctx context.Context, which audit.Which, write func(line []byte) error) error
	Follow(ctx context.Context, behind int64) (audit.Followed, error)
	Prune(ctx context.Context, before time.Time) (int, error)
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
	err = d.deps.Auditor.Export(r.Context(), audit.Which{Since: since, Until: until, Emergency: r.URL.Query().Get("emergency") == "true"}, func(line []byte) error {
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

// placeHeader names the place behind which a reader goes on.
const placeHeader = "Emberlatch-Place"

// followAudit answers with the events behind a place, and the place behind which to go
// on. Following is recorded whenever something else than that was read (AUD-15).
func (d *Door) followAudit(w http.ResponseWriter, r *http.Request) {
	f, err := d.follow(r)
	if err != nil {
		d.answer(func(*http.Request) (int, any, error) { return 0, nil, err })(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/fhir+ndjson")
	w.Header().Set(placeHeader, strconv.FormatInt(f.Place, 10))
	for _, line := range f.Lines {
		if _, err := w.Write(append(line, '\n')); err != nil {
			panic(http.ErrAbortHandler) // not to be taken for the whole
		}
	}
}

func (d *Door) follow(r *http.Request) (audit.Followed, error) {
	behind, err := strconv.ParseInt(r.URL.Query().Get("behind"), 10, 64)
	if err != nil || behind < 0 {
		return audit.Followed{}, bad("behind: use the place that was answered last, or 0 for the beginning")
	}
	f, err := d.deps.Auditor.Follow(r.Context(), behind)
	if errors.Is(err, audit.ErrPruned) {
		return f, conflict("events behind place %d were removed because of their age, and cannot be delivered any more; begin with 0", behind)
	}
	if err == nil && f.Others {
		err = d.record(r.Context(), audit.KindFollowed, store.Event{})
	}
	return f, err
}

// pruneAudit removes what happened before a time.
func (d *Door) pruneAudit(r *http.Request) (int, any, error) {
	text := r.URL.Query().Get("before")
	before, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, nil, bad("before: write a time like 2020-11-26T00:00:00Z")
	}
	n, err := d.deps.Auditor.Prune(r.Context(), before)
	if err == nil {
		err = d.record(r.Context(), "audit.pruned", store.Event{Detail: "before " + before.UTC().Format(time.RFC3339)})
	}
	return http.StatusOK, map[string]int{"removed": n}, err
}
