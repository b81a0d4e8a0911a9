package page

import "time"

// Emergency asks a person at work why the record of somebody whom they do not reach has to be
// opened, for how long, and for their password (page C4).
type Emergency struct {
	Shell
	Patient       Person
	Username      string
	Reasons       []string // keys below "emergency.reason."
	Reason, Words string   // as typed
	Lengths       []int    // in minutes, keys below "emergency.minutes."
	Minutes       string   // chosen
	WaitSeconds   int
	Problems      []FieldProblem
}

// OpenRecords lists the records that a person has opened in an emergency, and ends one.
type OpenRecords struct {
	Shell
	Records []OpenRecord
	Ended   bool // one was ended just now
	Back    string
}

// OpenRecord is one of them.
type OpenRecord struct {
	ID      string
	Patient Person
	Reason  string // key below "emergency.reason."
	Since   time.Time
	Until   time.Time
}

func (Emergency) name() string   { return "emergency" }
func (OpenRecords) name() string { return "open-records" }

// Problem returns the message key of a field's mistake, empty when there is none.
func (p Emergency) Problem(field string) string { return problem(p.Problems, field) }
