package fhirapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// reasonHeader names the reason of a decision, where reasons are told.
const reasonHeader = "Emberlatch-Reason"

// Deps are the parts that the door needs; what may be missing says so.
type Deps struct {
	Base     string // FHIR base URL, as advertised
	Path     string // its path on this origin, "/fhir"
	Subjects Subjects
	Backend  fhirstore.Backend
	// Keeper writes the records and tells their histories; nil: neither is offered.
	Keeper fhirstore.Keeper
	// Offers says what another server that holds the records does; nil: they are held here.
	Offers func(ctx context.Context) (Offers, error)
	// Export answers $export; the zero value: it is not offered.
	Export  Export
	PageKey []byte // 32 bytes, shared by all nodes
	// Capability is the CapabilityStatement, see NewCapability.
	Capability []byte
	// CapabilityNow takes its place where what is offered changes; nil: nowhere.
	CapabilityNow func(ctx context.Context) ([]byte, error)
	// MaxPosition bounds the positions of the backend; nil: fhirstore.MaxPosition.
	MaxPosition func(search.Query) int
	// TellReasons names the reason of each decision in a header: for sandboxes, whose
	// records are nobody's.
	TellReasons bool
	// Trail takes who asked for what; nil: nothing is recorded, which is for tests.
	Trail Trail
	// Events tells patients what was recorded about them; nil: nobody.
	Events Events
	// Sensitive are the operator's categories of sensitive content; nil: there are none.
	Sensitive *sensitive.Categories
	// Address is where a request comes from, for the record; nil: it is not told.
	Address func(r *http.Request) string
	Now     func() time.Time
	Log     *slog.Logger
}

// Door answers FHIR requests.
type Door struct {
	deps    Deps
	sealer  sealer
	exports *exports // nil: not offered
	// capabilityTag is the entity tag of the CapabilityStatement.
	capabilityTag string
}

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Base == "" || deps.Path == "" || deps.Subjects == nil || deps.Backend == nil ||
		len(deps.Capability) == 0 && deps.CapabilityNow == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("fhirapi: a part is missing")
	}
	s, err := newSealer(deps.PageKey)
	if err != nil {
		return nil, err
	}
	if deps.MaxPosition == nil {
		deps.MaxPosition = fhirstore.MaxPosition
	}
	d := &Door{deps: deps, sealer: s, capabilityTag: tagOf(deps.Capability)}
	if deps.Export.Store != nil {
		if !deps.Export.complete() {
			return nil, errors.New("fhirapi: a part of exports is missing")
		}
		d.exports = &exports{Export: deps.Export, pace: usualPace}
	}
	return d, nil
}

// ServeHTTP answers one request below the FHIR base.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.EscapedPath() == d.deps.Path+"/metadata" && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		d.capability(w, r)
		return
	}
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Authorization")
	header.Set("X-Content-Type-Options", "nosniff")
	w = d.record(w, r)
	defer lost(w)
	if err := d.serve(w, r); err != nil {
		d.fail(w, r, err)
	}
}

func (d *Door) serve(w http.ResponseWriter, r *http.Request) error {
	subject, err := d.subject(w, r)
	if err != nil {
		because(w, tokenRefused)
		return err
	}
	by(w, subject)
	if place, ok := strings.CutPrefix(r.URL.EscapedPath(), d.deps.Path+exportsPath); ok && d.exports != nil {
		asks(w, fhir.Interaction{Code: fhir.Operation, Operation: "export"})
		return d.exported(w, r, subject, place)
	}
	interaction, err := d.interaction(r)
	if err != nil {
		return err
	}
	asks(w, interaction)
	if interaction.Operation == "export" {
		return d.export(w, r, subject, interaction)
	}
	if interaction.Code == fhir.Batch && d.deps.Keeper != nil {
		return d.bundle(w, r, subject)
	}
	return d.answer(w, r, subject, interaction)
}

// tokenRefused is the reason of a request whose token is missing or not good.
const tokenRefused = "token.refused"

// answer answers one interaction: a request, or an entry of a batch.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, subject access.Subject, interaction fhir.Interaction) error {
	if interaction.Operation == "validate" && d.deps.Keeper != nil {
		return d.validate(w, r, subject, interaction)
	}
	if interaction.Operation == "everything" && interaction.Type == "Patient" && interaction.ID != "" && d.deps.Keeper != nil {
		return d.everything(w, r, subject, interaction)
	}
	if interaction.Operation == "export" { // what is answered later is no entry of a batch (row 113)
		if err := d.mayExport(w, subject); err != nil {
			return err
		}
		return outcome(http.StatusForbidden, "forbidden", "An export is a request of its own, not an entry of a batch.")
	}
	// Order: the gate reads token and request line only; nothing was fetched yet.
	decision := access.Decide(subject, interaction)
	if d.deps.TellReasons { // of the decision, which data does not change; never of a row
		w.Header().Set(reasonHeader, string(decision.Reason()))
	}
	because(w, string(decision.Reason()))
	if !decision.Allowed() {
		return refused(decision)
	}
	posted := interaction.Code == fhir.SearchType && r.Method == http.MethodPost
	values, err := parameters(r, posted)
	if err != nil {
		return err
	}
	if posted {
		with(w, values.Encode)
	}
	if err := negotiate(r, values); err != nil {
		return err
	}
	if interaction.Type == trailType {
		return d.events(w, r, decision, subject, interaction, values)
	}
	switch interaction.Code {
	case fhir.Read, fhir.VRead:
		return d.read(w, r, decision, interaction, values)
	case fhir.SearchType:
		return d.search(w, r, decision, subject, interaction, values)
	}
	if d.deps.Keeper == nil {
		return notOffered(interaction)
	}
	if err := d.elsewhere(interaction); err != nil {
		return err
	}
	switch interaction.Code {
	case fhir.HistoryInstance, fhir.HistoryType, fhir.HistorySystem:
		return d.history(w, r, decision, subject, interaction, values)
	case fhir.Create, fhir.Update, fhir.Patch, fhir.Delete:
		return d.write(w, r, subject, decision, interaction, values)
	}
	return notOffered(interaction)
}

// elsewhere refuses what another server that holds the records cannot narrow to what
// somebody may see (rows 6 and 32 of the leak catalogue).
func (d *Door) elsewhere(i fhir.Interaction) error {
	if d.deps.Offers == nil {
		return nil
	}
	switch i.Code {
	case fhir.HistoryType, fhir.HistorySystem:
		return outcome(http.StatusForbidden, "not-supported", "Another server holds the records, and cannot keep the history of many back from those who may not see it. Ask for the history of one resource: Type/id/_history.")
	case fhir.SearchSystem:
		return outcome(http.StatusForbidden, "not-supported", "Another server holds the records, and cannot narrow a search over all types. Search one type at a time.")
	}
	return nil
}

func notOffered(i fhir.Interaction) error {
	return outcome(http.StatusNotImplemented, "not-supported", "The "+string(i.Code)+" interaction is not offered.")
}

// interaction parses the request line; what is not understood does not exist.
func (d *Door) interaction(r *http.Request) (fhir.Interaction, error) {
	path := r.URL.EscapedPath()
	if len(path) < len(d.deps.Path) || path[:len(d.deps.Path)] != d.deps.Path {
		return fhir.Interaction{}, notFound()
	}
	return fhir.ParseInteraction(r.Method, path[len(d.deps.Path):])
}

// refused turns a closed gate into its answer (RFC 6750 §3.1, ERR-43, ERR-44).
func refused(decision access.Decision) error {
	refusal := decision.Refusal()
	if refusal.InsufficientScope {
		return insufficient(refusal.Text)
	}
	return outcome(refusal.HTTPStatus(), refusal.OutcomeCode(), refusal.Text)
}

func insufficient(text string) error {
	about := &oauth.Error{Code: oauth.InsufficientScope, Status: http.StatusForbidden, Description: text}
	return &refusal{newOutcome(about.Status, "forbidden", text), about}
}

const textNotFound = "There is no such resource, or this access does not reach it."

// notFound is the one answer for hidden and missing resources.
func notFound() error { return outcome(http.StatusNotFound, "not-found", textNotFound) }

// fail writes an error as an OperationOutcome.
func (d *Door) fail(w http.ResponseWriter, r *http.Request, err error) {
	var withChallenge *refusal
	if errors.As(err, &withChallenge) {
		for _, challenge := range d.deps.Subjects.Challenges(r, withChallenge.about) {
			w.Header().Add("WWW-Authenticate", challenge)
		}
	}
	known := d.outcomeOf(r, err)
	status := known.Status
	if status == 0 {
		status = http.StatusBadRequest
	}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, known.JSON())
}

// outcomeOf says an error in words for the caller; what is not meant for the caller
// goes to the log only.
func (d *Door) outcomeOf(r *http.Request, err error) *fhir.OperationOutcome {
	var known *fhir.OperationOutcome
	var denied access.Refusal
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &denied):
		return newOutcome(denied.HTTPStatus(), denied.OutcomeCode(), denied.Text)
	}
	for _, told := range tellable {
		if errors.Is(err, told.err) {
			return newOutcome(told.status, told.code, told.text)
		}
	}
	var failure *fhirstore.Failure
	switch {
	case r.Context().Err() != nil:
		return newOutcome(http.StatusServiceUnavailable, "timeout", "The request took too long or was given up.")
	case errors.As(err, &failure): // ERR-46: what stood behind it is for the log
		d.deps.Log.WarnContext(r.Context(), "the server with the records did not answer as it must", "error", err, "id", door.RequestID(r.Context()))
		if failure.Unsure {
			return newOutcome(failure.Status, "incomplete", "The server that holds the records did not say what became of this change. It may have been made: read before you send it again.")
		}
		return newOutcome(failure.Status, "transient", "The server that holds the records does not answer at present. Try again in a moment.")
	case door.Unavailable(err): // ERR-46: nobody is let through meanwhile
		d.deps.Log.WarnContext(r.Context(), "fhir request could not be answered now", "error", err)
		return newOutcome(http.StatusServiceUnavailable, "transient", "The request cannot be answered at present. Try again in a moment.")
	}
	d.deps.Log.ErrorContext(r.Context(), "fhir request failed", "error", err)
	return newOutcome(http.StatusInternalServerError, "exception", "Something went wrong on our side.")
}

// tellable are errors of the store that a caller is told. Order: a deletion that may
// be known of is an ErrNotFound as well.
var tellable = []struct {
	err        error
	status     int
	code, text string
}{
	{fhirstore.ErrGone, http.StatusGone, "deleted", "The resource was deleted."},
	{fhirstore.ErrNotFound, http.StatusNotFound, "not-found", textNotFound},
	{fhirstore.ErrTooCostly, http.StatusForbidden, "too-costly", "The answer would be too large. Ask for fewer matches a page or fewer includes."},
	{fhirstore.ErrVersion, http.StatusPreconditionFailed, "conflict", "Another version is current than the one in If-Match. Read the resource again."},
	{fhirstore.ErrMany, http.StatusPreconditionFailed, "multiple-matches", "More than one resource fulfils the criteria."},
	{fhirstore.ErrTwice, http.StatusBadRequest, "invalid", "A transaction writes a resource once."},
	{fhirstore.ErrReference, http.StatusUnprocessableEntity, "business-rule", "A reference is to a resource that does not exist, or that this access does not reach."},
	{fhirstore.ErrOwners, http.StatusUnprocessableEntity, "business-rule", "This would put a Binary into another record. Give it a securityContext, or attach one of the same patient."},
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	_ = written(w, status, body) // nobody can be told
}

// written is writeJSON that tells whether all was taken.
func written(w http.ResponseWriter, status int, body []byte) error {
	w.Header().Set("Content-Type", "application/fhir+json; charset=utf-8")
	return door.Body(w, status, body)
}
