package fhirapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// whole is a request for everything about a patient, as it was understood.
type whole struct {
	patient fhir.Reference
	types   []fhir.ResourceType // of _type; nil: all
	asked   url.Values          // what it came with, without the position
	count   int
	at      wholePosition
}

// wholePosition is how far the pages have come: a type, and the page within it.
type wholePosition struct {
	Type   fhir.ResourceType `json:"t"` // empty: the patient comes first
	Cursor string            `json:"c"`
}

func (w whole) place() string { return w.patient.String() + "/$everything" }

// wants reports whether a type is asked for.
func (w whole) wants(t fhir.ResourceType) bool { return w.types == nil || slices.Contains(w.types, t) }

// parseWhole reads the parameters of $everything (FHIR R4 Patient-everything): start,
// end, _since, _type, _count, each once.
func parseWhole(patient fhir.Reference, values url.Values) (whole, error) {
	w := whole{patient: patient, asked: values, count: search.DefaultCount}
	for name, list := range values {
		if len(list) != 1 {
			return w, newOutcome(http.StatusBadRequest, "invalid", "$everything takes each parameter once.").About(name)
		}
		value, good := list[0], true
		switch name {
		case "start", "end":
			_, err := search.Parse("Observation", url.Values{"date": {"eq" + value}}, "")
			good = err == nil && !strings.Contains(value, ",")
		case "_since":
			_, err := search.Parse("Patient", url.Values{"_lastUpdated": {"ge" + value}}, "")
			good = err == nil && !strings.Contains(value, ",")
		case "_type":
			w.types, good = wholeTypes(value)
		case "_count":
			n, err := strconv.Atoi(value)
			w.count, good = min(n, search.MaxCount), err == nil && n > 0 && value[0] != '+'
		default:
			return w, newOutcome(http.StatusBadRequest, "not-supported", "$everything takes start, end, _since, _type and _count.").About(name)
		}
		if !good {
			return w, newOutcome(http.StatusBadRequest, "invalid", "start, end and _since are dates such as 2024-05-31; _type is a list of types of the record, or of what it refers to; _count is a number from 1 to 1000.").About(name)
		}
	}
	return w, nil
}

func wholeTypes(value string) (list []fhir.ResourceType, ok bool) {
	for _, name := range strings.Split(value, ",") {
		t, known := fhir.ParseResourceType(name)
		if !known || compartment.ClassOf(t) == compartment.Closed {
			return nil, false
		}
		list = append(list, t)
	}
	return list, true
}

// query is the search for what is about the patient of one type.
func (w whole) query(t fhir.ResourceType, base string) search.Query {
	var within search.Expr = search.IsResource{Reference: w.patient}
	if t != w.patient.Type {
		within = compartment.Within(w.patient, t, base)
	}
	all := append(search.And{within}, clauses(t, "_lastUpdated", "ge", w.asked.Get("_since"))...)
	all = append(all, cared(t, w.asked.Get("start"), w.asked.Get("end"))...)
	return search.Query{Type: t, Within: all, Total: search.TotalNone}
}

// link continues the request from a position.
func (w whole) link(next wholePosition) (pageLink, error) {
	cursor, err := json.Marshal(next)
	return pageLink{Place: w.place(), Query: w.asked.Encode(), Cursor: string(cursor)}, err
}
