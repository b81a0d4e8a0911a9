package fhirsql

import (
	"encoding/json"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// writer gathers the statements of a portion.
type writer struct {
	now        time.Time
	statements []db.Statement
}

func (w *writer) add(text string, args ...any) {
	w.statements = append(w.statements, db.Statement{Text: text, Args: args})
}

// indexTables hold rows that belong to a rid.
var indexTables = []string{
	"fhir_token", "fhir_reference", "fhir_date", "fhir_string", "fhir_number", "fhir_uri", "fhir_owner", "fhir_tie",
}

// replace forgets the index rows of the old version.
func (w *writer) replace(old existing) {
	w.reindex(old)
	w.add("DELETE FROM fhir_attachment WHERE rid = $1", old.rid)
}

// reindex is replace, but for what was attached. An app that takes an attachment out
// moves no Binary into another record: old versions, which may still be read, have it.
func (w *writer) reindex(old existing) {
	for _, table := range indexTables {
		w.add("DELETE FROM "+table+" WHERE rid = $1", old.rid)
	}
	w.replaceElements(old.rid)
}

// at is when the version after old is written: never before old was, whatever the
// clocks of several processes say, so that a history by time is one by version.
func (w *writer) at(old existing) time.Time {
	return time.UnixMilli(max(w.now.UnixMilli(), old.updated)).UTC()
}

// stamp gives a resource its id, version and time.
func (w *writer) stamp(r fhir.Resource, id string, old existing) (fhir.Resource, error) {
	return r.WithMeta(id, old.version+1, w.at(old).Format("2006-01-02T15:04:05.000Z07:00"))
}

// put writes a stamped version after an old one, the resource and its index rows.
// An old one without a version was not there.
func (w *writer) put(p prepared, old existing) error {
	version, stamped := old.version+1, p.resource
	owners, err := ownerList(p.owners)
	if err != nil {
		return err
	}
	ms := w.at(old).UnixMilli()
	single := ""
	if len(p.owners.Required) == 1 {
		single = p.owners.Required[0]
	}
	classified, sensitive := p.classified.String(), p.owners.Sensitivity.String()
	if old.version > 0 {
		w.add(`UPDATE fhir_resource SET version = $2, updated = $3, deleted = 0, owner = $4, source = $5, body = $6, classified = $7, sensitive = $8 WHERE rid = $1`,
			old.rid, version, ms, single, p.source, stamped.JSON(), classified, sensitive)
	} else {
		w.add(`INSERT INTO fhir_resource (rid, type, id, version, updated, owner, source, body, classified, sensitive) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			old.rid, string(p.ref.Type), p.ref.ID, version, ms, single, p.source, stamped.JSON(), classified, sensitive)
	}
	w.add(`INSERT INTO fhir_version (type, id, version, updated, owners, body, sensitive) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(p.ref.Type), p.ref.ID, version, ms, owners, stamped.JSON(), sensitive)
	w.owners(old.rid, p.owners)
	for _, v := range p.values {
		w.value(old.rid, v)
	}
	if own, ok := search.Lookup(p.ref.Type, "_lastUpdated"); ok {
		for _, v := range own.Extract(stamped, "") {
			w.value(old.rid, search.Indexed{Parameter: own, Value: v})
		}
	}
	if p.secured.ID != "" {
		w.add(`INSERT INTO fhir_reference (rid, param, ref_type, ref_id, url) VALUES ($1, $2, $3, $4, '')`,
			old.rid, securityContext, string(p.secured.Type), p.secured.ID)
	}
	w.ties(old.rid, p.ties)
	for _, id := range p.attached {
		w.add(`INSERT INTO fhir_attachment (rid, binary_id) VALUES ($1, $2) ON CONFLICT (rid, binary_id) DO NOTHING`, old.rid, id)
	}
	return nil
}

// ownerList is how a version keeps its owners.
func ownerList(o search.Owners) (string, error) {
	b, err := json.Marshal(append([]string{}, o.Required...))
	return string(b), err
}

// owners lists several owners; a single one stands in the resource's row.
func (w *writer) owners(rid int64, o search.Owners) {
	if len(o.Required) < 2 {
		return
	}
	for _, patient := range o.Required {
		w.add(`INSERT INTO fhir_owner (rid, patient) VALUES ($1, $2)`, rid, patient)
	}
}

// ties lists who leads to whom by what the resource says (tie.go).
func (w *writer) ties(rid int64, list []fhirstore.Tie) {
	for _, t := range list {
		w.add(`INSERT INTO fhir_tie (rid, agent, leads_to, since, until) VALUES ($1, $2, $3, $4, $5)`,
			rid, t.Agent.String(), t.LeadsTo.String(), t.Since, t.Until)
	}
}

// value writes one index row.
func (w *writer) value(rid int64, i search.Indexed) {
	id, v := parameterID(i.Parameter), i.Value
	if i.Element > 0 {
		rid = elementRID(rid, i.Element)
	}
	switch i.Parameter.Type {
	case search.TypeToken:
		w.add(`INSERT INTO fhir_token (rid, param, system, code) VALUES ($1, $2, $3, $4)`, rid, id, clip(v.System), clip(v.Code))
	case search.TypeReference:
		w.add(`INSERT INTO fhir_reference (rid, param, ref_type, ref_id, url) VALUES ($1, $2, $3, $4, $5)`,
			rid, id, string(v.Reference.Type), v.Reference.ID, clip(v.URL))
	case search.TypeDate:
		w.add(`INSERT INTO fhir_date (rid, param, low, high) VALUES ($1, $2, $3, $4)`, rid, id, v.Low, v.High)
	case search.TypeString:
		w.add(`INSERT INTO fhir_string (rid, param, norm, exact) VALUES ($1, $2, $3, $4)`, rid, id, v.Norm, v.Exact)
	case search.TypeNumber, search.TypeQuantity:
		w.add(`INSERT INTO fhir_number (rid, param, low, high, system, code, unit) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			rid, id, v.From, v.To, clip(v.System), clip(v.Code), clip(v.Unit))
	case search.TypeURI:
		w.add(`INSERT INTO fhir_uri (rid, param, uri) VALUES ($1, $2, $3)`, rid, id, clip(v.URL))
	}
}
