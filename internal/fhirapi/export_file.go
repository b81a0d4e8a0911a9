package fhirapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

const (
	// exportPatience is how long a client may take for one page of a file.
	exportPatience = time.Minute
	// exportFileTime is how long a file may take, since the rights under which it is
	// read are those of its beginning.
	exportFileTime = 10 * time.Minute
)

// exportFile sends a file: the range of ids that it was counted as, under the rights of
// this moment. What was deleted, or is not reached any more, is left out.
func (d *Door) exportFile(w http.ResponseWriter, r *http.Request, subject access.Subject, e fhirstore.Export, name string) error {
	n, err := strconv.Atoi(name)
	if err != nil || strconv.Itoa(n) != name || n < 1 || n > len(e.Progress.Files) || !e.Counted() {
		return notFound()
	}
	file := e.Progress.Files[n-1]
	decision := access.DecideExport(subject, file.Type)
	if !decision.Allowed() {
		return refused(decision)
	}
	within, err := d.stillMembers(r.Context(), subject, e.Asked)
	if err != nil {
		return err
	}
	q, err := d.exportQuery(e, file.Type, within)
	if err != nil {
		return err
	}
	q.After, q.Until, q.Count = file.After, file.Until, d.exports.page
	// Order: the first page before the first byte, so that what fails then is told.
	list, next, err := d.exports.Store.ReadExport(r.Context(), decision, q)
	if err != nil {
		return err
	}
	asks(w, fhir.Interaction{Code: fhir.Operation, Operation: "export", Type: file.Type})
	because(w, string(decision.Reason()))
	out := beginFile(w, r, e.Expires)
	if r.Method == http.MethodHead || withheld(w) {
		return nil
	}
	control, began := http.NewResponseController(w), time.Now()
	for {
		_ = control.SetWriteDeadline(time.Now().Add(exportPatience)) // what is no connection, in tests, has none
		err := d.discloses(w, decision, list)
		if err == nil {
			err = d.lines(out, r, decision, list)
		}
		if err == nil && next != "" && (!d.exports.Stands(subject) || time.Since(began) > exportFileTime) {
			err = errExportEnded
		}
		if err == nil && next == "" {
			err = out.Close()
			if err == nil {
				return nil
			}
		}
		if err == nil {
			q.After = next
			list, next, err = d.exports.Store.ReadExport(r.Context(), decision, q)
		}
		if err != nil {
			d.deps.Log.WarnContext(r.Context(), "a file of an export was broken off", "error", err)
			panic(http.ErrAbortHandler) // the file is not whole, and must not look so
		}
	}
}

var errExportEnded = errors.New("fhirapi: the client was stopped, or took too long")

// beginFile writes the headers of a file, and compresses for who takes it.
func beginFile(w http.ResponseWriter, r *http.Request, expires time.Time) io.WriteCloser {
	header := w.Header()
	header.Set("Content-Type", ndjson[0])
	header.Set("Expires", expires.Format(http.TimeFormat))
	header.Add("Vary", "Accept-Encoding")
	if !takesGzip(r) {
		w.WriteHeader(http.StatusOK)
		return plain{w}
	}
	header.Set("Content-Encoding", "gzip")
	w.WriteHeader(http.StatusOK)
	return gzip.NewWriter(w)
}

// takesGzip: RFC 9110 §12.5.3, as far as gzip is named.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(part), " ", ""), ";")
		if name == "gzip" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(weight, "q="), 64)
			return weight == "" || err == nil && q > 0
		}
	}
	return false
}

type plain struct{ io.Writer }

// Close ends nothing: the answer ends with the request.
func (plain) Close() error { return nil }

// lines writes resources, each judged once more.
func (d *Door) lines(out io.Writer, r *http.Request, decision access.Decision, list []fhirstore.Record) error {
	for _, record := range list {
		if !decision.Admits(record.Resource, record.Owners) {
			d.alarm(r, record)
			continue
		}
		line, err := asLine(record.Resource)
		if err != nil {
			return err
		}
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// asLine is a resource on a line of its own.
func asLine(resource fhir.Resource) ([]byte, error) {
	raw := resource.JSON()
	line := bytes.NewBuffer(make([]byte, 0, len(raw)+1))
	if err := json.Compact(line, raw); err != nil {
		return nil, err
	}
	line.WriteByte('\n')
	return line.Bytes(), nil
}
