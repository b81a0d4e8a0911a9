package explain

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// ErrInvalidToken: unknown, expired, revoked, forged or meant for somebody else.
var ErrInvalidToken = errors.New("explain: the token is not valid")

// Deps are the parts that an Explainer needs; all but Everything are required.
type Deps struct {
	// Subject verifies a token as the FHIR door does; ErrInvalidToken.
	Subject func(ctx context.Context, token string) (access.Subject, error)
	Backend fhirstore.Backend
	Base    string // FHIR base URL
	// Everything: Patient/id/$everything is answered, and $export.
	Everything bool
}

// Explainer replays requests.
type Explainer struct{ deps Deps }

// New makes an Explainer; it refuses missing parts.
func New(deps Deps) (*Explainer, error) {
	if deps.Subject == nil || deps.Backend == nil || deps.Base == "" {
		return nil, errors.New("explain: a part is missing")
	}
	return &Explainer{deps}, nil
}

// Request is what was asked.
type Request struct {
	Token  string `json:"token"`
	Method string `json:"method"`
	// Path is below the FHIR base, or the whole URL.
	Path string `json:"path"`
}

// Explanation is a request replayed.
type Explanation struct {
	Allowed bool `json:"allowed"`
	// Status is what the caller is told; 200 also where the body may still be refused.
	Status int `json:"status"`
	// Reason is that of the last step: the first that said no, or the one that let through.
	Reason  access.Reason `json:"reason"`
	Client  string        `json:"client_id,omitempty"`
	Grant   string        `json:"grant_id,omitempty"`
	User    string        `json:"user_id,omitempty"`
	Patient string        `json:"patient,omitempty"` // in context
	Steps   []Step        `json:"steps"`
	Scopes  []Scope       `json:"scopes,omitempty"`
	// Owners are the patients that the row is about.
	Owners []string `json:"owners,omitempty"`
	// ReachedBy is which ways lead the user to them, or to the patient in context.
	ReachedBy map[string][]string `json:"reached_by,omitempty"`
	// Sensitive are the categories of sensitive content that the row holds.
	Sensitive []string `json:"sensitive,omitempty"`
}

// Step is one thing that was asked.
type Step struct {
	Step   string        `json:"step"` // token, request, scope, row, content
	OK     bool          `json:"ok"`
	Reason access.Reason `json:"reason"`
	Text   string        `json:"text"`
}

// Scope is what one scope comes to for the request.
type Scope struct {
	Scope    string `json:"scope"`
	Covers   bool   `json:"covers"`
	Reaches  string `json:"reaches"`
	Patients int    `json:"patients"`
	Text     string `json:"text"`
}

// Explain replays one request. An error is of the server: nothing is known then.
func (e *Explainer) Explain(ctx context.Context, r Request) (Explanation, error) {
	x := Explanation{}
	subject, err := e.deps.Subject(ctx, r.Token)
	if errors.Is(err, ErrInvalidToken) {
		return x.no("token", tokenInvalid, http.StatusUnauthorized), nil
	}
	if err != nil {
		return Explanation{}, err
	}
	x.Client, x.Grant, x.User, x.Patient = subject.ClientID(), subject.GrantID(), subject.UserID(), subject.Patient()
	x = x.yes("token", tokenAccepted).reached(subject, x.Patient)
	i, err := fhir.ParseInteraction(r.Method, e.below(r.Path))
	var outcome *fhir.OperationOutcome
	if errors.As(err, &outcome) {
		return x.no("request", requestUnknown, outcome.Status), nil
	}
	if err != nil {
		return Explanation{}, err
	}
	return e.decide(ctx, x.yes("request", requestUnderstood), subject, e.first(i))
}

// first is what a request comes to first: $everything about a patient is a read of the
// patient, and then searches (row 85 of the leak catalogue).
func (e *Explainer) first(i fhir.Interaction) fhir.Interaction {
	if e.deps.Everything && i.Operation == "everything" && i.Type == "Patient" && i.ID != "" {
		return fhir.Interaction{Code: fhir.Read, Type: i.Type, ID: i.ID}
	}
	return i
}

// decide is the gate, and the row behind it.
func (e *Explainer) decide(ctx context.Context, x Explanation, s access.Subject, i fhir.Interaction) (Explanation, error) {
	d, searched := access.Decide(s, i), i
	if e.deps.Everything && i.Operation == "export" {
		d, searched = access.DecideExport(s, ""), fhir.Interaction{Code: fhir.SearchType}
	}
	for _, f := range access.Explain(s, searched) {
		x.Scopes = append(x.Scopes, scopeOf(f))
	}
	if !d.Allowed() {
		return x.no("scope", d.Reason(), d.Refusal().HTTPStatus()), nil
	}
	x = x.yes("scope", d.Reason())
	switch i.Code {
	case fhir.SearchType:
		return x.yes("row", rowsInView), nil
	case fhir.Read, fhir.VRead:
		x, err := e.row(ctx, x, d, i)
		return x.reached(s, x.Owners...), err
	case fhir.Create, fhir.Update, fhir.Patch, fhir.Delete:
		x, err := e.change(ctx, x, d, i)
		return x.reached(s, x.Owners...), err
	case fhir.HistoryInstance, fhir.HistoryType, fhir.HistorySystem:
		x, err := e.versions(ctx, x, d, i)
		return x.reached(s, x.Owners...), err
	}
	return x.yes("row", notReplayed), nil
}

// row looks at the resource with the rights of the server; a version is seen when
// that version and the current one are.
func (e *Explainer) row(ctx context.Context, x Explanation, d access.Decision, i fhir.Interaction) (Explanation, error) {
	whole := access.System("explain", e.deps.Base)
	ref := fhir.Reference{Type: i.Type, ID: i.ID, Version: i.Version}
	for _, read := range e.reads(i) {
		record, err := read(ctx, whole, ref)
		if errors.Is(err, fhirstore.ErrNotFound) {
			return x.no("row", rowMissing, http.StatusNotFound), nil
		}
		if err != nil {
			return Explanation{}, err
		}
		x = x.about(record)
		if reason := d.Row(record.Resource, record.Owners); reason != access.RowInView {
			return x.no("row", reason, http.StatusNotFound), nil
		}
	}
	return x.yes("row", access.RowInView), nil
}

// reached notes why the user reaches patients.
func (x Explanation) reached(s access.Subject, patients ...string) Explanation {
	for _, id := range patients {
		if ways := s.Why(id).List(); len(ways) > 0 {
			if x.ReachedBy == nil {
				x.ReachedBy = map[string][]string{}
			}
			x.ReachedBy[id] = ways
		}
	}
	return x
}

type reading = func(context.Context, access.Decision, fhir.Reference) (fhirstore.Record, error)

func (e *Explainer) reads(i fhir.Interaction) []reading {
	if i.Code == fhir.VRead {
		return []reading{e.deps.Backend.Read, e.deps.Backend.VRead}
	}
	return []reading{e.deps.Backend.Read}
}

// below is the escaped path below the FHIR base, without its query.
func (e *Explainer) below(path string) string {
	path, _, _ = strings.Cut(path, "?")
	path = strings.TrimPrefix(path, e.deps.Base)
	if path != "" && !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}

func (x Explanation) yes(step string, reason access.Reason) Explanation {
	x.Steps = append(x.Steps, Step{step, true, reason, texts[reason]})
	x.Allowed, x.Status, x.Reason = true, http.StatusOK, reason
	return x
}

func (x Explanation) no(step string, reason access.Reason, status int) Explanation {
	x.Steps = append(x.Steps, Step{step, false, reason, texts[reason]})
	x.Allowed, x.Status, x.Reason = false, status, reason
	return x
}
