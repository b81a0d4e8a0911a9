package storesql

import (
	"strings"

	"github.com/emberlatch/emberlatch/internal/db"
)

// Records says in SQL whom practitioners and related persons reach, where the records
// stand in the same database. Its arguments are SQL as well.
type Records interface {
	// Reaches is a condition: somebody, named as in fhir_user, reaches a patient, named by
	// the bare id, at a moment in Unix milliseconds.
	Reaches(own, patient, now string) string
}

// outOfReach is why a grant ends whose user has lost the patient.
const outOfReach = `'patient out of reach'`

// lost is 1 when the user of a grant g does not reach its patient any more: the rules
// of package reach, for one patient (RT-27, RT-28). Without records nobody is judged. The
// records are asked in one place: PostgreSQL prepares each for every refresh, whoever it
// is for.
func lost(now string, d db.Dialect, r Records, emergencies bool) string {
	if r == nil {
		return "0"
	}
	stands := `EXISTS (SELECT 1 FROM json_each(a.body, '$.represents') p WHERE json_extract(p.value, '$.patient') = g.patient
        AND (json_extract(p.value, '$.until') IS NULL OR unixepoch(json_extract(p.value, '$.until'), 'subsec') * 1000 > %NOW%))`
	if d == db.PostgreSQL {
		stands = `EXISTS (SELECT 1 FROM jsonb_array_elements(CAST(a.body AS jsonb) -> 'represents') AS p(one) WHERE p.one ->> 'patient' = g.patient
        AND (p.one ->> 'until' IS NULL OR extract(epoch FROM CAST(p.one ->> 'until' AS timestamptz)) * 1000 > %NOW%))`
	}
	opened := ""
	if emergencies {
		opened = `
      WHEN a.role = 'practitioner' AND EXISTS (SELECT 1 FROM emergency e WHERE e.user_id = a.id AND e.patient = g.patient AND ` + emergencyLasts("%NOW%") + `) THEN 0`
	}
	return strings.ReplaceAll(`CASE WHEN g.patient = '' THEN 0 ELSE COALESCE((SELECT CASE
      WHEN a.role IN ('patient', 'representative') AND a.fhir_user = 'Patient/' || g.patient THEN 0
      WHEN a.role IN ('patient', 'representative') AND `+stands+` THEN 0
      WHEN (a.role IN ('patient', 'representative') AND a.fhir_user LIKE 'RelatedPerson/%' OR a.role = 'practitioner' AND a.fhir_user LIKE 'Practitioner%')
        AND `+r.Reaches("a.fhir_user", "g.patient", "%NOW%")+` THEN 0`+opened+`
      ELSE 1 END FROM account a WHERE a.id = g.user_id), 1) END`, "%NOW%", now)
}
