package sandbox

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Known to everybody: `dev` listens on loopback only.
const (
	samplePassword = "sandbox-pass"
	sampleCode     = "LATCH-7F3K-9QRM-2XTV"
	sampleTOTP     = "EMBERLATCHSANDBOXSECONDSTEPHELEN"
)

// Person is someone to log in as.
type Person struct {
	Username, Password, Display, Note string
	Role                              store.Role
	FHIRUser                          string
	Patients                          []string // ids of the records they may reach
	Represents                        []store.Representation
	// TOTPSecret is the secret of their second factor, in base32; empty: they have none.
	TOTPSecret string
}

// Enrolment is someone who may create a login with an invitation.
type Enrolment struct{ Patient, Given, Family, BirthDate, Code string }

// Data is everything that a sandbox starts with.
type Data struct {
	Resources [][]byte
	People    []Person
	Enrolment []Enrolment
	// Upstream is the server that holds the records; empty: this one.
	Upstream Upstream
}

// Upstream says which server holds the records of a sandbox.
type Upstream struct{ URL, CredentialsFile string }

// patient is a person with a record, before the record is written.
type patient struct {
	id, given, family, gender string
	born                      time.Time
	conditions                []condition
	practitioner              *practitioner
	representative            *relative
}

// relative is a RelatedPerson of a patient.
type relative struct{ id, given, family, code, display string }

type practitioner struct{ id, given, family, specialty, specialtyCode string }

var practitioners = []practitioner{
	{"dr-chen", "Wei", "Chen", "Family medicine", "207Q00000X"},
	{"dr-silva", "Helena", "Silva", "Internal medicine", "207R00000X"},
}

// ages in years, at the beginning of 2026, of the people with a part to play.
type role struct {
	id, given, family, gender string
	age                       int
	conditions                []string
}

var cast = []role{
	{"maria", "Maria", "Lopez", "female", 61, []string{"diabetes", "hypertension", "lipids"}},
	{"james", "James", "Okafor", "male", 47, []string{"hypertension", "back-pain"}},
	{"anna", "Anna", "Keller", "female", 38, []string{"asthma"}},
	{"leo", "Leo", "Keller", "male", 8, []string{"eczema"}},
	{"tom", "Tom", "Berg", "male", 83, []string{"heart-failure", "hypertension", "kidney"}},
	{"nora", "Nora", "Haddad", "female", 29, []string{"migraine"}},
}

var givenNames = map[string][]string{
	"female": {"Amina", "Clara", "Dilek", "Elin", "Grace", "Hana", "Ines", "Joana", "Keiko", "Lucia", "Mei", "Olga", "Priya", "Rosa", "Sofia", "Tala", "Vera", "Yara"},
	"male":   {"Ahmed", "Bruno", "Carlos", "Daniel", "Emil", "Felix", "Hugo", "Ivan", "Jonas", "Kofi", "Luca", "Marek", "Nikhil", "Omar", "Pavel", "Rafael", "Samuel", "Tariq"},
}

var familyNames = []string{
	"Abebe", "Andersen", "Baker", "Castillo", "Dubois", "Eriksen", "Fischer", "Garcia", "Hassan", "Ito", "Jansen", "Kowalski",
	"Larsen", "Mendes", "Novak", "Oliveira", "Park", "Quinn", "Rossi", "Sato", "Torres", "Usman", "Varga", "Weber", "Yilmaz", "Zhang",
}

var conditionKeys = []string{"diabetes", "hypertension", "lipids", "asthma", "migraine", "back-pain", "depression", "hypothyroid", "eczema"}

// minPeople is the number of patients with a part to play.
var minPeople = len(cast)

// Generate makes so many patients with their records, at least the ones with a
// part to play. today is the day that dates count back from.
func Generate(people int, today time.Time) (Data, error) {
	today = today.UTC().Truncate(24 * time.Hour)
	w := &writer{today: today}
	all := makePatients(max(people, minPeople))
	w.organization()
	for i := range practitioners {
		w.practitioner(&practitioners[i], panelOf(all, practitioners[i].id))
	}
	for i := range all {
		r := rand.New(rand.NewPCG(uint64(i)+1, 20261101)) //nolint:gosec // sample people, not secrets
		w.record(&all[i], r)
	}
	if w.err != nil {
		return Data{}, w.err
	}
	return Data{Resources: w.resources, People: logins(all), Enrolment: []Enrolment{{
		Patient: all[5].id, Given: all[5].given, Family: all[5].family, BirthDate: day(all[5].born), Code: sampleCode,
	}}}, nil
}

// makePatients makes so many people. Their birth dates are fixed, whatever day it is:
// records are stored once, and invitations must go on matching them.
func makePatients(n int) []patient {
	births := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewPCG(7, 20261101)) //nolint:gosec // sample people, not secrets
	all := make([]patient, 0, n)
	for i := range n {
		p := patient{practitioner: &practitioners[i%2]}
		if i < len(cast) {
			c := cast[i]
			p.id, p.given, p.family, p.gender = c.id, c.given, c.family, c.gender
			p.born = births.AddDate(-c.age, -(i*2)%11, -(i*5)%27)
			p.conditions = pick(c.conditions)
		} else {
			p.gender = []string{"female", "male"}[i%2]
			p.given, p.family = one(r, givenNames[p.gender]), one(r, familyNames)
			p.id = "sample-" + strconv.Itoa(i+1)
			p.born = births.AddDate(-(1 + r.IntN(92)), -r.IntN(12), -r.IntN(28))
			p.conditions = pick([]string{one(r, conditionKeys), one(r, conditionKeys)})
		}
		all = append(all, p)
	}
	all[3].representative = &relative{"anna-for-leo", "Anna", "Keller", "MTH", "mother"}
	all[3].practitioner = all[2].practitioner
	all[4].representative = &relative{"ruth-for-tom", "Ruth", "Berg", "DAU", "natural daughter"}
	return all
}

func one(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

// pick returns the conditions of the keys, each once.
func pick(keys []string) []condition {
	var list []condition
	seen := map[string]bool{}
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			list = append(list, conditions[k])
		}
	}
	return list
}

func panelOf(all []patient, id string) []string {
	var ids []string
	for _, p := range all {
		if p.practitioner.id == id {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// logins are the accounts of the sandbox; their passwords are no secret.
func logins(all []patient) []Person {
	const password = samplePassword
	return []Person{
		{Username: "maria", Password: password, Display: "Maria Lopez", Role: store.RolePatient, FHIRUser: "Patient/maria", Patients: []string{"maria"}},
		{Username: "james", Password: password, Display: "James Okafor", Role: store.RolePatient, FHIRUser: "Patient/james", Patients: []string{"james"}},
		{
			Username: "anna", Password: password, Display: "Anna Keller", Role: store.RoleRepresentative, Note: "and the mother of Leo",
			FHIRUser: "Patient/anna", Patients: []string{"anna", "leo"},
			Represents: []store.Representation{{Patient: "leo", Relationship: "child", Until: all[3].born.AddDate(18, 0, 0)}},
		},
		{
			Username: "ruth", Password: password, Display: "Ruth Berg", Role: store.RoleRepresentative, Note: "for her father Tom",
			FHIRUser: "RelatedPerson/ruth-for-tom", Patients: []string{"tom"},
			Represents: []store.Representation{{Patient: "tom", Relationship: "power-of-attorney"}},
		},
		{
			Username: "chen", Password: password, Display: "Wei Chen", Role: store.RolePractitioner,
			FHIRUser: "Practitioner/dr-chen", Patients: panelOf(all, "dr-chen"),
		},
		{
			Username: "silva", Password: password, Display: "Helena Silva", Role: store.RolePractitioner,
			FHIRUser: "Practitioner/dr-silva", Patients: panelOf(all, "dr-silva"),
		},
		{Username: "admin", Password: password, Display: "Sandbox Admin", Role: store.RoleAdministrator, Patients: []string{}},
		{
			Username: "helena", Password: password, Display: "Helena Silva", Role: store.RolePractitioner, Note: "with a second step; its key stands in sandbox.json",
			FHIRUser: "Practitioner/dr-silva", Patients: panelOf(all, "dr-silva"), TOTPSecret: sampleTOTP,
		},
	}
}
