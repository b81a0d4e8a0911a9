package brand

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Identifier names the primary brand (FHIR R4 Identifier).
type Identifier struct {
	System string `json:"system" yaml:"system"`
	Value  string `json:"value" yaml:"value"`
}

// Bundle is a judged Bundle; only this package makes one. The zero value is none.
type Bundle struct {
	json    []byte
	primary Identifier
}

// JSON is the Bundle as it came. Do not change it.
func (b Bundle) JSON() []byte { return b.json }

// Primary is the identifier of the primary brand.
func (b Bundle) Primary() Identifier { return b.primary }

// IsZero reports whether there is no Bundle.
func (b Bundle) IsZero() bool { return len(b.json) == 0 }

const (
	maxBundle    = 10 << 20 // bytes
	fhirVersion  = "http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version"
	portal       = "http://hl7.org/fhir/StructureDefinition/organization-portal"
	typesOfConns = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
)

// The elements that are judged.
type (
	bundle struct {
		ResourceType string  `json:"resourceType"`
		Type         string  `json:"type"`
		Timestamp    string  `json:"timestamp"`
		Meta         meta    `json:"meta"`
		Entry        []entry `json:"entry"`
	}
	meta struct {
		LastUpdated string `json:"lastUpdated"`
	}
	entry struct {
		FullURL  string   `json:"fullUrl"`
		Resource resource `json:"resource"`
	}
	// resource is an Organization or an Endpoint. What both call alike differs in
	// form, so it is read when the type is known.
	resource struct {
		ResourceType string         `json:"resourceType"`
		ID           string         `json:"id"`
		Name         string         `json:"name"`
		Identifier   []Identifier   `json:"identifier"`
		PartOf       reference      `json:"partOf"`
		Endpoint     []reference    `json:"endpoint"`
		Extension    []extension    `json:"extension"`
		Status       string         `json:"status"`
		Connection   coding         `json:"connectionType"`
		Contact      jsontext.Value `json:"contact"`
		PayloadType  jsontext.Value `json:"payloadType"`
		Address      jsontext.Value `json:"address"`
	}
	reference struct {
		Reference string `json:"reference"`
	}
	coding struct {
		System string `json:"system"`
		Code   string `json:"code"`
	}
	extension struct {
		URL       string      `json:"url"`
		Code      string      `json:"valueCode"`
		Reference reference   `json:"valueReference"`
		Extension []extension `json:"extension"`
	}
	contactPoint struct {
		System string `json:"system"`
		Value  string `json:"value"`
	}
)

// Parse judges a Bundle for the server at a FHIR base. primary names its primary brand;
// the zero value is good when there is only one brand, which has an identifier. Errors
// are sentences for the operator.
func Parse(raw []byte, base string, primary Identifier) (Bundle, error) {
	if len(raw) > maxBundle {
		return Bundle{}, errors.New("the Bundle is larger than 10 MB")
	}
	var b bundle
	if err := json.Unmarshal(raw, &b, jsontext.AllowDuplicateNames(false)); err != nil {
		return Bundle{}, fmt.Errorf("the Bundle is not FHIR JSON: %w", err)
	}
	if err := b.checkFrame(); err != nil {
		return Bundle{}, err
	}
	brands, endpoints, err := b.sort()
	if err != nil {
		return Bundle{}, err
	}
	if err := checkEndpoints(endpoints, base); err != nil {
		return Bundle{}, err
	}
	if err := checkBrands(brands, endpoints); err != nil {
		return Bundle{}, err
	}
	if primary, err = primaryOf(brands, primary); err != nil {
		return Bundle{}, err
	}
	return Bundle{raw, primary}, nil
}

// checkFrame: a collection that says when it changed (profile user-access-brands-bundle).
func (b bundle) checkFrame() error {
	if b.ResourceType != "Bundle" || b.Type != "collection" {
		return errors.New("it is a Bundle of type collection")
	}
	for element, text := range map[string]string{"timestamp": b.Timestamp, "meta.lastUpdated": b.Meta.LastUpdated} {
		if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
			return fmt.Errorf("%s is the instant of the last change, such as 2026-11-25T08:00:00Z", element)
		}
	}
	return nil
}

// found are resources by the texts that refer to them: Type/id and fullUrl.
type found map[string]*resource

// sort tells brands from endpoints; nothing else belongs here.
func (b bundle) sort() (brands, endpoints found, err error) {
	brands, endpoints = found{}, found{}
	for i := range b.Entry {
		e := &b.Entry[i]
		r := &e.Resource
		of := map[string]found{"Organization": brands, "Endpoint": endpoints}[r.ResourceType]
		switch {
		case of == nil:
			return nil, nil, fmt.Errorf("entry %d is a %q: only Organization and Endpoint belong here", i, r.ResourceType)
		case e.FullURL == "" || r.ID == "":
			return nil, nil, fmt.Errorf("entry %d needs fullUrl, and its resource an id", i)
		case of[e.FullURL] != nil || of[r.ResourceType+"/"+r.ID] != nil:
			return nil, nil, fmt.Errorf("entry %d is there twice: %s", i, e.FullURL)
		}
		of[e.FullURL], of[r.ResourceType+"/"+r.ID] = r, r
	}
	if len(brands) == 0 || len(endpoints) == 0 {
		return nil, nil, errors.New("it needs at least one Organization and one Endpoint")
	}
	return brands, endpoints, nil
}

func withoutSlash(address string) string { return strings.TrimSuffix(address, "/") }
