package app

import (
	"fmt"
	"time"

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
	// Majority is the age in years at which who stands for a child does so no more; 0:
	// never.
	Majority int `yaml:"majority"`
}

const (
	defaultVisits = 30 * 24 * time.Hour
	maxVisits     = 10 * 365 * 24 * time.Hour

	defaultMajority, maxMajority = 18, 30
)

func (r ReachConfig) validate() error {
	if r.Visits < 0 || r.Visits > maxVisits {
		return fmt.Errorf("reach.visits: %s; from 0, which is off, to 87600h", r.Visits)
	}
	if r.Majority < 0 || r.Majority > maxMajority {
		return fmt.Errorf("reach.majority: %d; from 0, which is off, to %d", r.Majority, maxMajority)
	}
	return nil
}

func (r ReachConfig) ties() fhirstore.TieRules {
	return fhirstore.TieRules{Visits: r.Visits, Organizations: r.Organizations}
}
