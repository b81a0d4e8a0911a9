package trail

import (
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
)

// Kind is what an entry is about.
type Kind string

// The kinds of entries. The zero value is a FHIR request.
const (
	FHIR         Kind = ""
	CodeIssued   Kind = "code.issued"
	TokenIssued  Kind = "token.issued"
	TokenRefused Kind = "token.refused"
	LoginBlocked Kind = "login.blocked" // too many tries, of whom is not known
)

// Who is who asked, as far as it was proven.
type Who struct {
	Client, Grant string
	User          string         // account
	FHIRUser      fhir.Reference // the record of that person
	TokenID       string         // jti (AUD-06: minimal)
	Address       string         // network address
}

// Entry is one entry.
type Entry struct {
	Kind Kind
	At   time.Time
	Who
	// Code is the FHIR interaction, or the grant type.
	Code string
	// Target is what was asked for: a type, a resource, a version; zero: everything.
	Target fhir.Reference
	// Within is the root of a compartment search; zero: it is none.
	Within fhir.Reference
	// Query is the query as it was sent; it is cleaned before it is written.
	Query string
	// Patients are those whose records were seen, or asked about.
	Patients []string
	// Ways are why the user reaches them, in their order; nil: no user does.
	Ways []access.Ways
	// Sensitive are the categories of sensitive content in what was seen, by patient.
	Sensitive map[string][]string
	Status    int    // HTTP
	Reason    string // access.Reason, or the error code
	Request   string // X-Request-Id
	// More is how many alike are told by this entry only; they are not told apart.
	More int
}

// Reached notes why the user reaches the patients.
func (a *Entry) Reached(why func(patient string) access.Ways) {
	a.Patients, a.Ways = once(a.Patients), nil
	for at, id := range a.Patients {
		if way := why(id); way != 0 {
			if a.Ways == nil {
				a.Ways = make([]access.Ways, len(a.Patients))
			}
			a.Ways[at] = way
		}
	}
}

// Why names why the user reaches one of the patients.
func (a Entry) Why(patient string) []string {
	at, ok := slices.BinarySearch(a.Patients, patient)
	if !ok || at >= len(a.Ways) {
		return nil
	}
	return a.Ways[at].List()
}

// InEmergency reports whether nothing but an emergency led the user to one of the patients.
func (a Entry) InEmergency(patient string) bool {
	at, ok := slices.BinarySearch(a.Patients, patient)
	return ok && at < len(a.Ways) && a.Ways[at] == access.ByEmergency
}

// Holds notes that what was seen of a patient is of categories of sensitive content.
func (a *Entry) Holds(patient string, categories []string) {
	for _, name := range categories {
		if !slices.Contains(a.Sensitive[patient], name) {
			if a.Sensitive == nil {
				a.Sensitive = map[string][]string{}
			}
			a.Sensitive[patient] = append(a.Sensitive[patient], name)
		}
	}
}

// stranger: nobody stands behind the request.
func (a Entry) stranger() bool { return a.Client == "" }

// Refused reports whether it was the request that was at fault, and Failed whether the
// server was.
func (a Entry) Refused() bool { return a.Status >= 400 && a.Status < 500 }

// Failed: see Refused.
func (a Entry) Failed() bool { return a.Status >= 500 }
