package store

import "time"

// Launch is an app started from a chart (SMART App Launch 2.2, EHR launch): what
// an EHR has said about it, under a value that the app brings to the
// authorization endpoint once.
type Launch struct {
	HandleHash []byte // SHA-256 of the launch value
	ClientID   ClientID
	// UserID is who must log in; empty: anybody who reaches the patient.
	UserID UserID
	// Context is the JSON of smart.LaunchContext.
	Context string
	Life    time.Duration // counted by the database's clock
}
