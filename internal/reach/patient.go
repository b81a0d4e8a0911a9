package reach

import (
	"context"
	"errors"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Patient is what a picker shows of a patient.
type Patient struct {
	ID, Name      string
	Given, Family string
	Only          string // the whole name, of who has one name only or one that is not taken apart
	BirthDate     string // YYYY-MM-DD, or shorter
	Sex           string // administrative gender
	RecordNumber  string
	Relationship  string // to the user, when they stand for the patient
	Self          bool
	Until         time.Time // when standing for the patient ends; zero: no end set
}

// Search is what a clinician types; empty fields ask nothing.
type Search struct{ Name, BirthDate, RecordNumber string }

// maxFound is how many matches a picker shows.
const maxFound = 50

// Patient reads one patient with the rights of the server itself: callers have
// made sure that the user reaches them. ErrNotFound otherwise.
func (r *Resolver) Patient(ctx context.Context, id string) (Patient, error) {
	if !fhir.ValidID(id) {
		return Patient{}, ErrNotFound
	}
	record, err := r.deps.Backend.Read(ctx, access.System("reach: name of a patient", r.deps.Base), fhir.Reference{Type: "Patient", ID: id})
	if errors.Is(err, fhirstore.ErrNotFound) {
		return Patient{}, ErrNotFound
	}
	if err != nil {
		return Patient{}, err
	}
	return patientFrom(record.Resource), nil
}

// People lists whom a patient or a representative may act for: themselves first,
// then the others by name (LOGIN-20).
func (r *Resolver) People(ctx context.Context, u store.User) ([]Patient, error) {
	reached, err := r.Reach(ctx, u)
	if err != nil {
		return nil, err
	}
	var list []Patient
	standing, err := r.standing(ctx, u, &found{now: r.deps.Now()})
	if err != nil {
		return nil, err
	}
	for _, id := range reached.patients.List() {
		p, err := r.Patient(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		p.Self = u.FHIRUser == "Patient/"+id
		p.represented(u, standing)
		list = append(list, p)
	}
	sort.SliceStable(list, func(i, j int) bool {
		if list[i].Self != list[j].Self {
			return list[i].Self
		}
		return list[i].Name < list[j].Name
	})
	return list, nil
}

// represented notes as what, and how long, the user stands for the patient: by their
// account, or else by a RelatedPerson.
func (p *Patient) represented(u store.User, standing []standing) {
	for _, s := range standing {
		if s.patient == p.ID {
			p.Relationship, p.Until = relationship(s.related), s.until()
		}
	}
	for _, stands := range u.Represents {
		if stands.Patient == p.ID {
			p.Relationship, p.Until = stands.Relationship, stands.Until
		}
	}
}

// Find searches among the patients that a clinician reaches, and nobody else
// (CTX-13). more says that there are others beside the ones returned.
func (r *Resolver) Find(ctx context.Context, u store.User, s Search) (found []Patient, more bool, err error) {
	params := url.Values{"_sort": {"family,given"}, "_count": {"50"}}
	for _, word := range strings.Fields(s.Name) {
		params.Add("name", escape(word))
	}
	if s.BirthDate != "" {
		params.Set("birthdate", "eq"+escape(s.BirthDate)) // a typed prefix asks nothing
	}
	if s.RecordNumber != "" {
		params.Set("identifier", escape(s.RecordNumber))
	}
	return r.search(ctx, u, params)
}

// Recent lists at most ten patients of a clinician who has typed nothing, the
// latest changed first; never the whole index.
func (r *Resolver) Recent(ctx context.Context, u store.User) ([]Patient, error) {
	found, _, err := r.search(ctx, u, url.Values{"_sort": {"-_lastUpdated,family"}, "_count": {"10"}})
	return found, err
}

// search runs under the user's own reach: the rules that judge an app judge the
// picker as well.
func (r *Resolver) search(ctx context.Context, u store.User, params url.Values) ([]Patient, bool, error) {
	reached, err := r.Reach(ctx, u)
	if err != nil {
		return nil, false, err
	}
	subject := access.NewSubject(r.facts(u, reached, "user/Patient.rs"))
	q, err := search.Parse("Patient", params, r.deps.Base)
	if err != nil {
		return nil, false, nil // what cannot be asked finds nobody
	}
	page, err := r.show(ctx, access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: "Patient"}), q)
	if err != nil {
		return nil, false, err
	}
	var found []Patient
	for _, m := range page.Matches {
		found = append(found, patientFrom(m.Resource))
	}
	return found, page.Next != "", nil
}

// escape makes a typed text one value (FHIR R4 search §3.1.1.4.14).
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`).Replace(s)
}

func patientFrom(r fhir.Resource) Patient {
	tree := r.Tree()
	p := Patient{ID: r.ID(), Name: "Patient " + r.ID()}
	p.BirthDate, _ = tree["birthDate"].(string)
	p.Sex, _ = tree["gender"].(string)
	p.RecordNumber = recordNumber(objects(tree["identifier"]))
	if name := bestName(objects(tree["name"])); name != nil {
		p.Given, p.Family = given(name), text(name["family"])
		if full := strings.TrimSpace(p.Given + " " + p.Family); full != "" {
			p.Name = full
		} else if t := text(name["text"]); t != "" {
			p.Name, p.Only = t, t
		}
		if (p.Given == "") != (p.Family == "") {
			p.Only = p.Given + p.Family
		}
	}
	return p
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func given(name fhir.Object) string {
	list, _ := name["given"].([]any)
	var parts []string
	for _, g := range list {
		parts = append(parts, text(g))
	}
	return strings.Join(parts, " ")
}

// bestName prefers the official name, then the usual one, then any.
func bestName(names []fhir.Object) fhir.Object {
	for _, use := range []string{"official", "usual", ""} {
		for _, n := range names {
			if text(n["use"]) == use {
				return n
			}
		}
	}
	if len(names) > 0 {
		return names[0]
	}
	return nil
}

// recordNumber is the medical record number, else the first identifier.
func recordNumber(identifiers []fhir.Object) string {
	for _, i := range identifiers {
		kind, _ := i["type"].(fhir.Object)
		for _, c := range objects(kind["coding"]) {
			if text(c["code"]) == "MR" {
				return text(i["value"])
			}
		}
	}
	if len(identifiers) > 0 {
		return text(identifiers[0]["value"])
	}
	return ""
}
