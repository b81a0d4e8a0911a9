package store

import "time"

// PushedRequest is an authorization request that a client has sent ahead (RFC 9126
// §2): all checks were made, and a browser brings the reference to it once. Its
// handle, browser, version, times and facts are not set: nobody has begun it.
type PushedRequest struct {
	ReferenceHash []byte // SHA-256 of the reference in the request_uri
	Request       AuthorizationRequest
	Life          time.Duration // counted by the database's clock
	// Network sent it, and is counted by it; empty: nobody is.
	Network string
	// Used: a browser has brought the reference.
	Used bool
}
