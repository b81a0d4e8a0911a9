package sandbox

import "strconv"

const (
	organizationID = "valley-clinic"
	locationID     = "valley-clinic-main"
)

// organization writes the clinic and its place.
func (w *writer) organization() {
	address := object{"line": []string{"12 Orchard Road"}, "city": "Greenvale", "state": "MA", "postalCode": "01999", "country": "US"}
	phone := []object{{"system": "phone", "value": "555-0100", "use": "work"}}
	w.put("Organization", organizationID, "organization", object{
		"active": true, "name": "Valley Clinic", "telecom": phone, "address": []object{address},
		"identifier": []object{{"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999999984"}},
		"type":       []object{concept(hl7+"organization-type", "prov", "Healthcare Provider")},
	})
	w.put("Location", locationID, "location", object{
		"status": "active", "name": "Valley Clinic, main building", "telecom": phone, "address": address,
		"managingOrganization": named("Organization", organizationID, "Valley Clinic"),
	})
	w.put("Organization", "meadow-health-plan", "organization", object{
		"active": true, "name": "Meadow Health Plan", "type": []object{concept(hl7+"organization-type", "pay", "Payer")},
		"telecom": []object{{"system": "phone", "value": "555-0142"}},
	})
}

// practitioner writes a clinician with a role and a panel.
func (w *writer) practitioner(p *practitioner, panel []string) {
	name := p.given + " " + p.family
	w.put("Practitioner", p.id, "practitioner", object{
		"active": true, "name": []object{{"use": "official", "family": p.family, "given": []string{p.given}, "prefix": []string{"Dr."}}},
		"identifier": []object{{"system": "http://hl7.org/fhir/sid/us-npi", "value": "19999999" + strconv.Itoa(10+len(p.id))}},
		"telecom":    []object{{"system": "phone", "value": "555-0110", "use": "work"}},
	})
	w.put("PractitionerRole", p.id+"-role", "practitionerrole", object{
		"active": true, "practitioner": named("Practitioner", p.id, name), "organization": named("Organization", organizationID, "Valley Clinic"),
		"code":      []object{concept("http://nucc.org/provider-taxonomy", p.specialtyCode, p.specialty)},
		"specialty": []object{concept("http://nucc.org/provider-taxonomy", p.specialtyCode, p.specialty)},
		"location":  []object{ref("Location", locationID)}, "telecom": []object{{"system": "phone", "value": "555-0110"}},
	})
	members := make([]object, 0, len(panel))
	for _, id := range panel {
		members = append(members, object{"entity": ref("Patient", id)})
	}
	w.put("Group", p.id+"-panel", "", object{
		"active": true, "type": "person", "actual": true, "name": "Panel of " + name, "quantity": len(panel),
		"managingEntity": named("Practitioner", p.id, name), "member": members,
	})
}
