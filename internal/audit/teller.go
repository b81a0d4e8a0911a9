package audit

import (
	"encoding/json"
	"strconv"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// Teller says events in FHIR. The zero value tells all to an operator, without names.
type Teller struct {
	// Base is the FHIR base URL, Organisation whose server this is.
	Base, Organisation string
	// ClientName is how an app is called; nil: by its id.
	ClientName func(id string) string
	// Patient is who reads: they see what is about them, by app, and those who treat them
	// without their names. Empty: an operator, who sees everything.
	Patient string
}

// For is the same for a patient.
func (t Teller) For(patient string) Teller {
	t.Patient = patient
	return t
}

// All are the AuditEvents of an event: one, or those of a sheet, one for each patient
// that an entry is about (AUD-04).
func (t Teller) All(e store.KeptEvent) ([]AuditEvent, error) {
	if e.Kind != store.KindSheet {
		if t.Patient != "" && e.Patient != t.Patient {
			return nil, nil
		}
		return []AuditEvent{t.event(e)}, nil
	}
	list, err := trail.Read(e.Body)
	if err != nil {
		return nil, err
	}
	var all []AuditEvent
	for n, a := range list {
		id := accessID + strconv.FormatInt(e.Seq, 10) + "-" + strconv.Itoa(n)
		if len(a.Patients) == 0 && t.Patient == "" {
			all = append(all, t.access(id, a, ""))
		}
		for p, patient := range a.Patients {
			if t.Patient == "" || t.Patient == patient {
				all = append(all, t.access(id+"-"+strconv.Itoa(p), a, patient))
			}
		}
	}
	return all, nil
}

// accessID names an entry of a sheet.
const accessID = "access-"

// JSON is an AuditEvent as it is sent.
func (a AuditEvent) JSON() ([]byte, error) { return json.Marshal(a) }

// client is an app, by its id and its name.
func (t Teller) client(id string) reference {
	r := identified(id)
	if t.ClientName != nil {
		r.Display = t.ClientName(id)
	}
	return r
}
