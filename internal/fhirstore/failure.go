package fhirstore

import "net/http"

// Failure says that a server behind the backend could not be asked, or did not answer
// as it must. It is nobody's request that is at fault, and nothing is let through
// meanwhile (ERR-46).
type Failure struct {
	// Status tells callers: 502 it answered wrongly, 503 it cannot be reached or is
	// not asked at present, 504 it was too slow.
	Status int
	// Unsure: it was to change something, and whether it did is not known.
	Unsure bool
	// Cause is for the log of the server only.
	Cause error
}

// Error is for the log.
func (f *Failure) Error() string {
	return "upstream: " + http.StatusText(f.Status) + ": " + f.Cause.Error()
}

// Unwrap gives the cause to errors.Is.
func (f *Failure) Unwrap() error { return f.Cause }

// Temporary reports that the same request may succeed later.
func (f *Failure) Temporary() bool { return true }
