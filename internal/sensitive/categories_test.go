package sensitive_test

import (
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

const (
	icd   = "http://hl7.org/fhir/sid/icd-10-cm"
	level = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
	act   = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
)

// clinic has two categories.
func clinic() *sensitive.Categories {
	return sensitive.New([]sensitive.Definition{
		{Name: "hiv", Words: map[string]string{"en": "HIV", "es": "VIH"}, Codes: []sensitive.Code{{System: icd, Code: "B20"}, {System: "urn:virus", Code: "*"}}, Labels: []sensitive.Code{{System: act, Code: "HIV"}}},
		{Name: "substance-use", Words: map[string]string{"en": "Substance use"}, Codes: []sensitive.Code{{System: icd, Code: "F10*"}}, Labels: []sensitive.Code{{System: level, Code: "R"}}},
	}, []sensitive.Code{{System: act, Code: "HTEST"}})
}

func resource(t testing.TB, text string) fhir.Resource {
	t.Helper()
	r, err := fhir.ParseResource([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A code counts wherever it stands, and a label that is not known means no.
//
// attack: GW-40
func TestContentIsClassified(t *testing.T) {
	observation := func(rest string) string { return `{"resourceType":"Observation","id":"1"` + rest + `}` }
	coding := func(system, code string) string { return `{"system":"` + system + `","code":"` + code + `"}` }
	label := func(list string) string { return observation(`,"meta":{"security":` + list + `}`) }
	for name, c := range map[string]struct{ text, want string }{
		"nothing":                       {observation(``), ""},
		"another code":                  {observation(`,"code":{"coding":[` + coding(icd, "J45") + `]}`), ""},
		"a code":                        {observation(`,"code":{"coding":[` + coding(icd, "B20") + `]}`), "hiv"},
		"the second coding":             {observation(`,"code":{"coding":[` + coding(icd, "J45") + `,` + coding(icd, "B20") + `]}`), "hiv"},
		"the beginning of a code":       {observation(`,"code":{"coding":[` + coding(icd, "F10.20") + `]}`), "substance-use"},
		"the beginning itself":          {observation(`,"code":{"coding":[` + coding(icd, "F10") + `]}`), "substance-use"},
		"not the beginning":             {observation(`,"code":{"coding":[` + coding(icd, "XF10") + `]}`), ""},
		"a code with more behind it":    {observation(`,"code":{"coding":[` + coding(icd, "B200") + `]}`), ""},
		"small letters":                 {observation(`,"code":{"coding":[` + coding(icd, "f10.2") + `]}`), "substance-use"},
		"blanks around it":              {observation(`,"code":{"coding":[` + coding(icd, " B20 ") + `]}`), "hiv"},
		"the code of another system":    {observation(`,"code":{"coding":[` + coding("urn:x", "B20") + `]}`), ""},
		"no system":                     {observation(`,"code":{"coding":[{"code":"B20"}]}`), "hiv"},
		"no system, by beginning":       {observation(`,"code":{"coding":[{"code":"F10.1"}]}`), "substance-use"},
		"a whole system":                {observation(`,"code":{"coding":[` + coding("urn:virus", "any") + `]}`), "hiv"},
		"no system, not every code":     {observation(`,"code":{"coding":[{"code":"any"}]}`), ""},
		"a component":                   {observation(`,"component":[{"valueCodeableConcept":{"coding":[` + coding(icd, "B20") + `]}}]`), "hiv"},
		"an extension":                  {observation(`,"extension":[{"url":"urn:x","valueCoding":` + coding(icd, "B20") + `}]`), "hiv"},
		"contained":                     {observation(`,"contained":[{"resourceType":"Condition","id":"c","code":{"coding":[` + coding(icd, "B20") + `]}}]`), "hiv"},
		"a label of what is contained":  {observation(`,"contained":[{"resourceType":"Condition","id":"c","meta":{"security":[` + coding(act, "HIV") + `]}}]`), "hiv"},
		"several":                       {observation(`,"code":{"coding":[` + coding(icd, "B20") + `,` + coding(icd, "F10") + `]}`), "hiv substance-use"},
		"escaped":                       {observation(`,"code":{"coding":[{"system":"` + icd + `","c\u006fde":"B\u0032\u0030"}]}`), "hiv"},
		"label: nothing special":        {label(`[` + coding(level, "N") + `]`), ""},
		"label: none":                   {label(`[]`), ""},
		"label: ordinary":               {label(`[` + coding(act, "HTEST") + `]`), ""},
		"label: of a category":          {label(`[` + coding(act, "HIV") + `]`), "hiv"},
		"label: restricted":             {label(`[` + coding(level, "R") + `]`), "substance-use"},
		"label: very restricted":        {label(`[` + coding(level, "V") + `]`), "unlisted"},
		"label: not known":              {label(`[` + coding("urn:x", "N") + `]`), "unlisted"},
		"label: one of two is known":    {label(`[` + coding(level, "N") + `,` + coding("urn:x", "y") + `]`), "unlisted"},
		"label: no system":              {label(`[{"code":"N"}]`), "unlisted"},
		"label: no code":                {label(`[{"system":"` + level + `","display":"N"}]`), "unlisted"},
		"label: no object":              {label(`["N"]`), "unlisted"},
		"label: no list":                {label(coding(level, "N")), "unlisted"},
		"label: null":                   {label(`null`), ""},
		"label: ours":                   {label(`[` + coding(sensitive.System, "hiv") + `]`), "hiv"},
		"label: of ours, not any more":  {label(`[` + coding(sensitive.System, "gone") + `]`), "unlisted"},
		"a tag is no label":             {observation(`,"meta":{"tag":[` + coding(level, "V") + `]}`), ""},
		"a directory's code is nothing": {`{"resourceType":"HealthcareService","id":"1","specialty":[{"coding":[` + coding(icd, "B20") + `]}]}`, ""},
		"a medicine's code counts":      {`{"resourceType":"Medication","id":"1","code":{"coding":[` + coding(icd, "B20") + `]}}`, "hiv"},
		"a directory's label counts":    {`{"resourceType":"HealthcareService","id":"1","meta":{"security":[` + coding(act, "HIV") + `]}}`, "hiv"},
		"what was recorded of access":   {`{"resourceType":"AuditEvent","id":"1","entity":[{"securityLabel":[` + coding(sensitive.System, "substance-use") + `]}]}`, "substance-use"},
		"recorded, not defined now":     {`{"resourceType":"AuditEvent","id":"1","entity":[{"securityLabel":[` + coding(sensitive.System, "gone") + `]}]}`, "unlisted"},
	} {
		got := clinic().Of(resource(t, c.text))
		if !got.Looked() || strings.Join(got.Of().List(), " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Without a configuration, or without a resource that can be read, nobody has looked.
func TestNobodyLooks(t *testing.T) {
	r := resource(t, `{"resourceType":"Observation","id":"1"}`)
	var none *sensitive.Categories
	if sensitive.New(nil, []sensitive.Code{{System: "a", Code: "b"}}) != nil {
		t.Error("no definition, and yet there are categories")
	}
	for name, got := range map[string]bool{
		"none": none.Of(r).Looked(), "no resource": clinic().Of(fhir.Resource{}).Looked(),
		"broken": clinic().Of(fhir.Stored("Observation", "1", []byte(`{`))).Looked(), "text": clinic().Of(fhir.Stored("Observation", "1", []byte(`"x"`))).Looked(),
	} {
		if got {
			t.Errorf("%s: somebody has looked", name)
		}
	}
	if none.Identity() != "" || none.Words("x", "en") != "x" {
		t.Error("nothing says something")
	}
	subject := access.NewSubject(access.Facts{ClientID: "app", Sensitive: none.Policy()})
	if access.Decide(subject, fhir.Interaction{Code: fhir.Read, Type: "Observation", ID: "1"}).Withholds() {
		t.Error("something is withheld")
	}
}

// The identity changes with what is classified, and with nothing else.
func TestIdentityIsOfTheClassification(t *testing.T) {
	one := func(d sensitive.Definition, ordinary ...sensitive.Code) string {
		return sensitive.New([]sensitive.Definition{d}, ordinary).Identity()
	}
	plain := sensitive.Definition{Name: "hiv", Codes: []sensitive.Code{{System: icd, Code: "B20"}}}
	same, name, code, label := plain, plain, plain, plain
	same.Words, same.Readers = map[string]string{"en": "HIV"}, []access.Reader{{Audience: access.AudiencePatient, Apps: []string{"*"}}}
	name.Name = "x"
	code.Codes = []sensitive.Code{{System: icd, Code: "B21"}}
	label.Labels = []sensitive.Code{{System: act, Code: "HIV"}}
	if one(plain) != one(same) || one(plain) == "" {
		t.Error("words and readers change the identity")
	}
	for what, other := range map[string]string{"name": one(name), "code": one(code), "label": one(label), "ordinary": one(plain, sensitive.Code{System: "a", Code: "b"})} {
		if other == one(plain) {
			t.Errorf("%s does not change the identity", what)
		}
	}
}

func TestPatientsAreToldOfWhatTheyRead(t *testing.T) {
	read := sensitive.Definition{Name: "read", Words: map[string]string{"en": "One"}, Readers: []access.Reader{{Audience: access.AudiencePractitioner, Apps: []string{"*"}}, {Audience: access.AudiencePatient, Apps: []string{"portal"}}}}
	not := sensitive.Definition{Name: "not", Words: map[string]string{"en": "Two"}, Readers: read.Readers[:1]}
	c := sensitive.New([]sensitive.Definition{read, not}, nil)
	var none *sensitive.Categories
	if c.WordsForPatients("read", "en") != "One" || c.WordsForPatients("not", "en") != "" || c.WordsForPatients("gone", "en") != "" || none.WordsForPatients("read", "en") != "" {
		t.Error("patients are told of something else")
	}
}

func TestWordsAreOfTheLanguage(t *testing.T) {
	c := clinic()
	for _, w := range [][3]string{{"hiv", "es", "VIH"}, {"hiv", "fr", "HIV"}, {"substance-use", "es", "Substance use"}, {"unlisted", "en", "unlisted"}, {"none", "en", "none"}} {
		if got := c.Words(w[0], w[1]); got != w[2] {
			t.Errorf("%s in %s: %q", w[0], w[1], got)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	c, r := clinic(), `{"resourceType":"Observation","id":"1","meta":{"lastUpdated":"2024-01-01T00:00:00Z","security":[{"system":"`+level+`","code":"N"}]},"status":"final","category":[{"coding":[{"system":"urn:c","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"1-8"},{"system":"urn:l","code":"glu"}]},"subject":{"reference":"Patient/1"},"valueQuantity":{"value":5.4,"system":"http://unitsofmeasure.org","code":"mmol/L"}}`
	parsed := resource(b, r)
	b.ReportAllocs()
	for range b.N {
		c.Of(parsed)
	}
}
