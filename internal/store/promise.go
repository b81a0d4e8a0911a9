package store

import "time"

// PromisedGrant is a grant that nobody has written down yet: its code is sealed and
// carries it. It stands on what was there when it was promised: the session, and the
// approval that was remembered. Redeeming it makes the grant, if all of that still stands.
type PromisedGrant struct {
	// Grant is what will be given. CreatedAt, SID and what counts its refresh tokens
	// are set when it is.
	Grant         Grant
	RedirectURI   string
	CodeChallenge string
	ExpiresAt     time.Time // by the database's clock
	// ClientVersion is that of the client, which must not have changed.
	ClientVersion int64
	// SessionHash is of the session in which it was promised.
	SessionHash []byte
	// ToldOfSession: an ID token will tell of the session, which then has this grant.
	ToldOfSession bool
	// ApprovalPatient and ApprovedAt name the RememberedConsent of the same user and
	// client: that of this patient, which was decided at that moment.
	ApprovalPatient string
	ApprovedAt      time.Time
}

// boundTo reports whether a code was issued for what is presented with it (RFC 6749
// §4.1.3, RFC 7636 §4.6, RFC 9449 §10).
func (p PromisedGrant) boundTo(r Redemption) bool {
	return p.Grant.ClientID == r.ClientID && p.RedirectURI == r.RedirectURI && p.CodeChallenge == r.CodeChallenge &&
		(p.Grant.KeyThumbprint == "" || p.Grant.KeyThumbprint == r.Possession.Key)
}

// Given is the grant as it will stand once it is redeemed: with the first number of its
// refresh family, bound to the key that the family is good with. False when the code is
// not for who presents it.
func (p PromisedGrant) Given(r Redemption) (Grant, bool) {
	g := p.Grant
	if !p.boundTo(r) {
		return g, false
	}
	g.KeyThumbprint = r.Possession.Bound()
	if g.Refresh.Kind != RefreshNone {
		g.Generation = 1
	}
	return g, true
}

// RefreshLife is how long an unused refresh token that is made with the grant is good;
// 0: there is none.
func (p RefreshPolicy) RefreshLife() time.Duration {
	if p.Kind == RefreshNone {
		return 0
	}
	if p.Absolute > 0 && p.Absolute < p.Idle {
		return p.Absolute
	}
	return p.Idle
}
