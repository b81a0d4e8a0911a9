package tokens

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// Verified is an access token that Verify has found good. The zero value is
// nobody's.
type Verified struct{ facts *verified }

type verified struct {
	kid     string
	claims  accessClaims
	scopes  smart.ScopeSet
	list    []string
	issued  time.Time
	expires time.Time
}

// GrantID is the grant the token belongs to.
func (v Verified) GrantID() store.GrantID { return store.GrantID(v.facts.claims.GrantID) }

// ClientID is the client it was issued to.
func (v Verified) ClientID() store.ClientID { return store.ClientID(v.facts.claims.ClientID) }

// Subject is the sub: the user, or the client itself.
func (v Verified) Subject() string { return v.facts.claims.Subject }

// System reports whether a client acts for itself: then there is no user. The ids of
// clients and of users are random, and never alike.
func (v Verified) System() bool { return v.facts.claims.Subject == v.facts.claims.ClientID }

// UserID is the user behind the token; empty when there is none.
func (v Verified) UserID() store.UserID {
	if v.System() {
		return ""
	}
	return store.UserID(v.facts.claims.Subject)
}

// Username is the name of the account.
func (v Verified) Username() string { return v.facts.claims.Username }

// Scopes are the scopes granted; do not change the list.
func (v Verified) Scopes() []string { return v.facts.list }

// ScopeSet are the scopes granted, parsed.
func (v Verified) ScopeSet() smart.ScopeSet { return v.facts.scopes }

// Patient is the patient in context, a bare id.
func (v Verified) Patient() string { return v.facts.claims.Patient }

// Encounter is the encounter in context, a bare id.
func (v Verified) Encounter() string { return v.facts.claims.Encounter }

// FHIRUser is the record of the user, Type/id.
func (v Verified) FHIRUser() string { return v.facts.claims.FHIRUser }

// Confirmation is the key that the token is bound to; nil: whoever bears it holds it.
// Who takes a token as credentials asks package holder, which asks for the proof.
func (v Verified) Confirmation() *Confirmation { return v.facts.claims.Confirmation }

// Type is the token_type: how the token is presented.
func (v Verified) Type() oauth.Scheme {
	if v.facts.claims.Confirmation != nil {
		return oauth.SchemeDPoP
	}
	return oauth.SchemeBearer
}

// Audience is the FHIR base.
func (v Verified) Audience() string { return v.facts.claims.Audience }

// TokenID is the jti.
func (v Verified) TokenID() string { return v.facts.claims.TokenID }

// IssuedAt is the iat.
func (v Verified) IssuedAt() time.Time { return v.facts.issued }

// ExpiresAt is the exp.
func (v Verified) ExpiresAt() time.Time { return v.facts.expires }

// Verify proves an access token: signed by a key of ours for that purpose, of
// this issuer and audience, with every claim present, not expired, not ended
// (RFC 9068 §4). ErrInvalid, or ErrUnavailable when what has ended is not known.
func (t *Tokens) Verify(ctx context.Context, text string) (Verified, error) {
	name := hashOf(text)
	facts, known := t.cache.get(name)
	if !known {
		var err error
		if facts, err = t.verify(ctx, text); err != nil {
			return Verified{}, err
		}
		t.cache.put(name, facts)
	}
	now := t.deps.Now()
	// Clocks are our own on both sides, so exp is exact (AT-07 allows skew, not more).
	if !now.Before(facts.expires) {
		return Verified{}, ErrInvalid
	}
	if !t.deps.Live.Fresh() {
		return Verified{}, ErrUnavailable
	}
	if !t.deps.Ring.Accepts(facts.kid) { // a stolen key is gone before its tokens end
		return Verified{}, ErrInvalid
	}
	if t.deps.Live.Ended(store.GrantID(facts.claims.GrantID), facts.claims.TokenID) {
		return Verified{}, ErrInvalid
	}
	return Verified{facts}, nil
}

// verify is the cold path.
func (t *Tokens) verify(ctx context.Context, text string) (*verified, error) {
	payload, kid, err := t.signedByUs(ctx, text)
	if err != nil {
		return nil, err
	}
	var c accessClaims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil, ErrInvalid
	}
	if !t.complete(c) {
		return nil, ErrInvalid
	}
	f := &verified{kid: kid, claims: c, issued: time.Unix(c.IssuedAt, 0).UTC(), expires: time.Unix(c.Expires, 0).UTC()}
	f.list = strings.Fields(c.Scope)
	if c.Scope == "" {
		if f.list, err = t.scopesOfGrant(ctx, c); err != nil {
			return nil, err
		}
	}
	f.scopes = smart.NewScopeSet(f.list)
	return f, nil
}

// signedByUs proves the signature. A key that is not known may be younger than what
// this process has read; then it looks again, once.
func (t *Tokens) signedByUs(ctx context.Context, text string) (payload []byte, kid string, err error) {
	payload, kid, err = t.deps.Ring.Verify(keys.UseAccess, accessType, text)
	if errors.Is(err, keys.ErrUnknownKey) {
		if err := t.again.now(ctx); err != nil {
			return nil, "", ErrUnavailable
		}
		payload, kid, err = t.deps.Ring.Verify(keys.UseAccess, accessType, text)
	}
	if err != nil {
		return nil, "", ErrInvalid
	}
	return payload, kid, nil
}

// complete: every required claim is there and is ours (RFC 9068 §4; security
// design rule E-11).
func (t *Tokens) complete(c accessClaims) bool {
	const skew = 60 // seconds that iat may lie ahead
	return c.Issuer == t.deps.Issuer && c.Audience == t.deps.FHIRBase && c.Subject != "" && c.ClientID != "" &&
		(c.Confirmation == nil || c.Confirmation.Thumbprint != "") && // a binding that is not understood is not none
		c.TokenID != "" && c.GrantID != "" && !(c.Subject == c.ClientID && c.Scope == "") && c.Expires > c.IssuedAt && c.IssuedAt > 0 &&
		c.IssuedAt <= t.deps.Now().Unix()+skew
}

// scopesOfGrant reads scopes that did not fit into the token.
func (t *Tokens) scopesOfGrant(ctx context.Context, c accessClaims) ([]string, error) {
	g, err := t.deps.Grants.Grant(ctx, store.GrantID(c.GrantID))
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrInvalid
	}
	if err != nil {
		return nil, ErrUnavailable
	}
	return g.Scopes, nil
}
