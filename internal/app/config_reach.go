package app

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// ReachConfig says what leads people at work to patients, beside care teams, Groups that
// they manage and patients who name them as their general practitioner.
type ReachConfig struct {
	// Visits is how long after its end a visit leads those who took part in it to the
	// patient; 0: visits lead nobody.
	Visits time.Duration `yaml:"visits"`
	// Organizations: a role at an Organization leads to all patients whom it manages.
	Organizations bool `yaml:"organizations"`
	// Roles are codes of PractitionerRole, as system|code: who has such a role reaches
	// everybody.
	Roles []string `yaml:"roles"`
	// Standing are relationships of RelatedPersons, as system|code, who stand for the
	// patient; Parents are those that end when the patient comes of age, at Majority years
	// (0: never), as that of an account's own record to a child does.
	Standing []string `yaml:"standing"`
	Parents  []string `yaml:"parents"`
	Majority int      `yaml:"majority"`
	// Emergency: people at work open the record of one patient whom they do not reach.
	Emergency EmergencyConfig `yaml:"emergency"`
}

// EmergencyConfig says whether records are opened in an emergency. The zero value: never.
type EmergencyConfig struct {
	Allowed bool `yaml:"allowed"`
	// Longest is how long one stays open; 0: an hour.
	Longest time.Duration `yaml:"longest"`
	// Roles are codes of PractitionerRole, as system|code, of those who may; none: every
	// practitioner may.
	Roles []string `yaml:"roles"`
}

func (e EmergencyConfig) longest() time.Duration {
	if e.Longest == 0 {
		return emergency.DefaultLongest
	}
	return e.Longest
}

const (
	defaultVisits = 30 * 24 * time.Hour
	maxVisits     = 10 * 365 * 24 * time.Hour
)

// Ages of majority: that of most of the world, and the highest that is believed.
const defaultMajority, maxMajority = 18, 30

func (r ReachConfig) validate() []error {
	var wrong []error
	if r.Visits < 0 || r.Visits > maxVisits {
		wrong = append(wrong, fmt.Errorf("reach.visits: %s; from 0, which is off, to 87600h", r.Visits))
	}
	if r.Majority < 0 || r.Majority > maxMajority {
		wrong = append(wrong, fmt.Errorf("reach.majority: %d; from 0, which is never, to %d", r.Majority, maxMajority))
	}
	if l := r.Emergency.longest(); l < emergency.Shortest || l > emergency.Longest {
		wrong = append(wrong, fmt.Errorf("reach.emergency.longest: %s; from %s to %s", l, emergency.Shortest, emergency.Longest))
	}
	for _, list := range []struct {
		key   string
		texts []string
	}{{"roles", r.Roles}, {"standing", r.Standing}, {"parents", r.Parents}, {"emergency.roles", r.Emergency.Roles}} {
		for i, text := range list.texts {
			if _, ok := parseCode(text); !ok {
				wrong = append(wrong, fmt.Errorf("reach.%s[%d]: %q is not system|code, such as http://terminology.hl7.org/CodeSystem/v3-RoleCode|PRN", list.key, i, text))
			}
		}
	}
	for i, text := range r.Parents {
		if slices.Contains(r.Standing, text) {
			wrong = append(wrong, fmt.Errorf("reach.parents[%d]: %q is in reach.standing as well: say whether it ends when the patient comes of age", i, text))
		}
	}
	return wrong
}

// ageLeads reports whether how long somebody reaches a patient goes by their age.
func (r ReachConfig) ageLeads() bool { return r.Majority > 0 && len(r.Parents) > 0 }

// ties are the rules, in an order that does not depend on the file's.
func (r ReachConfig) ties() fhirstore.TieRules {
	return fhirstore.TieRules{
		Visits: r.Visits, Organizations: r.Organizations, Roles: codes(r.Roles),
		Standing: codes(r.Standing), Parents: codes(r.Parents), Majority: r.Majority,
	}
}

// parseCode reads system|code; there is no code of any system here.
func parseCode(text string) (fhirstore.Code, bool) {
	system, code, ok := strings.Cut(text, "|")
	return fhirstore.Code{System: system, Code: code}, ok && system != "" && code != "" && !strings.ContainsAny(text, " \t\r\n*") && !strings.Contains(code, "|")
}

func codes(texts []string) []fhirstore.Code {
	var list []fhirstore.Code
	for _, text := range slices.Sorted(slices.Values(texts)) {
		if c, ok := parseCode(text); ok {
			list = append(list, c)
		}
	}
	return list
}
