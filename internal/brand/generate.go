package brand

import (
	"github.com/go-json-experiment/json"
)

// generated is when what Generate makes changed last.
const generated = "2026-11-25T00:00:00Z"

// Generate is the Bundle of a sandbox: one brand with one Endpoint, which nobody else has.
func Generate(name, issuer, base string) (Bundle, error) {
	type object = map[string]any
	endpoint := object{
		"resourceType": "Endpoint", "id": "fhir", "status": "active", "name": name + ", FHIR R4", "address": base,
		"extension":      []object{{"url": fhirVersion, "valueCode": "4.0.1"}},
		"connectionType": object{"system": typesOfConns, "code": "hl7-fhir-rest"},
		"contact":        []object{{"system": "url", "value": issuer + "/"}},
		"payloadType":    []object{{"coding": []object{{"system": "http://terminology.hl7.org/CodeSystem/endpoint-payload-type", "code": "none"}}}},
	}
	organization := object{
		"resourceType": "Organization", "id": "brand", "active": true, "name": name,
		"identifier": []object{{"system": "urn:ietf:rfc:3986", "value": issuer}},
		"endpoint":   []object{{"reference": "Endpoint/fhir"}},
		"telecom":    []object{{"system": "url", "value": issuer + "/"}},
	}
	raw, err := json.Marshal(object{
		"resourceType": "Bundle", "type": "collection", "timestamp": generated, "meta": object{"lastUpdated": generated},
		"entry": []object{{"fullUrl": base + "/Organization/brand", "resource": organization}, {"fullUrl": base + "/Endpoint/fhir", "resource": endpoint}},
	}, json.Deterministic(true))
	if err != nil {
		return Bundle{}, err
	}
	return Parse(raw, base, Identifier{})
}
