package upstream

import (
	"slices"

	"github.com/emberlatch/emberlatch/fhir/search"
)

// unverifiable refuses what no answer of the upstream can prove: whether a join holds
// depends on resources that do not come with the match (rows 35, 40 and 41 of the leak
// catalogue); and modifiers that no CapabilityStatement declares, which a server may
// ignore.
func unverifiable(q search.Query) error {
	if len(q.Joins) > 0 {
		return refused(q.Joins[0].Name(), "Chained parameters but from whom a resource is about to the patient, _has and _list are not offered on this server: another server holds the records, and its answer could not be verified. Search the other type first, and use the ids that it gives.")
	}
	for _, c := range q.Where {
		switch c.Modifier {
		case "identifier", "above", "below":
			return refused(c.Parameter.Code, "The modifier :%s is not offered on this server: whether the server that holds the records understands it is not known. Leave it out, and choose from what comes back.", c.Modifier)
		}
	}
	for _, i := range append(slices.Clone(q.Include), q.RevInclude...) {
		if i.Iterate || i.Every() {
			return refused("_include", "Iterated includes and * are not offered on this server: each step is a request to the server that holds the records. Name one parameter, and ask for the next step in a search of its own.")
		}
	}
	return nil
}
