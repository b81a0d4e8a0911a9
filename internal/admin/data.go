package admin

import (
	"encoding/json"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// LoadLine is one line of the answer to POST /data: progress while it runs, the
// report at the end.
type LoadLine struct {
	Stored   int                     `json:"stored,omitempty"`
	Done     bool                    `json:"done,omitempty"`
	Types    map[string]int          `json:"types,omitempty"`
	Same     int                     `json:"unchanged,omitempty"`
	Failures []fhirstore.LoadFailure `json:"failures,omitempty"`
	Error    string                  `json:"error,omitempty"`
}

// load streams one file into the store and its progress back.
func (d *Door) load(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex()
	enc := json.NewEncoder(w)
	send := func(line LoadLine) {
		_ = enc.Encode(line)
		_ = control.Flush()
	}
	name := r.URL.Query().Get("name")
	var unreadable []fhirstore.LoadFailure
	resources := Incoming(name, r.Body, func(f fhirstore.LoadFailure) { unreadable = append(unreadable, f) })
	report, err := d.deps.Loader.Load(r.Context(), resources, func(n int) { send(LoadLine{Stored: n}) })
	last := LoadLine{Done: true, Types: map[string]int{}, Same: report.Unchanged, Failures: append(report.Failures, unreadable...)}
	for t, n := range report.Stored {
		last.Types[string(t)] = n
		last.Stored += n
	}
	if err == nil {
		err = d.finishLoad(r)
	}
	if err != nil {
		d.deps.Log.Error("loading failed", "error", err)
		last.Error = err.Error()
	}
	send(last)
}

// finishLoad lets every process forget who reaches whom: care teams and panels
// may have changed.
func (d *Door) finishLoad(r *http.Request) error {
	if err := d.deps.Store.Announce(r.Context(), store.ChangePatientPolicy, ""); err != nil {
		return err
	}
	if err := d.record(r.Context(), "data.loaded", store.Event{}); err != nil {
		return err
	}
	return d.deps.Refresh(r.Context())
}
