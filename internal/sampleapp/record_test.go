package sampleapp_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

type object = map[string]any

func concept(text string) object { return object{"text": text} }

func lab(code, title, date, value string, more object) object {
	o := object{
		"resourceType": "Observation", "code": object{"coding": []object{{"code": code}}, "text": title}, "effectiveDateTime": date,
		"valueQuantity": object{"value": jsonNumber(value), "unit": "mg/dL"},
	}
	for k, v := range more {
		o[k] = v
	}
	return o
}

// jsonNumber is written as it stands.
type jsonNumber string

func (n jsonNumber) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func person(name, born string) object {
	given, family, _ := strings.Cut(name, " ")
	return object{"resourceType": "Patient", "id": "p1", "name": []object{{"given": []string{given}, "family": family}}, "birthDate": born, "gender": "female"}
}

// shown connects, and returns the record page.
func shown(t *testing.T, answers object) page {
	t.Helper()
	s := newServer(t)
	s.answers = answers
	b := open(t, s)
	b.connected()
	return b.do(http.MethodGet, "/record")
}

func expect(t *testing.T, p page, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.body, text) {
			t.Errorf("%q is not on the page (%d):\n%s", text, p.status, p.body)
		}
	}
}

func TestTheRecordIsShownAsAPersonReadsIt(t *testing.T) {
	expect(t, shown(t, object{
		"Patient/p1":         person("Maria Lopez", "1965-02-01"),
		"Condition":          bundle(object{"code": concept("Asthma"), "onsetDateTime": "2020-05-06"}),
		"MedicationRequest":  bundle(object{"medicationCodeableConcept": concept("Metformin"), "dosageInstruction": []object{{"text": "twice a day"}}}),
		"AllergyIntolerance": bundle(object{"code": concept("Peanut"), "reaction": []object{{"manifestation": []object{concept("Hives")}}}}),
		"Immunization":       bundle(object{"vaccineCode": object{"coding": []object{{"code": "140", "display": "Influenza"}}}}),
		"Encounter":          bundle(object{"type": []object{concept("Check up")}, "period": object{"start": "2025-01-02T10:00:00Z"}}),
		"CareTeam":           bundle(object{"name": "My team", "participant": []object{{"member": object{"display": "Dr. Chen"}, "role": []object{concept("Doctor")}}}}),
		"DocumentReference":  bundle(object{"date": "2025-01-02T10:00:00Z", "content": []object{{"attachment": object{"url": "Binary/n1", "title": "Progress"}}}}),
		"Binary/n1":          object{"resourceType": "Binary", "data": base64.StdEncoding.EncodeToString([]byte("All is well."))},
	}),
		"<h1>Maria Lopez</h1>", "born 1965-02-01", "61 years", "Asthma", "<time>2020-05-06</time>", "Metformin", "twice a day", "Peanut", "Hives",
		"Influenza", "Check up", "<time>2025-01-02</time>", "My team", "Dr. Chen (Doctor)", "All is well.", "signed in as Patient/p1")
}

func TestAgeOnAndAroundTheBirthday(t *testing.T) {
	for born, want := range map[string]string{ // today is 2026-03-01
		"2000-03-01": "26 years", "2000-03-02": "25 years", "2000-02-29": "26 years", "2001-03-01": "25 years", "2001-03-02": "24 years",
		"2025-03-02": "0 years", "2026-03-01": "0 years",
	} {
		t.Run(born, func(t *testing.T) {
			expect(t, shown(t, object{"Patient/p1": person("A B", born)}), "· "+want)
		})
	}
}

// What was not shared is told, and the rest is shown.
func TestWhatWasNotSharedIsSaid(t *testing.T) {
	p := shown(t, object{
		"Patient/p1": http.StatusForbidden, "Condition": http.StatusForbidden, "Observation laboratory": http.StatusForbidden,
		"Observation vital-signs": http.StatusForbidden, "DocumentReference": http.StatusForbidden,
		"Immunization": bundle(object{"vaccineCode": concept("Influenza")}),
	})
	expect(t, p, "<h1>Your record</h1>", `<h2>Health problems</h2><p class="quiet">You did not share this.</p>`, `<h2>Lab results</h2><p class="quiet">You did not share this.</p>`,
		"Influenza", `<h2>Allergies</h2><p class="quiet">Nothing recorded.</p>`)
}

func TestANoteWithoutItsContentIsStillListed(t *testing.T) {
	expect(t, shown(t, object{
		"DocumentReference": bundle(object{"date": "2025-01-02", "content": []object{{"attachment": object{"url": "Binary/n1", "title": "Progress"}}}}),
		"Binary/n1":         http.StatusForbidden,
	}), "Progress", "You did not share the content.")
}

func TestABrokenServerIsToldAndNotHalfARecord(t *testing.T) {
	p := shown(t, object{"Patient/p1": person("Maria Lopez", "1965-02-01"), "Encounter": http.StatusInternalServerError})
	if p.status != http.StatusBadGateway || strings.Contains(p.body, "Lopez") {
		t.Errorf("%d %s", p.status, p.body)
	}
}

func TestAnEndedAccessIsRefreshedOrTold(t *testing.T) {
	s := newServer(t)
	s.answers = object{"Patient/p1": http.StatusUnauthorized}
	b := open(t, s)
	b.connected()
	if p := b.do(http.MethodGet, "/record"); p.location != "/record" || len(s.tokens) != 2 {
		t.Errorf("with a refresh token: %d %s, %d token requests", p.status, p.location, len(s.tokens))
	}
	s.set(func() { s.refusing = true })
	expect(t, b.do(http.MethodGet, "/record"), "Please connect again.")
}

// Every page of a search is read, and none of another server.
func TestPagesAreFollowedOnTheSameServerOnly(t *testing.T) {
	s := newServer(t)
	linked := func(text, next string) object {
		b := bundle(object{"code": concept(text)})
		b["link"] = []object{{"relation": "self", "url": "x"}, {"relation": "next", "url": next}}
		return b
	}
	s.answers = object{
		"Condition problem-list-item": linked("First", s.URL+"/fhir/Condition?page=2"), "Condition 2": linked("Second", s.URL+"/fhir/Condition?page=3"),
		"Condition 3": bundle(object{"code": concept("Third")}),
	}
	b := open(t, s)
	b.connected()
	expect(t, b.do(http.MethodGet, "/record"), "First", "Second", "Third")

	elsewhere := newServer(t)
	for _, next := range []string{elsewhere.URL + "/fhir/Condition", s.URL + "/fhirelse", strings.Replace(s.URL, "http://", "http://x@", 1) + "/fhir/Condition", "//" + elsewhere.URL[7:]} {
		s.set(func() { s.answers["Condition problem-list-item"] = linked("First", next) })
		if p := b.do(http.MethodGet, "/record"); p.status != http.StatusBadGateway {
			t.Errorf("followed %s: %d", next, p.status)
		}
	}
	if len(elsewhere.bearers) > 0 {
		t.Errorf("the token went elsewhere: %v", elsewhere.bearers)
	}
}

// A server that always has one more page does not keep the app for ever.
func TestEndlessPagesEnd(t *testing.T) {
	s := newServer(t)
	endless := bundle(object{"code": concept("Again")})
	endless["link"] = []object{{"relation": "next", "url": s.URL + "/fhir/Condition?page=9"}}
	s.answers = object{"Condition": endless}
	b := open(t, s)
	b.connected()
	if n := strings.Count(b.do(http.MethodGet, "/record").body, "Again"); n != 50 {
		t.Errorf("%d pages were read", n)
	}
}

// Whatever stands in a record is text.
func TestHostileRecordsAreText(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	p := shown(t, object{
		"Patient/p1":         person(evil+" "+evil, evil),
		"Condition":          bundle(object{"code": concept(evil), "onsetDateTime": evil}),
		"MedicationRequest":  bundle(object{"medicationCodeableConcept": concept(evil), "dosageInstruction": []object{{"text": evil}}}),
		"AllergyIntolerance": bundle(object{"code": concept(evil), "reaction": []object{{"manifestation": []object{concept(evil)}}}}),
		"Immunization":       bundle(object{"vaccineCode": concept(evil)}),
		"Encounter":          bundle(object{"type": []object{concept(evil)}}),
		"CareTeam":           bundle(object{"name": evil, "participant": []object{{"member": object{"display": evil}}}}),
		"DocumentReference":  bundle(object{"date": evil, "content": []object{{"attachment": object{"url": "Binary/n1", "title": evil}}}}),
		"Binary/n1":          object{"data": base64.StdEncoding.EncodeToString([]byte(evil))},
		"Observation":        bundle(lab(evil, evil, evil, "1", object{"valueQuantity": object{"value": jsonNumber("1"), "unit": evil}, "referenceRange": []object{{"text": evil}}})),
	})
	if p.status != http.StatusOK || !strings.Contains(p.body, "&lt;script&gt;") {
		t.Errorf("%d %s", p.status, p.body)
	}
	for _, tag := range []string{"<script", "<img"} {
		if strings.Contains(p.body, tag) {
			t.Errorf("%s got into the page:\n%s", tag, p.body)
		}
	}
}

var (
	pathOf   = regexp.MustCompile(`<path class="line" d="([^"]*)"`)
	bandOf   = regexp.MustCompile(`<rect class="band" x="0" width="220" y="([0-9.]+)" height="([0-9.]+)"`)
	rowsOf   = regexp.MustCompile(`<tr><td>`)
	numberOf = regexp.MustCompile(`-?[0-9.]+`)
)

// numbers returns the numbers of a text.
func numbers(t *testing.T, text string) (list []float64) {
	t.Helper()
	for _, s := range numberOf.FindAllString(text, -1) {
		var v float64
		if _, err := fmt.Sscanf(s, "%g", &v); err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// Values over time become a line from left to right, higher values further up, the
// usual range a band; the table says the same in words.
func TestTrendsAreDrawnToScale(t *testing.T) {
	usual := object{"referenceRange": []object{{"low": object{"value": 10}, "high": object{"value": 20}, "text": "10 to 20"}}}
	p := shown(t, object{"Observation laboratory": bundle(
		lab("g", "Glucose [Mass/volume] in Blood", "2024-01-01", "30", usual), // not in the order of time
		lab("g", "Glucose [Mass/volume] in Blood", "2022-01-01", "10", usual),
		lab("g", "Glucose [Mass/volume] in Blood", "2023-01-01T10:00:00Z", "20", usual),
	)})
	expect(t, p, "<h3>Glucose</h3>", `<span class="value outside">30</span>`, "outside the usual range", "usual: 10 to 20", "<time>2024-01-01</time>", "All 3 values")
	if n := len(rowsOf.FindAllString(p.body, -1)); n != 3 {
		t.Errorf("%d rows", n)
	}
	xy := numbers(t, pathOf.FindStringSubmatch(p.body)[1])
	if len(xy) != 6 || xy[0] != 5 || xy[2] != 110 || xy[4] != 215 {
		t.Fatalf("points %v", xy)
	}
	if steps := xy[1] - xy[3] - (xy[3] - xy[5]); xy[1] <= xy[3] || xy[3] <= xy[5] || steps > 0.11 || steps < -0.11 {
		t.Errorf("heights are not to scale: %v", xy)
	}
	band := numbers(t, strings.Join(bandOf.FindStringSubmatch(p.body)[1:], " "))
	if top, bottom := band[0], band[0]+band[1]; top != xy[3] || bottom-xy[1] > 0.11 || xy[1]-bottom > 0.11 {
		t.Errorf("the band %v does not lie between 10 and 20 of %v", band, xy)
	}
}

func TestBloodPressureIsTwoLines(t *testing.T) {
	pressure := func(date, upper, lower string) object {
		return object{"code": object{"coding": []object{{"code": "85354-9"}}, "text": "Blood pressure panel with all children optional"}, "effectiveDateTime": date, "component": []object{
			{"valueQuantity": object{"value": jsonNumber(upper), "unit": "mmHg"}}, {"valueQuantity": object{"value": jsonNumber(lower), "unit": "mmHg"}},
		}}
	}
	p := shown(t, object{"Observation vital-signs": bundle(pressure("2024-01-01", "140", "90"), pressure("2025-01-01", "120", "80"))})
	expect(t, p, "<h3>Blood pressure</h3>", `<span class="value">120/80</span> mmHg`)
	lines := pathOf.FindAllStringSubmatch(p.body, -1)
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	upper, lower := numbers(t, lines[0][1]), numbers(t, lines[1][1])
	if upper[1] >= lower[1] || upper[3] >= lower[3] {
		t.Errorf("the lower pressure is drawn above: %v %v", upper, lower)
	}
}

// Odd values are drawn inside of the plot, or not at all.
func TestOddValuesStayInsideThePlot(t *testing.T) {
	for name, values := range map[string][]string{
		"one": {"5"}, "equal": {"5", "5", "5"}, "zero": {"0"}, "negative": {"-3", "4"}, "tiny": {"1e-9", "2e-9"}, "large": {"1e12", "-1e12"},
		"beyond": {"1e999", "1"}, "exact digits": {"5.10"},
	} {
		t.Run(name, func(t *testing.T) {
			var list []any
			for i, v := range values {
				list = append(list, lab("x", "X", fmt.Sprintf("202%d-01-01", i), v, nil))
			}
			p := shown(t, object{"Observation laboratory": bundle(list...)})
			expect(t, p, `<span class="value">`+values[len(values)-1]+`</span>`)
			drawn := pathOf.FindStringSubmatch(p.body)
			if drawn == nil || strings.Contains(p.body, "NaN") || strings.Contains(p.body, "Inf") {
				t.Fatalf("%d %s", p.status, p.body)
			}
			for i, v := range numbers(t, drawn[1]) {
				if limit := []float64{220, 56}[i%2]; v < 0 || v > limit {
					t.Errorf("a point lies outside: %v", drawn[1])
				}
			}
		})
	}
}
