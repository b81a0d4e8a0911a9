package sandbox

import (
	"math/rand/v2"
	"strconv"
	"time"
)

// history is how many years of visits a record has.
const history = 6

// record writes one patient with everything that belongs to them.
func (w *writer) record(p *patient, r *rand.Rand) {
	w.patient(p, r)
	w.relatives(p)
	w.problems(p, r)
	w.allergies(p, r)
	w.vaccinations(p)
	w.coverage(p)
	w.care(p)
	years := min(history, w.age(p, w.today))
	for year := years; year >= 0; year-- {
		for half := range 2 {
			at := w.today.AddDate(-year, -6*half, -5-r.IntN(40)).Add(time.Duration(9+r.IntN(7)) * time.Hour)
			if at.Before(p.born.AddDate(0, 2, 0)) || at.After(w.today) {
				continue
			}
			w.visit(p, r, at, half == 0)
		}
	}
	w.lifestyle(p, r)
	w.procedures(p, r)
	w.provenance(p)
}

func (w *writer) age(p *patient, at time.Time) int {
	years := at.Year() - p.born.Year()
	if at.YearDay() < p.born.YearDay() {
		years--
	}
	return max(0, years)
}

func (p *patient) subject() object { return named("Patient", p.id, p.given+" "+p.family) }

func (p *patient) doctor() object {
	return named("Practitioner", p.practitioner.id, "Dr. "+p.practitioner.given+" "+p.practitioner.family)
}

func (w *writer) patient(p *patient, r *rand.Rand) {
	races := []struct{ code, display string }{{"2106-3", "White"}, {"2054-5", "Black or African American"}, {"2028-9", "Asian"}}
	race := races[r.IntN(len(races))]
	ethnicity := []struct{ code, display string }{{"2186-5", "Not Hispanic or Latino"}, {"2135-2", "Hispanic or Latino"}}[r.IntN(2)]
	omb := func(name, code, display string) object {
		return object{"url": profileBase + name, "extension": []object{
			{"url": "ombCategory", "valueCoding": coding("urn:oid:2.16.840.1.113883.6.238", code, display)}, {"url": "text", "valueString": display},
		}}
	}
	sex := map[string]string{"female": "F", "male": "M"}[p.gender]
	number := strconv.Itoa(100000 + r.IntN(899999))
	w.put("Patient", p.id, "patient", object{
		"extension": []object{omb("race", race.code, race.display), omb("ethnicity", ethnicity.code, ethnicity.display),
			{"url": profileBase + "birthsex", "valueCode": sex}},
		"identifier": []object{{"use": "usual", "type": concept(hl7+"v2-0203", "MR", "Medical Record Number"),
			"system": "http://valley-clinic.example.org/mrn", "value": "VC" + number}},
		"active": true, "name": []object{{"use": "official", "family": p.family, "given": []string{p.given}}},
		"telecom": []object{{"system": "phone", "value": "555-01" + number[:2], "use": "mobile"},
			{"system": "email", "value": p.id + "@people.example.org"}},
		"gender": p.gender, "birthDate": day(p.born),
		"address":              []object{{"use": "home", "line": []string{number[3:] + " Willow Street"}, "city": "Greenvale", "state": "MA", "postalCode": "01999", "country": "US"}},
		"communication":        []object{{"language": concept("urn:ietf:bcp:47", "en-US", "English"), "preferred": true}},
		"generalPractitioner":  []object{p.doctor()},
		"managingOrganization": named("Organization", organizationID, "Valley Clinic"),
	})
}

func (w *writer) relatives(p *patient) {
	if p.representative == nil {
		return
	}
	v := p.representative
	w.put("RelatedPerson", v.id, "relatedperson", object{
		"active": true, "patient": p.subject(), "relationship": []object{concept(hl7+"v3-RoleCode", v.code, v.display)},
		"name": []object{{"family": v.family, "given": []string{v.given}}}, "telecom": []object{{"system": "phone", "value": "555-0177"}},
	})
}

func (w *writer) problems(p *patient, r *rand.Rand) {
	for i, c := range p.conditions {
		began := w.today.AddDate(-1-r.IntN(max(1, min(9, w.age(p, w.today)))), -r.IntN(12), 0)
		if began.Before(p.born) {
			began = p.born.AddDate(0, 6, 0)
		}
		id := p.id + "-problem-" + strconv.Itoa(i+1)
		w.put("Condition", id, "condition-problems-health-concerns", object{
			"clinicalStatus":     concept(hl7+"condition-clinical", "active", ""),
			"verificationStatus": concept(hl7+"condition-ver-status", "confirmed", ""),
			"category":           []object{concept(hl7+"condition-category", "problem-list-item", "Problem List Item")},
			"code":               object{"coding": []object{coding(systemSNOMED, c.snomed, c.display), coding(systemICD10, c.icd10, c.display)}, "text": c.display},
			"subject":            p.subject(), "onsetDateTime": day(began), "recordedDate": day(began), "recorder": p.doctor(),
		})
		w.put("MedicationRequest", p.id+"-medicine-"+strconv.Itoa(i+1), "medicationrequest", object{
			"status": "active", "intent": "order", "category": []object{concept(hl7+"medicationrequest-category", "community", "Community")},
			"medicationCodeableConcept": concept(systemRxNorm, c.medicine.rxnorm, c.medicine.display), "reportedBoolean": false,
			"subject": p.subject(), "authoredOn": day(began.AddDate(0, 0, 7)), "requester": p.doctor(),
			"reasonReference":   []object{ref("Condition", id)},
			"dosageInstruction": []object{{"text": c.medicine.dose}},
		})
	}
}

func (w *writer) allergies(p *patient, r *rand.Rand) {
	if r.IntN(3) == 0 && p.id != "maria" {
		w.put("AllergyIntolerance", p.id+"-allergy-1", "allergyintolerance", object{
			"clinicalStatus": concept(hl7+"allergyintolerance-clinical", "active", ""), "verificationStatus": concept(hl7+"allergyintolerance-verification", "confirmed", ""),
			"code": concept(systemSNOMED, "716186003", "No known allergy"), "patient": p.subject(),
		})
		return
	}
	a := allergies[r.IntN(len(allergies))]
	w.put("AllergyIntolerance", p.id+"-allergy-1", "allergyintolerance", object{
		"clinicalStatus": concept(hl7+"allergyintolerance-clinical", "active", ""), "verificationStatus": concept(hl7+"allergyintolerance-verification", "confirmed", ""),
		"type": "allergy", "category": []string{a.category}, "criticality": "low",
		"code": concept(systemSNOMED, a.snomed, a.display), "patient": p.subject(), "recordedDate": day(w.today.AddDate(-2, 0, 0)),
		"reaction": []object{{"manifestation": []object{concept(systemSNOMED, a.reactionCode, a.reaction)}}},
	})
}

func (w *writer) vaccinations(p *patient) {
	n := 0
	for _, v := range vaccines {
		first := p.born.AddDate(v.age, 3, 0)
		if floor := w.today.AddDate(-history, 0, 0); v.every < 5 && first.Before(floor) {
			first = floor
		}
		for at := first; at.Before(w.today); at = at.AddDate(v.every, 0, 3) {
			n++
			w.put("Immunization", p.id+"-vaccine-"+strconv.Itoa(n), "immunization", object{
				"status": "completed", "vaccineCode": concept(systemCVX, v.cvx, v.display), "patient": p.subject(),
				"occurrenceDateTime": day(at), "primarySource": true, "location": ref("Location", locationID),
			})
		}
	}
}

func (w *writer) coverage(p *patient) {
	w.put("Coverage", p.id+"-coverage", "coverage", object{
		"status": "active", "type": concept("https://nahdo.org/sopt", "5", "Private health insurance"), "subscriberId": "MH-" + p.id,
		"beneficiary": p.subject(), "relationship": concept(hl7+"subscriber-relationship", "self", "Self"),
		"identifier": []object{{"type": concept(hl7+"v2-0203", "MB", "Member Number"), "system": "http://meadow.example.org/member", "value": "MH-" + p.id}},
		"period":     object{"start": day(w.today.AddDate(-1, 0, 0))}, "payor": []object{named("Organization", "meadow-health-plan", "Meadow Health Plan")},
	})
}

// care writes the team, a plan and a goal.
func (w *writer) care(p *patient) {
	began := day(w.today.AddDate(-1, -2, 0))
	w.put("CareTeam", p.id+"-team", "careteam", object{
		"status": "active", "name": "Care team of " + p.given + " " + p.family, "subject": p.subject(), "period": object{"start": began},
		"participant": []object{
			{"role": []object{concept(systemSNOMED, "446050000", "Primary care provider")}, "member": p.doctor()},
			{"role": []object{concept(systemSNOMED, "116154003", "Patient")}, "member": p.subject()},
		},
	})
	w.put("Goal", p.id+"-goal", "goal", object{
		"lifecycleStatus": "active", "description": object{"text": "Walk for half an hour on five days a week"},
		"subject": p.subject(), "startDate": began, "target": []object{{"dueDate": day(w.today.AddDate(0, 6, 0))}},
	})
	w.put("CarePlan", p.id+"-plan", "careplan", object{
		"status": "active", "intent": "plan", "category": []object{concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan", "")},
		"text":    object{"status": "generated", "div": `<div xmlns="http://www.w3.org/1999/xhtml">Healthy living: move, eat well, come for the yearly check.</div>`},
		"subject": p.subject(), "period": object{"start": began}, "careTeam": []object{ref("CareTeam", p.id+"-team")}, "goal": []object{ref("Goal", p.id+"-goal")},
	})
}

func (w *writer) lifestyle(p *patient, r *rand.Rand) {
	if w.age(p, w.today) < 14 {
		return
	}
	status := []struct{ code, display string }{{"266919005", "Never smoked tobacco"}, {"8517006", "Ex-smoker"}}[r.IntN(2)]
	w.put("Observation", p.id+"-smoking", "smokingstatus", object{
		"status": "final", "category": []object{concept(systemCategory, "social-history", "Social History")},
		"code": concept(systemLOINC, "72166-2", "Tobacco smoking status"), "subject": p.subject(),
		"effectiveDateTime": day(w.today.AddDate(0, -3, 0)), "valueCodeableConcept": concept(systemSNOMED, status.code, status.display),
	})
	w.put("Observation", p.id+"-hunger", "observation-screening-assessment", object{
		"status": "final", "category": []object{concept(systemCategory, "survey", "Survey"), concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-category", "sdoh", "SDOH")},
		"code":    concept(systemLOINC, "88122-7", "Within the past 12 months we worried whether our food would run out before we got money to buy more"),
		"subject": p.subject(), "effectiveDateTime": day(w.today.AddDate(0, -3, 0)),
		"valueCodeableConcept": concept(systemLOINC, "LA28399-0", "Never true"),
	})
}

func (w *writer) procedures(p *patient, r *rand.Rand) {
	age := w.age(p, w.today)
	if age > 50 {
		w.put("Procedure", p.id+"-colonoscopy", "procedure", object{
			"status": "completed", "code": concept(systemSNOMED, "73761001", "Colonoscopy"), "subject": p.subject(),
			"performedDateTime": day(w.today.AddDate(-1-r.IntN(4), 0, 0)), "location": ref("Location", locationID),
		})
	}
	if age > 70 {
		w.put("Device", p.id+"-pacemaker", "implantable-device", object{
			"status": "active", "type": concept(systemSNOMED, "14106009", "Cardiac pacemaker"), "patient": p.subject(),
			"distinctIdentifier": "PM-" + p.id, "manufactureDate": day(w.today.AddDate(-4, 0, 0)),
		})
	}
}

func (w *writer) provenance(p *patient) {
	w.put("Provenance", p.id+"-provenance", "provenance", object{
		"target": []object{ref("Patient", p.id)}, "recorded": instant(w.today.AddDate(0, -1, 0)),
		"agent": []object{{"type": concept(hl7+"provenance-participant-type", "author", "Author"), "who": p.doctor(), "onBehalfOf": ref("Organization", organizationID)}},
	})
}
