package fhirapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// transaction makes all writes of a Bundle or none (FHIR R4 http §3.1.0.11.2). Every
// entry passes the gate and is read before anything is looked up; the store judges
// each and commits when the last was permitted (row 81 of the leak catalogue).
//
//	entries ─▶ gate, body ─▶ names ─▶ Keeper.Write(all) ─▶ answer of each
//	    the first refusal is that of the whole ◀┘
func (d *Door) transaction(w http.ResponseWriter, r *http.Request, subject access.Subject, bundle fhir.Bundle) error {
	requests := make([]*http.Request, len(bundle.Entries))
	writes := make([]fhirstore.Write, len(bundle.Entries))
	names := map[string]bool{}
	for n, e := range bundle.Entries {
		request, write, err := d.entryWrite(r, subject, e)
		if err == nil {
			err = takeName(names, e.FullURL)
		}
		if err != nil {
			return d.atEntry(r, n, err)
		}
		write.FullURL = e.FullURL
		requests[n], writes[n] = request, write
	}
	for n := range writes {
		var err error
		if writes[n].References, err = d.conditionalReferences(subject, writes[n].Content, names); err != nil {
			return d.atEntry(r, n, err)
		}
	}
	if err := d.ready(); err != nil {
		return err
	}
	done, err := d.deps.Keeper.Write(r.Context(), writes)
	var which *fhirstore.WriteError
	if errors.As(err, &which) {
		return d.atEntry(r, which.At, err)
	}
	if err != nil {
		return err
	}
	responses := make([]fhir.BundleResponse, len(done))
	for n := range done {
		recorder := newRecorder()
		part := d.recordEntry(w, recorder, requests[n])
		asks(part, fhir.Interaction{Code: writes[n].Code, Type: writes[n].Ref.Type, ID: writes[n].Ref.ID})
		because(part, string(writes[n].Decision.Reason()))
		d.written(part, requests[n], writes[n].Decision, done[n])
		alsoMade(w, part)
		responses[n] = responseOf(recorder)
	}
	return writeResponses(w, "transaction", responses)
}

// entryWrite reads the write of an entry; reads belong into a batch.
func (d *Door) entryWrite(r *http.Request, subject access.Subject, e fhir.BundleEntry) (*http.Request, fhirstore.Write, error) {
	request, i, err := d.entry(r, e)
	if err != nil {
		return nil, fhirstore.Write{}, err
	}
	decision := access.Decide(subject, i)
	switch {
	case !decision.Allowed():
		return nil, fhirstore.Write{}, refused(decision)
	case i.Code != fhir.Create && i.Code != fhir.Update && i.Code != fhir.Patch && i.Code != fhir.Delete:
		return nil, fhirstore.Write{}, outcome(http.StatusBadRequest, "not-supported", "A transaction creates, updates, patches and deletes. Put other requests into a batch.")
	}
	values, err := parameters(request, false)
	if err != nil {
		return nil, fhirstore.Write{}, err
	}
	write, err := d.asked(request, subject, decision, i, values)
	return request, write, err
}

// takeName notes the name of an entry: each once, a URN, or a URL that names the resource
// by its id anyway.
func takeName(names map[string]bool, fullURL string) error {
	if names[fullURL] {
		return newOutcome(http.StatusBadRequest, "duplicate", "Every fullUrl stands once.").About("Bundle.entry.fullUrl")
	}
	if fullURL != "" {
		names[fullURL] = true
	}
	return nil
}

// conditionalReferences finds the references that are searches, Type?criteria (FHIR R4
// http §3.1.0.11.2), and refuses names that no entry has.
func (d *Door) conditionalReferences(subject access.Subject, content fhir.Resource, names map[string]bool) (map[string]fhirstore.Condition, error) {
	found := map[string]fhirstore.Condition{}
	for _, text := range literalReferences(content.Tree()) {
		if strings.HasPrefix(text, "urn:uuid:") && !names[text] {
			return nil, newOutcome(http.StatusBadRequest, "invalid", "A reference names a fullUrl that no entry has.").About(string(content.Type()))
		}
		kind, query, searches := strings.Cut(text, "?")
		t, known := fhir.ParseResourceType(kind)
		if !searches || !known {
			continue
		}
		values, err := parseForm(query)
		if err != nil {
			return nil, err
		}
		condition, err := d.condition(subject, t, values)
		if err != nil {
			return nil, err
		}
		found[text] = *condition
	}
	return found, nil
}

// searches reports whether a resource has a reference that is a search.
func searches(content fhir.Resource) bool {
	return slices.ContainsFunc(literalReferences(content.Tree()), func(text string) bool {
		kind, _, asks := strings.Cut(text, "?")
		_, known := fhir.ParseResourceType(kind)
		return asks && known
	})
}

// literalReferences are the texts of all references in a tree.
func literalReferences(v any) (list []string) {
	switch v := v.(type) {
	case fhir.Object:
		for name, value := range v {
			if text, ok := value.(string); ok && name == "reference" {
				list = append(list, text)
			}
			list = append(list, literalReferences(value)...)
		}
	case []any:
		for _, item := range v {
			list = append(list, literalReferences(item)...)
		}
	}
	return list
}

// atEntry is the refusal of the whole, which names the entry that it is about.
func (d *Door) atEntry(r *http.Request, n int, err error) error {
	told := *d.outcomeOf(r, err)
	told.Expression = strings.TrimSuffix("Bundle.entry["+strconv.Itoa(n)+"]."+told.Expression, ".")
	var withChallenge *refusal
	if errors.As(err, &withChallenge) {
		return &refusal{&told, withChallenge.about}
	}
	return &told
}
