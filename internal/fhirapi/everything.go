package fhirapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// everything answers Patient/id/$everything (row 85 of the leak catalogue) as what it
// comes to: a read of the patient, and a search of each type of the record that the
// token may search, each under its own decision. Nothing leads out of the record but
// references to shared types, which come along where the token allows them.
//
//	read the patient ─▶ search each type, in order ─▶ a page ─▶ sealed position
//	  404 ◀┘               not in a scope: left out
func (d *Door) everything(w http.ResponseWriter, r *http.Request, subject access.Subject, i fhir.Interaction) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return outcome(http.StatusMethodNotAllowed, "not-supported", "Ask for $everything with GET.")
	}
	// Order: the gate reads token and request line only; nothing was fetched yet.
	decision := access.Decide(subject, fhir.Interaction{Code: fhir.Read, Type: i.Type, ID: i.ID})
	because(w, string(decision.Reason()))
	if !decision.Allowed() {
		return refused(decision)
	}
	values, err := parameters(r, false)
	if err != nil {
		return err
	}
	if err := negotiate(r, values); err != nil {
		return err
	}
	asked, err := d.whole(subject, fhir.Reference{Type: i.Type, ID: i.ID}, values)
	if err != nil {
		return err
	}
	offers, err := d.offersFor(r, asked)
	if err != nil {
		return err
	}
	a := gathering{door: d, offers: offers, answer: w, request: r, subject: subject, asked: asked, along: map[fhir.Reference]bool{}}
	a.bundle = fhir.Searchset{Base: d.deps.Base, Self: d.deps.Base + "/" + asked.place()}
	if text := asked.asked.Encode(); text != "" {
		a.bundle.Self += "?" + text
	}
	if err := a.gather(); err != nil {
		return err
	}
	writeBundle(w, &a.bundle)
	return nil
}

// whole reads the request, or opens the sealed link that continues one.
func (d *Door) whole(subject access.Subject, patient fhir.Reference, values url.Values) (whole, error) {
	if !values.Has(pageParameter) {
		asked, err := parseWhole(patient, values)
		if err != nil {
			return asked, err
		}
		return asked, scoped(subject, asked)
	}
	link, params, err := d.openLink(whole{patient: patient}.place(), subject, values)
	if err != nil {
		return whole{}, err
	}
	asked, err := parseWhole(patient, params)
	if err != nil || json.Unmarshal([]byte(link.Cursor), &asked.at) != nil {
		return whole{}, notFound()
	}
	return asked, scoped(subject, asked)
}

// scoped refuses what was asked for by name and is not in a scope (RSX-13).
func scoped(subject access.Subject, asked whole) error {
	for _, t := range asked.types {
		if decision := searching(subject, t); t != asked.patient.Type && !decision.Allowed() {
			return refused(decision)
		}
	}
	return nil
}

func searching(subject access.Subject, t fhir.ResourceType) access.Decision {
	return access.Decide(subject, fhir.Interaction{Code: fhir.SearchType, Type: t})
}

// gathering makes one page.
type gathering struct {
	door    *Door
	answer  http.ResponseWriter
	request *http.Request
	subject access.Subject
	asked   whole
	offers  Offers // of another server; nil: the records are held here
	bundle  fhir.Searchset
	matches int
	along   map[fhir.Reference]bool // what has come along already
}

func (a *gathering) gather() error {
	if err := a.patient(); err != nil {
		return err
	}
	for _, t := range fhir.ResourceTypes() {
		if t == a.asked.patient.Type || t < a.asked.at.Type || compartment.ClassOf(t) != compartment.Record || !a.asked.wants(t) || !answerable(a.offers, t) {
			continue
		}
		if full, err := a.ofType(t); err != nil || full {
			return err
		}
	}
	return nil
}

// patient reads the patient on every page, since the record is shown only with it; it
// is an entry of the first.
func (a *gathering) patient() error {
	d := a.door
	decision := access.Decide(a.subject, fhir.Interaction{Code: fhir.Read, Type: a.asked.patient.Type, ID: a.asked.patient.ID})
	record, err := d.deps.Backend.Read(a.request.Context(), decision, a.asked.patient)
	if err == nil && !decision.Admits(record.Resource, record.Owners) {
		d.alarm(a.request, record)
		err = fhirstore.ErrNotFound
	}
	if err != nil {
		return err
	}
	shows(a.answer, record.Owners)
	if a.asked.at.Type != "" || !a.asked.wants(a.asked.patient.Type) || !search.Match(a.asked.query(a.asked.patient.Type, d.deps.Base).Expr(), record.Resource, record.Owners, d.deps.Base) {
		return nil
	}
	a.bundle.Add(record.Resource, record.Resource.JSON(), fhir.ModeMatch)
	a.matches++
	return a.companions()
}

// companions are what the patient refers to, when the token may also search for it.
func (a *gathering) companions() error {
	decision := searching(a.subject, a.asked.patient.Type)
	if !decision.Allowed() {
		return nil
	}
	q := a.asked.query(a.asked.patient.Type, a.door.deps.Base)
	q.Count = 1
	a.alongside(&q)
	page, err := a.door.deps.Backend.Search(a.request.Context(), decision, q)
	if err == nil {
		a.include(decision, page)
	}
	return err
}

// ofType adds what there is of a type. full: the page is, and its link is made.
func (a *gathering) ofType(t fhir.ResourceType) (full bool, err error) {
	decision := searching(a.subject, t)
	if !decision.Allowed() {
		return false, nil
	}
	d, room := a.door, a.asked.count-a.matches
	q := a.asked.query(t, d.deps.Base)
	if t == a.asked.at.Type {
		q.Cursor = a.asked.at.Cursor
	}
	q.Count = max(room, 1)
	a.alongside(&q)
	page, err := d.deps.Backend.Search(a.request.Context(), decision, q)
	switch {
	case errors.Is(err, fhirstore.ErrPosition):
		return false, notFound()
	case err != nil:
		return false, err
	case room == 0 && len(page.Matches) > 0: // this type begins the next page
		return true, a.next(wholePosition{Type: t})
	case room == 0:
		return false, nil
	}
	for _, m := range page.Matches {
		if !decision.Admits(m.Resource, m.Owners) {
			d.alarm(a.request, m)
			continue
		}
		shows(a.answer, m.Owners)
		a.bundle.Add(m.Resource, m.Resource.JSON(), fhir.ModeMatch)
	}
	a.matches += len(page.Matches)
	a.include(decision, page)
	if page.Next != "" {
		return true, a.next(wholePosition{t, page.Next})
	}
	return false, nil
}

// include adds what came along and is shared, or comes no other way: other records are
// matches by themselves, or of other patients.
func (a *gathering) include(decision access.Decision, page fhirstore.Page) {
	for _, m := range page.Includes {
		t := m.Resource.Type()
		if compartment.ClassOf(t) != compartment.Shared && (a.offers == nil || t != provenance) || !a.asked.wants(t) || a.along[m.Resource.Reference()] {
			continue
		}
		if !decision.AdmitsInclude(m.Resource, m.Owners) {
			a.door.alarm(a.request, m)
			continue
		}
		a.along[m.Resource.Reference()] = true
		a.bundle.Add(m.Resource, m.Resource.JSON(), fhir.ModeInclude)
	}
}

// next seals the position of the following page.
func (a *gathering) next(at wholePosition) error {
	link, err := a.asked.link(at)
	if err != nil {
		return err
	}
	link.Grant, link.Until = a.subject.GrantID(), a.door.deps.Now().Add(pageLife).Unix()
	sealed, err := a.door.sealer.seal(link)
	a.bundle.Next = a.door.deps.Base + "/" + link.Place + "?" + pageParameter + "=" + sealed
	return err
}
