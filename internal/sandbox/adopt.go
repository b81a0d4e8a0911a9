package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// ErrNobody: there is no patient to make a login for.
var ErrNobody = errors.New("sandbox: the server holds no patients")

// maxAdopted is how many patients and care teams are looked at.
const maxAdopted = 200

// Adopt makes logins for people whose records another server holds: nothing is written
// there. Patients become logins in the order in which the server lists them; the
// practitioners are those who have most of them as patients.
func Adopt(ctx context.Context, records fhirstore.Backend, base string, today time.Time) (Data, error) {
	a := &adoption{records: records, base: base, today: today.UTC(), panels: map[string][]string{}}
	patients, err := a.list(ctx, "Patient")
	if err != nil {
		return Data{}, err
	}
	if len(patients) == 0 {
		return Data{}, ErrNobody
	}
	for _, p := range patients {
		a.patients = append(a.patients, knownPatient(p))
		a.panel(p.Tree()["generalPractitioner"], p.ID())
	}
	teams, err := a.list(ctx, "CareTeam")
	if err != nil {
		return Data{}, err
	}
	for _, t := range teams {
		a.team(t.Tree())
	}
	return a.data(ctx)
}

// HasSample reports whether a server holds the sample people already.
func HasSample(ctx context.Context, records fhirstore.Backend, base string) (bool, error) {
	r, err := records.Read(ctx, access.System("sandbox: are the sample people there", base), fhir.Reference{Type: "Patient", ID: cast[0].id})
	if errors.Is(err, fhirstore.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return knownPatient(r.Resource).family == cast[0].family, nil
}

// adoption gathers what another server says about its people.
type adoption struct {
	records  fhirstore.Backend
	base     string
	today    time.Time
	patients []adopted
	panels   map[string][]string // of practitioners, by id
}

type adopted struct {
	id, given, family, birthDate string
}

func (a adopted) display() string {
	if name := strings.TrimSpace(a.given + " " + a.family); name != "" {
		return name
	}
	return "Patient " + a.id
}

// list reads the first resources of a type; none where they cannot be searched.
func (a *adoption) list(ctx context.Context, t fhir.ResourceType) ([]fhir.Resource, error) {
	q, err := search.Parse(t, url.Values{"_count": {"50"}}, a.base)
	if err != nil {
		return nil, err
	}
	var all []fhir.Resource
	for len(all) < maxAdopted {
		page, err := a.records.Search(ctx, access.System("sandbox: whom to make logins for", a.base), q)
		var refused *fhir.OperationOutcome
		if errors.As(err, &refused) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", t, err)
		}
		for _, m := range page.Matches {
			all = append(all, m.Resource)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return all, nil
}

func knownPatient(r fhir.Resource) adopted {
	p := adopted{id: r.ID()}
	p.birthDate, _ = r.Tree()["birthDate"].(string)
	names, _ := r.Tree()["name"].([]any)
	if len(names) > 0 {
		name, _ := names[0].(fhir.Object)
		p.family, _ = name["family"].(string)
		given, _ := name["given"].([]any)
		for _, g := range given {
			if text, ok := g.(string); ok && p.given == "" {
				p.given = text
			}
		}
	}
	return p
}

// panel notes that practitioners of a list of references have a patient.
func (a *adoption) panel(references any, patient string) {
	list, _ := references.([]any)
	for _, item := range list {
		if ref, ok := a.reference(item); ok && ref.Type == "Practitioner" && !slices.Contains(a.panels[ref.ID], patient) {
			a.panels[ref.ID] = append(a.panels[ref.ID], patient)
		}
	}
}

func (a *adoption) reference(v any) (fhir.Reference, bool) {
	o, _ := v.(fhir.Object)
	text, _ := o["reference"].(string)
	return fhir.ParseReference(text, a.base)
}

// team notes who takes part in an active care team without an end.
func (a *adoption) team(tree fhir.Object) {
	subject, ok := a.reference(tree["subject"])
	if !ok || subject.Type != "Patient" || tree["status"] != "active" || ends(tree["period"]) {
		return
	}
	list, _ := tree["participant"].([]any)
	for _, item := range list {
		if p, ok := item.(fhir.Object); ok && !ends(p["period"]) {
			a.panel([]any{p["member"]}, subject.ID)
		}
	}
}

func ends(period any) bool {
	o, _ := period.(fhir.Object)
	_, has := o["end"]
	return has
}

// data gives each part of the sandbox to somebody, as far as there are people.
func (a *adoption) data(ctx context.Context) (Data, error) {
	d := Data{People: []Person{a.patient("patient1", 0)}}
	if len(a.patients) > 1 {
		d.People = append(d.People, a.patient("patient2", 1))
	}
	if len(a.patients) > 3 {
		d.People = append(d.People, a.parent(2))
	}
	if len(a.patients) > 4 {
		carer, err := a.carer(ctx, 4)
		if err != nil {
			return Data{}, err
		}
		d.People = append(d.People, carer)
	}
	clinicians, err := a.clinicians(ctx)
	if err != nil {
		return Data{}, err
	}
	d.People = append(d.People, clinicians...)
	d.People = append(d.People, Person{Username: "admin", Password: samplePassword, Display: "Sandbox Admin", Role: store.RoleAdministrator, Patients: []string{}})
	if len(a.patients) > 5 {
		for _, p := range a.patients[5:] {
			if p.given != "" && p.family != "" && len(p.birthDate) == len("2006-01-02") {
				d.Enrolment = []Enrolment{{p.id, p.given, p.family, p.birthDate, sampleCode}}
				break
			}
		}
	}
	return d, nil
}

func (a *adoption) patient(username string, n int) Person {
	p := a.patients[n]
	return Person{Username: username, Password: samplePassword, Display: p.display(), Role: store.RolePatient, FHIRUser: "Patient/" + p.id, Patients: []string{p.id}}
}

// parent has a record of their own and stands for the next one, until they are of
// age.
func (a *adoption) parent(n int) Person {
	p, child := a.patient("parent", n), a.patients[n+1]
	stands := store.Representation{Patient: child.id, Relationship: "child"}
	if born, err := time.Parse("2006-01-02", child.birthDate); err == nil && born.AddDate(18, 0, 0).After(a.today) {
		stands.Until = born.AddDate(18, 0, 0)
	}
	p.Role, p.Note, p.Patients = store.RoleRepresentative, "also for "+child.display(), append(p.Patients, child.id)
	p.Represents = []store.Representation{stands}
	return p
}

// carer has no record of their own; a RelatedPerson stands for them if there is one.
func (a *adoption) carer(ctx context.Context, n int) (Person, error) {
	of := a.patients[n]
	p := Person{
		Username: "carer", Password: samplePassword, Display: "Carer of " + of.display(), Role: store.RoleRepresentative, Note: "for " + of.display(),
		Patients: []string{of.id}, Represents: []store.Representation{{Patient: of.id, Relationship: "power-of-attorney"}},
	}
	related, err := a.list(ctx, "RelatedPerson")
	for _, r := range related {
		if ref, ok := a.reference(r.Tree()["patient"]); ok && ref.Type == "Patient" && ref.ID == of.id && p.FHIRUser == "" {
			p.FHIRUser = "RelatedPerson/" + r.ID()
		}
	}
	return p, err
}

// clinicians are the two practitioners with the most patients.
func (a *adoption) clinicians(ctx context.Context) ([]Person, error) {
	var by []string
	for id := range a.panels {
		by = append(by, id)
	}
	sort.Slice(by, func(i, j int) bool {
		x, y := len(a.panels[by[i]]), len(a.panels[by[j]])
		return x > y || x == y && by[i] < by[j]
	})
	var list []Person
	for n, id := range by[:min(2, len(by))] {
		name := "Practitioner " + id
		r, err := a.records.Read(ctx, access.System("sandbox: name of a practitioner", a.base), fhir.Reference{Type: "Practitioner", ID: id})
		if err == nil {
			if p := knownPatient(r.Resource); p.family != "" {
				name = p.display()
			}
		} else if !errors.Is(err, fhirstore.ErrNotFound) {
			return nil, err
		}
		list = append(list, Person{
			Username: fmt.Sprintf("clinician%d", n+1), Password: samplePassword, Display: name, Role: store.RolePractitioner,
			FHIRUser: "Practitioner/" + id, Patients: a.panels[id],
		})
	}
	return list, nil
}
