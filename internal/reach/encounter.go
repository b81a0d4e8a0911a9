package reach

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Encounter is what a picker shows of a visit.
type Encounter struct {
	ID    string
	Kind  string // what it was for
	Date  string // of its beginning, YYYY-MM-DD or shorter
	Place string
	With  string // a clinician
}

// Encounters lists the latest encounters of a patient whom a user reaches, the
// newest first; nobody else's. more says that there are older ones (CTX-12).
func (r *Resolver) Encounters(ctx context.Context, u store.User, patient string) (found []Encounter, more bool, err error) {
	reached, err := r.Reach(ctx, u)
	if err != nil || !reached.Contains(patient) {
		return nil, false, err
	}
	subject := access.NewSubject(r.facts(u, Of(patient), "user/Encounter.rs"))
	q, err := search.Parse("Encounter", url.Values{"patient": {patient}, "_sort": {"-date"}, "_count": {"30"}}, r.deps.Base)
	if err != nil {
		return nil, false, err
	}
	page, err := r.show(ctx, access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: "Encounter"}), q)
	if err != nil {
		return nil, false, err
	}
	for _, m := range page.Matches {
		found = append(found, encounterFrom(m.Resource))
	}
	// The search orders by the end, and one that is going on has none.
	slices.SortStableFunc(found, func(a, b Encounter) int { return strings.Compare(b.Date, a.Date) })
	return found, page.Next != "", nil
}

// HasEncounters reports whether Encounters lists any.
func (r *Resolver) HasEncounters(ctx context.Context, u store.User, patient string) (bool, error) {
	found, _, err := r.Encounters(ctx, u, patient)
	return len(found) > 0, err
}

// Encounter reads one encounter with the rights of the server itself: callers have
// made sure that the user reaches the patient. ErrNotFound unless it is this
// patient's and nobody else's.
func (r *Resolver) Encounter(ctx context.Context, patient, id string) (Encounter, error) {
	if !fhir.ValidID(id) {
		return Encounter{}, ErrNotFound
	}
	record, err := r.deps.Backend.Read(ctx, access.System("reach: an encounter", r.deps.Base), fhir.Reference{Type: "Encounter", ID: id})
	if errors.Is(err, fhirstore.ErrNotFound) || err == nil && !slices.Equal(record.Owners.Required, []string{patient}) {
		return Encounter{}, ErrNotFound
	}
	if err != nil {
		return Encounter{}, err
	}
	return encounterFrom(record.Resource), nil
}

func encounterFrom(r fhir.Resource) Encounter {
	tree := r.Tree()
	e := Encounter{ID: r.ID()}
	period, _ := tree["period"].(fhir.Object)
	e.Date, _, _ = strings.Cut(text(period["start"]), "T")
	for _, kind := range objects(tree["type"]) {
		if e.Kind == "" {
			e.Kind = words(kind)
		}
	}
	if class, ok := tree["class"].(fhir.Object); ok && e.Kind == "" {
		e.Kind = text(class["display"])
	}
	for _, place := range objects(tree["location"]) {
		if e.Place == "" {
			e.Place = display(place["location"])
		}
	}
	for _, one := range objects(tree["participant"]) {
		if e.With == "" {
			e.With = display(one["individual"])
		}
	}
	return e
}

// words are what a CodeableConcept says to people.
func words(concept fhir.Object) string {
	if t := text(concept["text"]); t != "" {
		return t
	}
	for _, c := range objects(concept["coding"]) {
		if t := text(c["display"]); t != "" {
			return t
		}
	}
	return ""
}

func display(v any) string {
	reference, _ := v.(fhir.Object)
	return text(reference["display"])
}
