package fhirapi

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// exportPreferences reads Prefer: respond-async, which must be there, and
// handling=lenient (RFC 7240 §4.1, §4.4).
func exportPreferences(r *http.Request) (lenient bool, err error) {
	async := false
	for _, part := range strings.FieldsFunc(strings.Join(r.Header.Values("Prefer"), ","), func(c rune) bool { return c == ',' || c == ';' }) {
		switch strings.ToLower(strings.ReplaceAll(strings.TrimSpace(part), " ", "")) {
		case "respond-async":
			async = true
		case "handling=lenient":
			lenient = true
		}
	}
	if !async {
		return false, outcome(http.StatusBadRequest, "required", "Send Prefer: respond-async. An export is never answered at once.")
	}
	return lenient, nil
}

// exportAsked reads the parameters of a kick-off request, from the query of a GET or a
// Parameters resource of a POST.
func (d *Door) exportAsked(r *http.Request, i fhir.Interaction, lenient bool) (fhirstore.ExportAsked, error) {
	asked := fhirstore.ExportAsked{Request: d.deps.Base + strings.TrimPrefix(r.URL.EscapedPath(), d.deps.Path), OfPatients: i.Type != ""}
	if i.Type == "Group" {
		asked.Group = i.ID
	}
	values, err := parameters(r, false)
	if err != nil {
		return asked, err
	}
	if len(values) > 0 && r.URL.RawQuery != "" {
		asked.Request += "?" + r.URL.RawQuery
	}
	if err := negotiate(r, values); err != nil {
		return asked, err
	}
	switch r.Method {
	case http.MethodGet:
		if values.Has("patient") {
			return asked, newOutcome(http.StatusBadRequest, "not-supported", "Send patient in a Parameters resource, by POST.").About("patient")
		}
	case http.MethodPost:
		if len(values) > 0 {
			return asked, outcome(http.StatusBadRequest, "invalid", "A POST has all its parameters in the Parameters resource.")
		}
		if values, err = posted(r); err != nil {
			return asked, err
		}
	default:
		return asked, outcome(http.StatusMethodNotAllowed, "not-supported", "Ask for an export with GET or POST.")
	}
	err = readExport(&asked, values, lenient, d.deps.Base)
	return asked, err
}

// posted reads a Parameters resource as if it had been a query.
func posted(r *http.Request) (url.Values, error) {
	b, err := body(r, "application/fhir+json", "application/json")
	if err != nil {
		return nil, err
	}
	content, err := parsed(b)
	if err != nil {
		return nil, err
	}
	var sent struct {
		Parameter []map[string]json.RawMessage `json:"parameter"`
	}
	if content.Type() != "Parameters" || json.Unmarshal(b, &sent) != nil {
		return nil, outcome(http.StatusBadRequest, "structure", "Send a Parameters resource.")
	}
	values := url.Values{}
	for _, p := range sent.Parameter {
		var name string
		text, ok := parameterValue(p)
		if json.Unmarshal(p["name"], &name) != nil || !ok {
			return nil, outcome(http.StatusBadRequest, "structure", "Each parameter has a name and one value: valueString, valueInstant, or valueReference for patient.")
		}
		values.Add(name, text)
	}
	return values, nil
}

// parameterValue is the value of a parameter, whichever type it was given.
func parameterValue(p map[string]json.RawMessage) (text string, ok bool) {
	found := 0
	for member, raw := range p {
		if !strings.HasPrefix(member, "value") {
			continue
		}
		var reference struct {
			Reference string `json:"reference"`
		}
		switch {
		case json.Unmarshal(raw, &text) == nil:
		case member == "valueReference" && json.Unmarshal(raw, &reference) == nil && reference.Reference != "":
			text = reference.Reference
		case member == "valueBoolean" || member == "valueInteger":
			text = string(raw)
		default:
			return "", false
		}
		found++
	}
	return text, found == 1
}

// ndjson are the three ways to name the one format (RSB-16).
var ndjson = []string{"application/fhir+ndjson", "application/ndjson", "ndjson"}

// readExport reads what was asked for. What is not offered is refused; with
// handling=lenient left out, if that widens nothing that was asked for.
func readExport(asked *fhirstore.ExportAsked, values url.Values, lenient bool, base string) error {
	for _, name := range sortedNames(values) {
		list := values[name]
		if len(list) != 1 && name != "patient" && name != "_typeFilter" && name != "_type" {
			return wrongExport(name, "invalid", "Send this parameter once.")
		}
		var err error
		switch name {
		case "_outputFormat":
			if !slices.Contains(ndjson, strings.ReplaceAll(list[0], " ", "+")) { // an unescaped + arrives as a blank
				err = wrongExport(name, "not-supported", "Exports are application/fhir+ndjson.")
			}
		case "_since":
			asked.Since, err = list[0], instant(name, list[0])
		case "_until":
			asked.Until, err = list[0], instant(name, list[0])
		case "_type":
			err = readTypes(asked, strings.Split(strings.Join(list, ","), ","))
		case "_typeFilter":
			err = readFilters(asked, list, base)
		case "patient":
			err = readPatients(asked, list, base)
		default:
			if !lenient {
				err = wrongExport(name, "not-supported", "Exports take _outputFormat, _since, _until, _type, _typeFilter and, by POST, patient. With Prefer: handling=lenient others are left out.")
			}
		}
		if err != nil {
			return err
		}
	}
	for t := range asked.Filters {
		if asked.Types != nil && !slices.Contains(asked.Types, t) {
			return wrongExport("_typeFilter", "invalid", "Each filter is for a type that is in _type.")
		}
	}
	return nil
}

func sortedNames(values url.Values) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func wrongExport(name, code, text string) error {
	return newOutcome(http.StatusBadRequest, code, text).About(printableName(name))
}

// printableName keeps the name of a parameter from outside short.
func printableName(name string) string { return name[:min(len(name), 64)] }

// instant: a date and time with its zone (FHIR R4 datatypes, instant).
func instant(name, value string) error {
	if _, err := time.Parse(time.RFC3339Nano, value); err != nil {
		return wrongExport(name, "invalid", "Send an instant such as 2024-05-31T12:00:00Z, with its plus sign escaped.")
	}
	return nil
}

func readTypes(asked *fhirstore.ExportAsked, names []string) error {
	for _, name := range names {
		t, known := fhir.ParseResourceType(name)
		if !known || !access.Exportable(t, asked.OfPatients) {
			return wrongExport("_type", "not-supported", "A type in _type does not exist, or is not part of such an export.")
		}
		if !slices.Contains(asked.Types, t) {
			asked.Types = append(asked.Types, t)
		}
	}
	return nil
}

func readPatients(asked *fhirstore.ExportAsked, list []string, base string) error {
	if !asked.OfPatients {
		return wrongExport("patient", "not-supported", "patient goes with Patient/$export and Group/id/$export.")
	}
	for _, text := range list {
		ref, ok := fhir.ParseReference(text, base)
		if !ok || ref.Type != "Patient" || ref.Version != "" {
			return wrongExport("patient", "invalid", "Send references such as Patient/id.")
		}
		asked.Named, asked.Patients = true, append(asked.Patients, ref.ID)
	}
	return nil
}

// readFilters reads _typeFilter: searches such as Observation?status=final, divided by
// commas, of which a resource of that type fulfils one.
func readFilters(asked *fhirstore.ExportAsked, list []string, base string) error {
	asked.Filters = map[fhir.ResourceType][]string{}
	for _, text := range list {
		for _, filter := range splitFilters(text) {
			name, query, _ := strings.Cut(filter, "?")
			t, known := fhir.ParseResourceType(name)
			if !known || !access.Exportable(t, asked.OfPatients) {
				return wrongExport("_typeFilter", "invalid", "Filters are searches such as Observation?status=final, of types that are part of the export.")
			}
			if _, err := parseFilter(t, query, base); err != nil {
				return err
			}
			asked.Filters[t] = append(asked.Filters[t], query)
		}
	}
	return nil
}

// splitFilters divides at the commas that a type follows; others are alternatives
// within a filter.
func splitFilters(text string) (list []string) {
	start := 0
	for i := range len(text) {
		if text[i] != ',' {
			continue
		}
		name, _, isFilter := strings.Cut(text[i+1:], "?")
		if _, known := fhir.ParseResourceType(name); isFilter && known {
			list, start = append(list, text[start:i]), i+1
		}
	}
	return append(list, text[start:])
}

// parseFilter reads one: conditions of the resource alone, nothing that leads to others
// or says how an answer looks.
func parseFilter(t fhir.ResourceType, query, base string) (search.Expr, error) {
	values, err := parseForm(query)
	if err != nil {
		return nil, err
	}
	q, err := search.Parse(t, values, base)
	if err != nil {
		return nil, err
	}
	if len(q.Where) == 0 || len(q.Joins)+len(q.Include)+len(q.RevInclude)+len(q.Sort)+len(q.Projection.Elements) > 0 ||
		q.Projection.Summary != "" || q.Total != "" || q.Count != search.DefaultCount {
		return nil, wrongExport("_typeFilter", "not-supported", "A filter has conditions of the resource itself: no chains, no _has, and nothing that says how an answer looks.")
	}
	return q.Expr(), nil
}

// exportFilter is what resources of a type fulfil.
func exportFilter(asked fhirstore.ExportAsked, t fhir.ResourceType, base string) (search.Expr, error) {
	all := slices.Concat(clauses(t, "_lastUpdated", "ge", asked.Since), clauses(t, "_lastUpdated", "le", asked.Until))
	var some search.Or
	for _, text := range asked.Filters[t] {
		one, err := parseFilter(t, text, base)
		if err != nil {
			return nil, err
		}
		some = append(some, one)
	}
	if some != nil {
		all = append(all, some)
	}
	if all == nil {
		return search.And{}, nil
	}
	return all, nil
}
