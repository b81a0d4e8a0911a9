package tokens

import (
	"encoding/json"

	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/store"
)

// introspectionType is the typ of signed introspection answers (RFC 9701 §5): no
// token has it, and nothing here takes what has it for a token.
const introspectionType = "token-introspection+jwt"

// introspectionClaims are all claims of a signed answer. Order: what is said about the
// token stands apart, and there is neither sub nor exp beside it, so that nobody who
// forgets typ takes the answer for an access token or an ID token (RFC 9701 §5, §8.1).
type introspectionClaims struct {
	Issuer   string          `json:"iss"`
	Audience string          `json:"aud"`
	IssuedAt int64           `json:"iat"`
	Answer   json.RawMessage `json:"token_introspection"`
}

// SignIntrospection signs an answer of the introspection endpoint, a JSON object, for
// the client that asked (RFC 9701 §5), with a published key and the algorithm that it
// registered.
func (t *Tokens) SignIntrospection(to store.Client, answer []byte) (string, error) {
	payload, err := json.Marshal(introspectionClaims{
		Issuer: t.deps.Issuer, Audience: string(to.ID), IssuedAt: t.deps.Now().Unix(), Answer: answer,
	})
	if err != nil {
		return "", err
	}
	algorithm := keys.RS256 // RFC 9701 §6: the default
	if to.IntrospectionAlg == keys.ES256 {
		algorithm = keys.ES256
	}
	return t.deps.Ring.Sign(keys.UseID, algorithm, introspectionType, payload)
}
