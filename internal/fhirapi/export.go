package fhirapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Export is what Bulk Data exports need (FHIR Bulk Data Access 2.0.0, export).
type Export struct {
	Store fhirstore.Exports
	// Life is how long an export may be fetched.
	Life time.Duration
	// Counting is how many exports of a client may be unfinished.
	Counting int
	// Resources is how many one export may have.
	Resources int
	// Stands is asked while a file is sent: whether the token of the subject is still
	// good, so that a client that is stopped gets no more of it.
	Stands func(access.Subject) bool
	// Began notes in the security record that an export of a form began: group,
	// patients, everything.
	Began func(ctx context.Context, s access.Subject, form string) error
}

func (e Export) complete() bool {
	return e.Store != nil && e.Life > 0 && e.Counting > 0 && e.Resources > 0 && e.Stands != nil && e.Began != nil
}

// maxExports is how many a client may have that have not expired.
const maxExports = 100

// pace is how fast exports go on.
type pace struct {
	atStart, atStatus time.Duration // how long one request counts
	portion           int           // resources counted at once
	file              int           // resources of a file
	page              int           // resources read at once
}

var usualPace = pace{atStart: 300 * time.Millisecond, atStatus: 2 * time.Second, portion: 5000, file: 50_000, page: 100}

// exports are what the door knows of them.
type exports struct {
	Export
	pace
	counting sync.Map // ids of those that this process is counting
}

// exportsPath is where exports are, below the base.
const exportsPath = "/export/"

// export answers a kick-off request: $export, Patient/$export, Group/id/$export. The
// export goes on when its client asks how far it is, on whichever process, so nothing
// is done for a client that went away, and a restart loses nothing.
//
//	kick-off ─▶ DecideExport ─▶ parameters ─▶ types in the scopes ─▶ stored ─▶ 202
//	  403 ◀┘              400 ◀┘        403 ◀┘   404 no such Group ◀┘   429 ◀┘
//	status   ─▶ counted for a while, into ranges of ids ─▶ 202 with progress, or the manifest
//	file     ─▶ a range of ids, read as things stood, under the rights of this moment
func (d *Door) export(w http.ResponseWriter, r *http.Request, subject access.Subject, i fhir.Interaction) error {
	// Order: the gate reads token and request line only; nothing was fetched yet.
	if err := d.mayExport(w, subject); err != nil {
		return err
	}
	if !exportable(i) {
		return outcome(http.StatusForbidden, "forbidden", "Exports are of a Group/id, of all Patients, or of everything.")
	}
	preferences, err := exportPreferences(r)
	if err != nil {
		return err
	}
	asked, err := d.exportAsked(r, i, preferences)
	if err != nil {
		return err
	}
	if asked.Types, err = exportTypes(subject, asked); err != nil {
		return err
	}
	if err := d.exportMembers(r.Context(), subject, &asked); err != nil {
		return err
	}
	begun, err := d.exports.Store.BeginExport(r.Context(), fhirstore.Export{
		ID: strings.ToLower(rand.Text()), Client: subject.ClientID(), Asked: asked,
	}, d.exports.Life, fhirstore.ExportLimits{Counting: d.exports.Counting, All: maxExports})
	if errors.Is(err, fhirstore.ErrExports) {
		w.Header().Set("Retry-After", "60")
		return outcome(http.StatusTooManyRequests, "throttled", "This client has as many exports as it may have. Fetch them, or end them with DELETE at their status URLs.")
	}
	if err != nil {
		return err
	}
	if err := d.exports.Began(r.Context(), subject, exportForm(i)); err != nil { // nothing leaves unseen
		return errors.Join(err, d.exports.Store.CancelExport(r.Context(), begun.Client, begun.ID))
	}
	if _, err := d.count(r.Context(), subject, begun, d.exports.atStart); err != nil {
		return err
	}
	w.Header().Set("Content-Location", d.deps.Base+exportsPath+begun.ID)
	writeJSON(w, http.StatusAccepted, fhir.NewOutcome("information", "informational", "The export has begun. Ask at the URL in Content-Location how far it is.").JSON())
	return nil
}

// mayExport refuses where exports are not offered, and whom they are not for.
func (d *Door) mayExport(w http.ResponseWriter, subject access.Subject) error {
	if d.exports == nil {
		return outcome(http.StatusForbidden, "forbidden", "This server exports nothing: another one holds the records. Ask that one for a bulk export.")
	}
	decision := access.DecideExport(subject, "")
	because(w, string(decision.Reason()))
	if d.deps.TellReasons {
		w.Header().Set(reasonHeader, string(decision.Reason()))
	}
	if !decision.Allowed() {
		return refused(decision)
	}
	return nil
}

// exportable: the three forms of the specification.
func exportable(i fhir.Interaction) bool {
	switch i.Type {
	case "":
		return true
	case "Patient":
		return i.ID == ""
	case "Group":
		return i.ID != ""
	}
	return false
}

func exportForm(i fhir.Interaction) string {
	switch i.Type {
	case "Group":
		return "group"
	case "Patient":
		return "patients"
	}
	return "everything"
}

// exportTypes are the types of an export: those that were asked for by name, each of
// which needs a scope, or else all that the scopes allow (RSB-11).
func exportTypes(subject access.Subject, asked fhirstore.ExportAsked) ([]fhir.ResourceType, error) {
	var some []fhir.ResourceType
	for _, t := range asked.Types {
		if decision := access.DecideExport(subject, t); !decision.Allowed() {
			return nil, refused(decision)
		}
	}
	if asked.Types != nil {
		return asked.Types, nil
	}
	for _, t := range fhir.ResourceTypes() {
		if access.Exportable(t, asked.OfPatients) && access.DecideExport(subject, t).Allowed() {
			some = append(some, t)
		}
	}
	if some == nil {
		return nil, insufficient("The access token has no scope for a type that is part of this export.")
	}
	for t := range asked.Filters {
		if decision := access.DecideExport(subject, t); !decision.Allowed() {
			return nil, refused(decision)
		}
	}
	return some, nil
}

// exportMembers names the patients of an export of a Group: its active members of now,
// narrowed to whom was asked for. A Group that the client may not export is missing.
func (d *Door) exportMembers(ctx context.Context, subject access.Subject, asked *fhirstore.ExportAsked) error {
	if asked.Group == "" {
		return nil
	}
	members, err := d.members(ctx, subject, asked.Group)
	if err != nil {
		return err
	}
	for _, id := range asked.Patients {
		if !members.Contains(id) {
			return newOutcome(http.StatusBadRequest, "not-found", "A patient that was asked for is no member of the Group.").About("patient")
		}
	}
	if !asked.Named {
		asked.Named, asked.Patients = true, members.List()
	}
	return nil
}

// exported answers below exportsPath: an export's status, its end, and its files. The
// export of another client is missing (RSB-14).
func (d *Door) exported(w http.ResponseWriter, r *http.Request, subject access.Subject, place string) error {
	id, file, isFile := strings.Cut(place, "/")
	if err := d.mayExport(w, subject); err != nil {
		return err
	}
	found, err := d.exports.Store.Export(r.Context(), subject.ClientID(), id)
	if errors.Is(err, fhirstore.ErrNotFound) {
		return outcome(http.StatusNotFound, "not-found", "There is no such export: it has ended, or is not of this client.")
	}
	if err != nil {
		return err
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch {
	case isFile && reads:
		return d.exportFile(w, r, subject, found, file)
	case !isFile && reads:
		return d.exportStatus(w, r, subject, found)
	case !isFile && r.Method == http.MethodDelete:
		if err := d.exports.Store.CancelExport(r.Context(), subject.ClientID(), id); err != nil {
			return err
		}
		writeJSON(w, http.StatusAccepted, fhir.NewOutcome("information", "informational", "The export has ended, and its files with it.").JSON())
		return nil
	}
	return outcome(http.StatusMethodNotAllowed, "not-supported", "Ask for an export and its files with GET; end it with DELETE at its status URL.")
}

// exportStatus goes on counting for a while, and tells how far it is.
func (d *Door) exportStatus(w http.ResponseWriter, r *http.Request, subject access.Subject, e fhirstore.Export) error {
	for _, t := range e.Asked.Types {
		if decision := access.DecideExport(subject, t); !decision.Allowed() {
			return refused(decision)
		}
	}
	e, err := d.count(r.Context(), subject, e, d.exports.atStatus)
	if err != nil {
		return err
	}
	switch {
	case e.Progress.TooLarge: // RSB-18
		return outcome(http.StatusRequestEntityTooLarge, "too-costly", "The export has more than "+strconv.Itoa(d.exports.Resources)+" resources. Ask for fewer types, a smaller Group, or what has changed since a date.")
	case !e.Counted():
		w.Header().Set("X-Progress", "type "+strconv.Itoa(e.Progress.Type+1)+" of "+strconv.Itoa(len(e.Asked.Types))+", "+strconv.Itoa(e.Progress.Count)+" resources so far")
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	w.Header().Set("Expires", e.Expires.Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(d.manifest(e))
}

type manifest struct {
	TransactionTime     string         `json:"transactionTime"`
	Request             string         `json:"request"`
	RequiresAccessToken bool           `json:"requiresAccessToken"`
	Output              []manifestFile `json:"output"`
	Error               []manifestFile `json:"error"`
}

type manifestFile struct {
	Type  fhir.ResourceType `json:"type"`
	URL   string            `json:"url"`
	Count int               `json:"count"`
}

func (d *Door) manifest(e fhirstore.Export) manifest {
	m := manifest{e.At.Format("2006-01-02T15:04:05.000Z07:00"), e.Asked.Request, true, []manifestFile{}, []manifestFile{}}
	for i, f := range e.Progress.Files {
		m.Output = append(m.Output, manifestFile{f.Type, d.deps.Base + exportsPath + e.ID + "/" + strconv.Itoa(i+1), f.Count})
	}
	return m
}
