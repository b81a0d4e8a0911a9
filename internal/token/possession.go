package token

import (
	"net/http"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// askProof judges the proof of possession of a client that is registered for one: it
// never gets a token without (RFC 9449 §5.2). A proof that any other client sends is
// not looked at, and its tokens are Bearer tokens (AT-15).
func (d *Door) askProof(w http.ResponseWriter, sent *http.Request, r *request) (refused *oauth.Error) {
	switch {
	case !r.client.DPoPBound:
		return nil
	case d.deps.Proofs == nil:
		return oauth.New(oauth.UnauthorizedClient, "This client is registered for DPoP, which this server does not offer").Slugged(oauth.SlugDPoPOff)
	}
	r.shown, refused = d.deps.Proofs.Prove(w.Header(), sent)
	return refused
}

// spentProof is handed to the store together with what is consumed; nil: there is none.
func (r *request) spentProof() *store.Proof {
	if r.shown.Thumbprint() == "" {
		return nil
	}
	return &store.Proof{IDHash: r.shown.IDHash(), ExpiresAt: r.shown.ExpiresAt()}
}

// possession is what the store compares with what the code or the refresh token is
// bound to. RFC 9449 §5: the refresh tokens of a public client are bound to its key;
// those of a confidential one are bound to its credentials, so that it may change keys.
func (r *request) possession() store.Possession {
	return store.Possession{Key: r.shown.Thumbprint(), Bind: r.client.Public(), Proof: r.spentProof()}
}
