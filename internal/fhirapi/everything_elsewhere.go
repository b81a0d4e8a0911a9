package fhirapi

import (
	"net/http"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// provenance comes along with its targets where another server holds the records: there
// it is not searched by patient.
const provenance fhir.ResourceType = "Provenance"

// offersFor is what another server that holds the records does; nil: they are held here.
// What was asked for by name and cannot be found there is refused, what was not is left
// out.
func (d *Door) offersFor(r *http.Request, asked whole) (Offers, error) {
	if d.deps.Offers == nil {
		return nil, nil //nolint:nilnil // no limits are no error
	}
	offers, err := d.deps.Offers(r.Context())
	if err != nil {
		return nil, err
	}
	for _, t := range asked.types {
		if t != asked.patient.Type && t != provenance && compartment.ClassOf(t) == compartment.Record && !answerable(offers, t) {
			return nil, newOutcome(http.StatusBadRequest, "not-supported", "The server that holds the records cannot search "+string(t)+" by patient. Leave it out, and read what others refer to by its id.").About("_type")
		}
	}
	return offers, nil
}

// answerable reports whether what there is of a type for a patient can be searched.
func answerable(o Offers, t fhir.ResourceType) bool {
	return o == nil || o.Searches(t) && compartment.DerivationOf(t) == compartment.None
}

// alongside has a search bring what its matches refer to. Another server is asked for
// that by name, and for nothing that would not be shown.
func (a *gathering) alongside(q *search.Query) {
	if a.offers == nil {
		q.Include = []search.Include{{Source: q.Type}}
		return
	}
	for _, p := range (search.Include{Source: q.Type}).Parameters() {
		for _, t := range fhir.ResourceTypes() {
			if p.CanPointTo(t) && compartment.ClassOf(t) == compartment.Shared && a.asked.wants(t) && a.offers.Holds(t) {
				q.Include = append(q.Include, search.Include{Source: q.Type, Parameter: p, Target: t})
			}
		}
	}
	if p, found := search.Lookup(provenance, "target"); found && a.asked.wants(provenance) && a.offers.Searches(provenance) && a.offers.Declares(provenance, "target") && searching(a.subject, provenance).Allowed() {
		q.RevInclude = append(q.RevInclude, search.Include{Source: provenance, Parameter: p})
	}
}
