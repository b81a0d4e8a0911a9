package sandbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// visit writes one encounter with what was measured and noted at it.
func (w *writer) visit(p *patient, r *rand.Rand, at time.Time, yearly bool) {
	id := p.id + "-visit-" + at.Format("20060102")
	kind, display := "185349003", "Check up"
	if !yearly {
		kind, display = "390906007", "Follow-up encounter"
	}
	w.put("Encounter", id, "encounter", object{
		"status": "finished", "class": coding(hl7+"v3-ActCode", "AMB", "ambulatory"), "type": []object{concept(systemSNOMED, kind, display)},
		"subject": p.subject(), "period": object{"start": instant(at), "end": instant(at.Add(30 * time.Minute))},
		"participant":     []object{{"type": []object{concept(hl7+"v3-ParticipationType", "PPRF", "primary performer")}, "individual": p.doctor()}},
		"location":        []object{{"location": named("Location", locationID, "Valley Clinic, main building")}},
		"serviceProvider": named("Organization", organizationID, "Valley Clinic"),
	})
	w.vitals(p, r, at, id)
	if yearly {
		w.labs(p, r, at, id)
	}
	w.note(p, at, id, display)
}

// observation writes a value with its category and profile.
func (w *writer) observation(p *patient, at time.Time, encounter, id, profile, category string, body object) {
	names := map[string]string{"vital-signs": "Vital Signs", "laboratory": "Laboratory"}
	body["status"], body["subject"], body["encounter"] = "final", p.subject(), ref("Encounter", encounter)
	body["category"] = []object{concept(systemCategory, category, names[category])}
	body["effectiveDateTime"], body["issued"] = instant(at), instant(at.Add(2*time.Hour))
	body["performer"] = []object{p.doctor()}
	w.put("Observation", id, profile, body)
}

func has(p *patient, key string) bool {
	return slices.ContainsFunc(p.conditions, func(c condition) bool { return c.snomed == conditions[key].snomed })
}

func (w *writer) vitals(p *patient, r *rand.Rand, at time.Time, encounter string) {
	age := w.age(p, at)
	height, weight := body(p, age, r)
	systolic, diastolic := 112+r.Float64()*12, 70+r.Float64()*9
	if has(p, "hypertension") {
		years := w.today.Sub(at).Hours() / 8766
		systolic, diastolic = systolic+14+years*2.5, diastolic+7+years
	}
	if age < 14 {
		systolic, diastolic = 96+r.Float64()*10, 58+r.Float64()*7
	}
	vital := func(name, profile, loinc, display string, value float64, digits int, unit, code string) {
		w.observation(p, at, encounter, encounter+"-"+name, profile, "vital-signs", object{
			"code": concept(systemLOINC, loinc, display), "valueQuantity": quantity(value, digits, unit, code),
		})
	}
	w.observation(p, at, encounter, encounter+"-bp", "blood-pressure", "vital-signs", object{
		"code": concept(systemLOINC, "85354-9", "Blood pressure panel with all children optional"),
		"component": []object{
			{"code": concept(systemLOINC, "8480-6", "Systolic blood pressure"), "valueQuantity": quantity(systolic, 0, "mmHg", "mm[Hg]")},
			{"code": concept(systemLOINC, "8462-4", "Diastolic blood pressure"), "valueQuantity": quantity(diastolic, 0, "mmHg", "mm[Hg]")},
		},
	})
	vital("height", "body-height", "8302-2", "Body height", height, 1, "cm", "cm")
	vital("weight", "body-weight", "29463-7", "Body weight", weight, 1, "kg", "kg")
	vital("bmi", "bmi", "39156-5", "Body mass index (BMI) [Ratio]", weight/(height*height/10000), 1, "kg/m2", "kg/m2")
	vital("pulse", "heart-rate", "8867-4", "Heart rate", 64+r.Float64()*18+float64(max(0, 12-age))*2, 0, "/min", "/min")
	vital("temperature", "body-temperature", "8310-5", "Body temperature", 36.4+r.Float64()*0.6, 1, "Cel", "Cel")
}

// body is height in cm and weight in kg for an age.
func body(p *patient, age int, r *rand.Rand) (height, weight float64) {
	adult := map[string]float64{"female": 164, "male": 177}[p.gender] + float64(len(p.family)%5) - 2
	if age >= 17 {
		heavy := 22.5 + float64(len(p.given)%4) + float64(len(p.conditions))
		return adult, adult * adult / 10000 * heavy * (0.98 + r.Float64()*0.04)
	}
	height = 76 + float64(age)*(adult-76)/17
	return height, height * height / 10000 * (15 + float64(age)*0.3) * (0.98 + r.Float64()*0.04)
}

func (w *writer) labs(p *patient, r *rand.Rand, at time.Time, encounter string) {
	if w.age(p, at) < 18 {
		return
	}
	years := w.today.Sub(at).Hours() / 8766 // treatment helps: values come down
	var results []object
	for _, m := range labs {
		value := m.usual + (r.Float64()*2-1)*m.spread
		if slices.ContainsFunc(p.conditions, func(c condition) bool { return slices.Contains(c.observations, m.loinc) }) {
			value += m.off * (0.45 + 0.11*years)
		}
		value = round(value, m.digits)
		id := encounter + "-lab-" + m.loinc
		flag, words := "N", "Normal"
		if value > m.high {
			flag, words = "H", "High"
		} else if value < m.low {
			flag, words = "L", "Low"
		}
		w.observation(p, at, encounter, id, "observation-lab", "laboratory", object{
			"code": concept(systemLOINC, m.loinc, m.display), "valueQuantity": quantity(value, m.digits, m.unit, m.code),
			"interpretation": []object{concept(hl7+"v3-ObservationInterpretation", flag, words)},
			"referenceRange": []object{{"low": quantity(m.low, m.digits, m.unit, m.code), "high": quantity(m.high, m.digits, m.unit, m.code),
				"text": fmt.Sprintf("%g to %g %s", m.low, m.high, m.unit)}},
		})
		results = append(results, ref("Observation", id))
	}
	w.put("DiagnosticReport", encounter+"-report", "diagnosticreport-lab", object{
		"status": "final", "category": []object{concept(hl7+"v2-0074", "LAB", "Laboratory")},
		"code": concept(systemLOINC, "24323-8", "Comprehensive metabolic panel"), "subject": p.subject(), "encounter": ref("Encounter", encounter),
		"effectiveDateTime": instant(at), "issued": instant(at.Add(2 * time.Hour)), "performer": []object{named("Organization", organizationID, "Valley Clinic")},
		"result": results,
	})
}

// note writes what the clinician wrote, as a document with its content.
func (w *writer) note(p *patient, at time.Time, encounter, kind string) {
	words := fmt.Sprintf("%s on %s.\n\n%s %s, %d years old, came for a visit.", kind, day(at), p.given, p.family, w.age(p, at))
	for _, c := range p.conditions {
		words += "\n- " + c.display + ": stable. " + c.medicine.display + ": " + c.medicine.dose + "."
	}
	words += "\n\nPlan: go on as before; next visit in half a year."
	doc := encounter + "-note"
	w.put("DocumentReference", doc, "documentreference", object{
		"status": "current", "type": concept(systemLOINC, "11506-3", "Progress note"),
		"category": []object{concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note", "Clinical Note")},
		"subject":  p.subject(), "date": instant(at), "author": []object{p.doctor()},
		"content": []object{{"attachment": object{"contentType": "text/plain", "url": "Binary/" + doc, "title": kind},
			"format": coding("http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode", "urn:ihe:iti:xds:2017:mimeTypeSufficient", "mimeType Sufficient")}},
		"context": object{"encounter": []object{ref("Encounter", encounter)}, "period": object{"start": instant(at), "end": instant(at.Add(30 * time.Minute))}},
	})
	w.put("Binary", doc, "", object{
		"contentType": "text/plain", "securityContext": ref("DocumentReference", doc), "data": text(words),
	})
}
