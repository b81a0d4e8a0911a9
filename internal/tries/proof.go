package tries

import (
	"net/http"
	"time"
)

// Proof is a way of showing who one is before there is a password: tries at each are
// counted apart.
type Proof string

// The ways.
const (
	Invitation Proof = "enrol"    // an invitation code, at enrolment
	Recovery   Proof = "recovery" // a recovery code
)

// Budgets of proofs beside the one of each code (LOGIN-05).
const (
	proofTries  = 20
	allProofs   = 1000
	proofWindow = 10 * time.Minute
)

// WaitProof counts a try by address and in total before anything is compared, and says how
// long to wait.
func (t *Tries) WaitProof(r *http.Request, p Proof) (time.Duration, error) {
	return t.wait(r, []budget{
		{string(p) + " address " + t.deps.Address(r), proofTries, proofWindow}, {string(p) + " total", allProofs, proofWindow},
	})
}
