package fhirapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// OAuthURIs are the endpoints that SMART 1 apps read from the CapabilityStatement
// (SMART App Launch 1.0, oauth-uris extension). Empty ones are left out.
type OAuthURIs struct{ Authorize, Token, Register, Introspect, Revoke, Manage string }

// The parts of a CapabilityStatement that are made here (FHIR R4
// capabilitystatement).
type (
	capabilityStatement struct {
		ResourceType   string         `json:"resourceType"`
		Status         string         `json:"status"`
		Date           string         `json:"date"`
		Kind           string         `json:"kind"`
		Instantiates   []string       `json:"instantiates,omitempty"`
		Software       named          `json:"software"`
		Implementation implementation `json:"implementation"`
		FHIRVersion    string         `json:"fhirVersion"`
		Format         []string       `json:"format"`
		PatchFormat    []string       `json:"patchFormat,omitempty"`
		Rest           []rest         `json:"rest"`
	}
	named struct {
		Name string `json:"name"`
	}
	implementation struct {
		Description string `json:"description"`
		URL         string `json:"url"`
	}
	rest struct {
		Mode        string        `json:"mode"`
		Security    security      `json:"security"`
		Resource    []resource    `json:"resource"`
		Interaction []interaction `json:"interaction,omitempty"`
		Operation   []operation   `json:"operation,omitempty"`
	}
	security struct {
		Extension []extension `json:"extension"`
		CORS      bool        `json:"cors"`
		Service   []concept   `json:"service"`
	}
	extension struct {
		URL       string      `json:"url"`
		ValueURI  string      `json:"valueUri,omitempty"`
		Extension []extension `json:"extension,omitempty"`
	}
	concept struct {
		Coding []coding `json:"coding"`
	}
	coding struct {
		System string `json:"system"`
		Code   string `json:"code"`
	}
	resource struct {
		Type              string        `json:"type"`
		Interaction       []interaction `json:"interaction,omitempty"`
		Versioning        string        `json:"versioning"`
		ReadHistory       bool          `json:"readHistory"`
		UpdateCreate      bool          `json:"updateCreate"`
		ConditionalCreate bool          `json:"conditionalCreate,omitempty"`
		ConditionalUpdate bool          `json:"conditionalUpdate,omitempty"`
		ConditionalDelete string        `json:"conditionalDelete,omitempty"`
		SearchInclude     []string      `json:"searchInclude,omitempty"`
		SearchRevInclude  []string      `json:"searchRevInclude,omitempty"`
		SearchParam       []searchParam `json:"searchParam,omitempty"`
		Operation         []operation   `json:"operation,omitempty"`
	}
	interaction struct {
		Code string `json:"code"`
	}
	operation struct {
		Name       string `json:"name"`
		Definition string `json:"definition"`
	}
	searchParam struct {
		Name string `json:"name"`
		Type string `json:"type"`
	}
)

// bulkData begins the canonical URLs of FHIR Bulk Data Access.
const bulkData = "http://hl7.org/fhir/uv/bulkdata/"

// statementDate is when what the server offers changed last.
const statementDate = "2026-11-26"

// NewCapability makes the CapabilityStatement of what this door answers, and of
// nothing else (DISC-28 to DISC-30, RS-23), within what the backend offers; without
// any limits that is everything.
func NewCapability(base string, uris OAuthURIs, limits ...Offers) ([]byte, error) {
	c := capabilityStatement{
		ResourceType: "CapabilityStatement", Status: "active", Date: statementDate, Kind: "instance",
		Software: named{"Emberlatch"}, Implementation: implementation{"FHIR API behind SMART on FHIR", base},
		FHIRVersion: "4.0.1", Format: []string{"application/fhir+json", "json"},
	}
	r := rest{Mode: "server", Security: security{
		Extension: []extension{{URL: "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", Extension: uris.extensions()}},
		CORS:      true,
		Service:   []concept{{[]coding{{"http://terminology.hl7.org/CodeSystem/restful-security-service", "SMART-on-FHIR"}}}},
	}}
	codes := answered
	if len(limits) > 0 { // another server holds the records
		codes = passedOn
	}
	revIncludes := revIncludesByTarget()
	for _, t := range fhir.ResourceTypes() {
		if compartment.ClassOf(t) != compartment.Closed {
			r.Resource = append(r.Resource, describe(t, revIncludes[t], codes, len(limits) == 0))
		}
	}
	c.PatchFormat = []string{mediaPatch, mediaResource}
	r.Interaction = []interaction{{string(fhir.Batch)}}
	if len(limits) == 0 {
		r.Interaction = []interaction{{"transaction"}, {string(fhir.Batch)}, {string(fhir.HistorySystem)}}
		c.Instantiates = []string{bulkData + "CapabilityStatement/bulk-data"}
		r.Operation = []operation{{"export", bulkData + "OperationDefinition/export"}}
		r.Resource = append(r.Resource, resource{ // no app reads one, but backend services export its members
			Type: "Group", Versioning: "versioned", Operation: []operation{{"export", bulkData + "OperationDefinition/group-export"}},
		})
	}
	for _, o := range limits {
		r.Resource = narrow(r.Resource, o)
	}
	r.Resource = withTrail(r.Resource)
	c.Rest = []rest{r}
	return json.Marshal(c)
}

func (u OAuthURIs) extensions() []extension {
	var list []extension
	for _, e := range []extension{{URL: "authorize", ValueURI: u.Authorize}, {URL: "token", ValueURI: u.Token},
		{URL: "register", ValueURI: u.Register}, {URL: "introspect", ValueURI: u.Introspect}, {URL: "revoke", ValueURI: u.Revoke}, {URL: "manage", ValueURI: u.Manage}} {
		if e.ValueURI != "" {
			list = append(list, e)
		}
	}
	return list
}

// withTrail adds the one type that is answered from the server's own record.
func withTrail(list []resource) []resource {
	t := resource{Type: string(trailType), Versioning: "no-version"}
	for _, code := range trailCodes {
		t.Interaction = append(t.Interaction, interaction{string(code)})
	}
	for _, p := range search.Parameters(trailType) {
		if p.Answerable() {
			t.SearchParam = append(t.SearchParam, searchParam{p.Code, string(p.Type)})
		}
	}
	at, _ := slices.BinarySearchFunc(list, t, func(a, b resource) int { return strings.Compare(a.Type, b.Type) })
	return slices.Insert(list, at, t)
}

// describe is a type; ours: this server holds the records.
func describe(t fhir.ResourceType, revIncludes []string, codes []fhir.InteractionCode, ours bool) resource {
	r := resource{Type: string(t), Versioning: "versioned", ReadHistory: slices.Contains(codes, fhir.HistoryInstance), SearchRevInclude: revIncludes}
	for _, code := range serves(t, codes) {
		r.Interaction = append(r.Interaction, interaction{string(code)})
	}
	if slices.Contains(serves(t, codes), fhir.Update) {
		r.Versioning = "versioned-update" // If-Match is looked at
	}
	creates, updates := slices.Contains(serves(t, codes), fhir.Create), slices.Contains(serves(t, codes), fhir.Update)
	r.ConditionalCreate, r.ConditionalUpdate = creates, updates
	if slices.Contains(serves(t, codes), fhir.Delete) {
		r.ConditionalDelete = "single"
	}
	if creates || updates {
		r.Operation = []operation{{"validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate"}}
	}
	if t == "Patient" {
		r.Operation = append(r.Operation, operation{"everything", "http://hl7.org/fhir/OperationDefinition/Patient-everything"})
		if ours {
			r.Operation = append(r.Operation, operation{"export", bulkData + "OperationDefinition/patient-export"})
		}
	}
	for _, p := range search.Parameters(t) {
		if !p.Answerable() {
			continue
		}
		r.SearchParam = append(r.SearchParam, searchParam{p.Code, string(p.Type)})
		if p.Type == search.TypeReference {
			if r.SearchInclude == nil {
				r.SearchInclude = []string{"*"}
			}
			r.SearchInclude = append(r.SearchInclude, string(t)+":"+p.Code)
		}
	}
	return r
}

// revIncludesByTarget lists, for each type, the parameters that may point to it
// by name; those that may point to anything are left out.
func revIncludesByTarget() map[fhir.ResourceType][]string {
	m := map[fhir.ResourceType][]string{}
	for _, source := range fhir.ResourceTypes() {
		if compartment.ClassOf(source) == compartment.Closed {
			continue
		}
		for _, p := range search.Parameters(source) {
			for _, target := range p.Targets {
				if p.Type == search.TypeReference {
					m[target] = append(m[target], string(source)+":"+p.Code)
				}
			}
			if p.Name() == "Provenance.target" {
				for _, target := range fhir.ResourceTypes() {
					m[target] = append(m[target], p.Name()[:len("Provenance")]+":target")
				}
			}
		}
	}
	return m
}

// capability answers /metadata, to everybody and unfiltered (DISC-28).
func (d *Door) capability(w http.ResponseWriter, r *http.Request) {
	values, err := parameters(r, false)
	if err == nil {
		err = negotiate(r, values)
	}
	if err != nil {
		d.fail(w, r, err)
		return
	}
	body, tag := d.deps.Capability, d.capabilityTag
	if d.deps.CapabilityNow != nil {
		if body, err = d.deps.CapabilityNow(r.Context()); err != nil {
			d.fail(w, r, err)
			return
		}
		tag = tagOf(body)
	}
	header := w.Header()
	header.Set("Cache-Control", "public, max-age=60")
	header.Set("ETag", tag)
	if strings.Contains(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

func tagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}
