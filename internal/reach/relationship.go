package reach

import "github.com/emberlatch/emberlatch/fhir"

// roleCodes are where codes of relationships usually come from.
const roleCodes = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"

// relationships are what a patient is to who stands for them, by what that person is to the
// patient.
var relationships = map[string]string{
	"PRN": "child", "MTH": "child", "FTH": "child", "NMTH": "child", "NFTH": "child", "ADOPTP": "child", "ADOPTM": "child", "ADOPTF": "child",
	"CHILD": "parent", "SON": "parent", "DAU": "parent", "SONC": "parent", "DAUC": "parent",
	"SPS": "spouse", "HUSB": "spouse", "WIFE": "spouse",
	"GUARD": "guardian", "POWATT": "power-of-attorney", "HPOWATT": "power-of-attorney", "DPOWATT": "power-of-attorney", "SPOWATT": "power-of-attorney",
}

// relationship of a RelatedPerson in a word that pages know, or else in the words of the
// record.
func relationship(related fhir.Resource) string {
	concepts := objects(related.Tree()["relationship"])
	for _, concept := range concepts {
		for _, coding := range objects(concept["coding"]) {
			if word, known := relationships[text(coding["code"])]; known && text(coding["system"]) == roleCodes {
				return word
			}
		}
	}
	for _, concept := range concepts {
		if said := words(concept); said != "" {
			return said
		}
	}
	return ""
}
