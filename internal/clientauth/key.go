package clientauth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"net/http"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// claimedByKey reads the assertion of a request (RFC 7521 §4.2). What is wrong with
// it by itself is told in its own words.
func (a *Authenticator) claimedByKey(p oauth.Parameters) (credentials, *oauth.Error) {
	if p.Get("client_assertion_type") != assertionType {
		return credentials{}, assertionRefused("client_assertion_type is " + assertionType).About("client_assertion_type")
	}
	text := p.Get("client_assertion")
	if text == "" {
		return credentials{}, assertionRefused("client_assertion is missing").About("client_assertion")
	}
	read, err := readAssertion(text, a.deps.Audiences, a.deps.Now())
	if err != nil {
		return credentials{}, assertionRefused(err.Error()).About("client_assertion")
	}
	return credentials{method: store.AuthPrivateKeyJWT, assertion: read}, nil
}

// assertionRefused tells what is wrong with an assertion: always invalid_client
// (CAUTH-29).
func assertionRefused(text string) *oauth.Error {
	return &oauth.Error{Code: oauth.InvalidClient, Status: http.StatusBadRequest, Slug: oauth.SlugClientAssertion, Description: "The client assertion is refused: " + text}
}

// Why an assertion is refused that has nothing wrong by itself: for the log. The
// caller is told one text for all, which is also that of an unknown client.
var (
	errUnknown   = errors.New("there is no such client")
	errMethod    = errors.New("the client is not registered for private_key_jwt, or disabled")
	errClientID  = errors.New("client_id is another client")
	errKeySetURL = errors.New("jku is not the registered jwks_uri")
	errAlgorithm = errors.New("not the algorithm that is registered")
	errSignature = errors.New("the signature does not verify")
)

// proveByKey proves an assertion by the registered key (SMART App Launch 2.2
// client-confidential-asymmetric, signature verification).
func (a *Authenticator) proveByKey(ctx context.Context, p oauth.Parameters, s assertion) (Unspent, *oauth.Error) {
	client, known := a.deps.Clients.Client(s.clientID)
	if err := a.verify(ctx, client, known, p.Get("client_id"), s); err != nil {
		a.deps.Log.InfoContext(ctx, "a client assertion was refused", "client", client.ID, "cause", err)
		return Unspent{}, failed(store.AuthPrivateKeyJWT).Because(err)
	}
	return Unspent{client, &store.Assertion{IDHash: assertionID(client.ID, s.tokenID), ExpiresAt: s.expires}}, nil
}

// verify checks the signature with the key that is registered. Order: it is checked
// in any case, with a key of nobody when something else is wrong, so that the time of
// the answer does not tell which clients there are (CAUTH-08).
func (a *Authenticator) verify(ctx context.Context, client store.Client, known bool, clientID string, s assertion) error {
	key, refused := a.strangers[s.algorithm], registered(client, known, clientID, s)
	if refused == nil {
		var found clientkey.Key
		if found, refused = a.deps.Keys.Find(ctx, client, s.kid, s.algorithm); refused == nil {
			key = found.Public()
		}
	}
	if wrong := a.check(s, key); refused == nil {
		refused = wrong
	}
	return refused
}

// registered judges an assertion by what is registered of its client.
func registered(client store.Client, known bool, clientID string, s assertion) error {
	switch {
	case !known:
		return errUnknown
	case client.AuthMethod != store.AuthPrivateKeyJWT || client.Disabled:
		return errMethod
	case clientID != "" && clientID != string(client.ID): // RFC 7521 §4.2
		return errClientID
	case s.keySetURL != "" && s.keySetURL != client.JWKSURI: // nothing of an assertion says where keys are fetched
		return errKeySetURL
	case client.AssertionAlg != "" && client.AssertionAlg != s.algorithm:
		return errAlgorithm
	}
	return nil
}

// checkSignature verifies an assertion with a key.
func checkSignature(s assertion, key crypto.PublicKey) error {
	signed, err := jose.ParseSignedCompact(s.text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(s.algorithm)})
	if err != nil {
		return errSignature
	}
	payload, err := signed.Verify(key)
	if err != nil || !bytes.Equal(payload, s.payload) {
		return errSignature
	}
	return nil
}

// assertionID names an assertion of a client: the jti of one is nothing to another.
func assertionID(id store.ClientID, tokenID string) []byte {
	sum := sha256.Sum256([]byte("client assertion\x00" + string(id) + "\x00" + tokenID))
	return sum[:]
}
