package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	redirect  = "https://load.example.org/callback"
	patientID = "load-patient"
	username  = "load"
	password  = "correct horse battery"
	// values is how many laboratory values the patient has.
	values = 60
)

// app is a confidential client of the measured server.
type app struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// world is what a server needs for the figures.
type world struct {
	*server
	m            *measuring
	rs256, es256 app // by the algorithm of their ID tokens
}

// newWorld registers two clients, loads a record and makes its person's account.
func newWorld(m *measuring, s *server) (*world, error) { return newWorldOn(m, s, record()) }

// newWorldOn loads another record; nil: it is elsewhere.
func newWorldOn(m *measuring, s *server, record object) (*world, error) {
	w := &world{server: s, m: m}
	for algorithm, client := range map[string]*app{"RS256": &w.rs256, "ES256": &w.es256} {
		err := s.command(map[string]any{
			"client_name": "Load " + algorithm, "redirect_uris": []string{redirect}, "token_endpoint_auth_method": "client_secret_basic",
			"scope":                        "launch/patient patient/*.rs openid fhirUser offline_access",
			"id_token_signed_response_alg": algorithm,
		}, client, "client", "add")
		if err != nil {
			return nil, err
		}
	}
	if record != nil {
		path := filepath.Join(m.dir, "record.json")
		bundle, err := json.Marshal(record)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(os.WriteFile(path, bundle, 0o600), s.load(path)); err != nil {
			return nil, err
		}
	}
	return w, s.command(map[string]any{
		"username": username, "password": password, "role": "patient", "fhirUser": "Patient/" + patientID,
	}, nil, "user", "add")
}

type object = map[string]any

// record is a patient with laboratory values and problems.
func record() object {
	subject := object{"reference": "Patient/" + patientID}
	concept := func(system, code string) object {
		return object{"coding": []object{{"system": system, "code": code}}}
	}
	resources := []object{{
		"resourceType": "Patient", "id": patientID, "birthDate": "1980-02-29", "gender": "female",
		"name":    []object{{"family": "Load", "given": []string{"Lena"}}},
		"address": []object{{"line": []string{"1 Long Road"}, "city": "Springfield", "postalCode": "12345", "country": "US"}},
	}}
	for i := range values {
		resources = append(resources, object{
			"resourceType": "Observation", "id": fmt.Sprintf("load-value-%d", i), "status": "final", "subject": subject,
			"category":          []object{concept("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory")},
			"code":              concept("http://loinc.org", "718-7"),
			"effectiveDateTime": fmt.Sprintf("2025-%02d-%02dT08:30:00Z", 1+i/28, 1+i%28),
			"valueQuantity":     object{"value": 13.5, "unit": "g/dL", "system": "http://unitsofmeasure.org", "code": "g/dL"},
		})
	}
	for i := range 5 {
		resources = append(resources, object{
			"resourceType": "Condition", "id": fmt.Sprintf("load-problem-%d", i), "subject": subject,
			"clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
			"category":       []object{concept("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item")},
			"code":           concept("http://snomed.info/sct", "38341003"),
		})
	}
	entries := make([]object, len(resources))
	for i, r := range resources {
		entries[i] = object{"resource": r}
	}
	return object{"resourceType": "Bundle", "type": "collection", "entry": entries}
}
