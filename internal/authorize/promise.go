package authorize

import (
	"net/http"

	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// promise answers the app with a code that carries its grant, on the strength of an
// approval that is remembered: nothing is written until the code is redeemed, and then
// session, approval, client and person have to stand as they do now. A grant that is
// too long to travel is written at once, as any other.
func (d *Door) promise(w http.ResponseWriter, r *http.Request, target redirectable, q store.AuthorizationRequest, who session.Authenticated, approval store.RememberedConsent) {
	grant, ok := d.granting(w, r, target, q)
	if !ok {
		return
	}
	code := d.deps.PromisedCode(store.PromisedGrant{
		Grant: grant, RedirectURI: q.RedirectURI, CodeChallenge: q.CodeChallenge, ExpiresAt: who.ReadAt().Add(d.deps.CodeLife),
		ClientVersion: target.client.Version, SessionHash: who.Hash(), ToldOfSession: has(grant.Scopes, smart.OpenID),
		ApprovalPatient: approval.Patient, ApprovedAt: approval.DecidedAt,
	})
	if code == "" {
		d.issueFor(w, r, target, q, grant, true)
		return
	}
	d.give(w, r, target, q, grant, code, true)
}
