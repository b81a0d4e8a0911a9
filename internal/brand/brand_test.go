package brand_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/brand"
)

const base = "https://ehr.example.org/fhir"

// good is two brands: a hospital, and a clinic whose access the hospital provides.
const good = `{"resourceType":"Bundle","type":"collection","timestamp":"2026-11-01T08:00:00.5+01:00","meta":{"lastUpdated":"2026-11-01T08:00:00Z"},"entry":[
{"fullUrl":"https://ehr.example.org/Organization/hospital","resource":{"resourceType":"Organization","id":"hospital","name":"Valley Hospital",
 "identifier":[{"use":"official","system":"urn:ietf:rfc:3986","value":"https://hospital.example.org"}],
 "contact":[{"telecom":[{"system":"url","value":"https://hospital.example.org"}]}],
 "extension":[{"url":"http://hl7.org/fhir/StructureDefinition/organization-portal","extension":[{"url":"portalName","valueString":"MyValley"},{"url":"portalEndpoint","valueReference":{"reference":"Endpoint/r4"}}]}]}},
{"fullUrl":"https://ehr.example.org/Organization/clinic","resource":{"resourceType":"Organization","id":"clinic","name":"Valley Clinic",
 "identifier":[{"system":"urn:ietf:rfc:3986","value":"https://clinic.example.org"}],"address":[{"city":"Napa"}],
 "partOf":{"reference":"https://ehr.example.org/Organization/hospital"},"endpoint":[{"reference":"https://ehr.example.org/Endpoint/r4"}]}},
{"fullUrl":"https://ehr.example.org/Endpoint/r4","resource":{"resourceType":"Endpoint","id":"r4","status":"active","name":"FHIR R4",
 "extension":[{"url":"http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version","valueCode":"4.0.1"}],
 "connectionType":{"system":"http://terminology.hl7.org/CodeSystem/endpoint-connection-type","code":"hl7-fhir-rest"},
 "contact":[{"system":"email","value":"x@example.org"},{"system":"url","value":"https://developers.example.org"}],
 "payloadType":[{"coding":[{"code":"none"}]}],"address":"https://ehr.example.org/fhir/"}}]}`

var hospital = brand.Identifier{System: "urn:ietf:rfc:3986", Value: "https://hospital.example.org"}

// A Bundle of brands is served as it came when every rule holds; else the operator
// is told the first that does not.
//
// spec: XP-02, DISC-26
func TestParse(t *testing.T) {
	for _, row := range []struct {
		name, old, new string
		primary        brand.Identifier
		want           string // in the error; empty: good
	}{
		{"good", "", "", hospital, ""},
		{"the other one is primary", "", "", brand.Identifier{System: "urn:ietf:rfc:3986", Value: "https://clinic.example.org"}, ""},
		{"two brands, none is primary", "", "", brand.Identifier{}, "which brand is the primary one"},
		{"an identifier of nobody", "", "", brand.Identifier{System: "urn:ietf:rfc:3986", Value: "https://other.example.org"}, "0 Organizations have"},
		{"another system", "", "", brand.Identifier{System: "x", Value: "https://hospital.example.org"}, "0 Organizations have"},
		{"an identifier without a system", "", "", brand.Identifier{Value: "https://hospital.example.org"}, "which brand is the primary one"},
		{"an identifier of two", `"https://clinic.example.org"}],"address"`, `"https://hospital.example.org"}],"address"`, hospital, "2 Organizations have"},
		{"no JSON", `"entry":[`, `"entry":[[`, hospital, "not FHIR JSON"},
		{"a member twice", `"type":"collection"`, `"type":"collection","type":"collection"`, hospital, "not FHIR JSON"},
		{"a searchset", `"collection"`, `"searchset"`, hospital, "type collection"},
		{"no Bundle", `"Bundle"`, `"List"`, hospital, "type collection"},
		{"no timestamp", `"timestamp":"2026-11-01T08:00:00.5+01:00",`, ``, hospital, "timestamp"},
		{"a day only", `"2026-11-01T08:00:00.5+01:00"`, `"2026-11-01"`, hospital, "timestamp"},
		{"no lastUpdated", `"lastUpdated":"2026-11-01T08:00:00Z"`, ``, hospital, "meta.lastUpdated"},
		{"another type", `"resourceType":"Endpoint"`, `"resourceType":"Location"`, hospital, "only Organization and Endpoint"},
		{"no fullUrl", `"fullUrl":"https://ehr.example.org/Endpoint/r4",`, ``, hospital, "fullUrl"},
		{"an id twice", `"id":"clinic"`, `"id":"hospital"`, hospital, "twice"},
		{"a fullUrl twice", `"fullUrl":"https://ehr.example.org/Organization/clinic"`, `"fullUrl":"https://ehr.example.org/Organization/hospital"`, hospital, "twice"},
		{"the address of another", `"https://ehr.example.org/fhir/"`, `"https://other.example.org/fhir"`, hospital, "no active Endpoint has the address"},
		{"switched off", `"status":"active"`, `"status":"off"`, hospital, "no active Endpoint has the address"},
		{"no address", `,"address":"https://ehr.example.org/fhir/"`, ``, hospital, "address"},
		{"plain http", `"https://ehr.example.org/fhir/"`, `"http://ehr.example.org/fhir"`, hospital, "address is the https"},
		{"no FHIR version", `"valueCode":"4.0.1"`, `"valueCode":""`, hospital, "endpoint-fhir-version"},
		{"another connection", `"hl7-fhir-rest"`, `"hl7v2-mllp"`, hospital, "connectionType"},
		{"nothing for developers", `{"system":"url","value":"https://developers.example.org"}`, `{"system":"url","value":"http://developers.example.org"}`, hospital, "page for developers"},
		{"a script for developers", `https://developers.example.org`, `javascript:alert(1)`, hospital, "page for developers"},
		{"no payload type", `"payloadType":[{"coding":[{"code":"none"}]}],`, ``, hospital, "payloadType"},
		{"a brand without a name", `"name":"Valley Clinic",`, ``, hospital, "name is missing"},
		{"an Endpoint that is not there", `"reference":"https://ehr.example.org/Endpoint/r4"`, `"reference":"Endpoint/r5"`, hospital, "is no Endpoint of this Bundle"},
		{"a portal that leads away", `{"reference":"Endpoint/r4"}`, `{"reference":"Endpoint/r5"}`, hospital, "is no Endpoint of this Bundle"},
		{"a provider that is not there", `"partOf":{"reference":"https://ehr.example.org/Organization/hospital"}`, `"partOf":{"reference":"Organization/x"}`, hospital, "is no Organization of this Bundle"},
		{"a hierarchy of itself", `"partOf":{"reference":"https://ehr.example.org/Organization/hospital"}`, `"partOf":{"reference":"Organization/clinic"}`, hospital, "two deep"},
	} {
		t.Run(row.name, func(t *testing.T) {
			raw := []byte(strings.Replace(good, row.old, row.new, 1))
			if row.old != "" && string(raw) == good {
				t.Fatal("nothing was changed")
			}
			got, err := brand.Parse(raw, base, row.primary)
			if row.want != "" {
				if err == nil || !strings.Contains(err.Error(), row.want) || !got.IsZero() {
					t.Fatalf("got %v, want an error about %q", err, row.want)
				}
				return
			}
			if err != nil || !bytes.Equal(got.JSON(), raw) || got.Primary() != row.primary {
				t.Errorf("got %v, %v", got.Primary(), err)
			}
		})
	}
}

// An Endpoint that no brand leads to is nobody's.
//
// spec: XP-02
func TestAnEndpointOfNobody(t *testing.T) {
	raw := strings.Replace(good, `{"url":"portalEndpoint","valueReference":{"reference":"Endpoint/r4"}}`, `{"url":"portalUrl"}`, 1)
	raw = strings.Replace(raw, `,"endpoint":[{"reference":"https://ehr.example.org/Endpoint/r4"}]`, ``, 1)
	if _, err := brand.Parse([]byte(raw), base, hospital); err == nil || !strings.Contains(err.Error(), "belongs to no Organization") {
		t.Errorf("got %v", err)
	}
}

// What a sandbox makes passes the same rules.
func TestGenerate(t *testing.T) {
	got, err := brand.Generate("Valley Clinic", "http://localhost:8765", "http://localhost:8765/fhir")
	if err != nil || got.Primary() != (brand.Identifier{System: "urn:ietf:rfc:3986", Value: "http://localhost:8765"}) {
		t.Fatal(got.Primary(), err)
	}
	again, err := brand.Generate("Valley Clinic", "http://localhost:8765", "http://localhost:8765/fhir")
	if err != nil || !bytes.Equal(got.JSON(), again.JSON()) {
		t.Error("it differs from one time to the next, and so would its entity tag")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"resourceType":"Bundle","type":"collection","entry":[{"resource":null}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if b, err := brand.Parse(raw, base, hospital); (err == nil) == b.IsZero() {
			t.Errorf("error %v, and a Bundle: %v", err, !b.IsZero())
		}
	})
}
