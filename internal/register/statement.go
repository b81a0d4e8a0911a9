package register

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// StatementIssuer is a party whose software statements count (RFC 7591 §2.3).
type StatementIssuer struct {
	Issuer string // as its statements name it
	keys   []jose.JSONWebKey
}

// statementAlgorithms are those that a statement may be signed with: never none,
// never a shared secret.
var statementAlgorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.PS256, jose.PS384, jose.ES256, jose.ES384}

// NewStatementIssuer takes the issuer's key set (RFC 7517 §5): public keys, each
// with a kid of its own.
func NewStatementIssuer(issuer string, keySet []byte) (StatementIssuer, error) {
	var set jose.JSONWebKeySet
	if err := stdjson.Unmarshal(keySet, &set); err != nil {
		return StatementIssuer{}, fmt.Errorf("not a key set: %w", err)
	}
	if issuer == "" || len(set.Keys) == 0 {
		return StatementIssuer{}, errors.New("an issuer has a name and at least one key")
	}
	seen := map[string]bool{}
	for _, k := range set.Keys {
		if k.KeyID == "" || seen[k.KeyID] {
			return StatementIssuer{}, errors.New("each key has a kid of its own")
		}
		seen[k.KeyID] = true
		if !strong(k.Key) {
			return StatementIssuer{}, fmt.Errorf("key %q is not a public RSA key of 2048 bits or more, nor one on P-256 or P-384", k.KeyID)
		}
	}
	return StatementIssuer{issuer, set.Keys}, nil
}

func strong(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return k.Curve == elliptic.P256() || k.Curve == elliptic.P384()
	}
	return false
}

// maxStatement bounds a software statement, in bytes (security E-10).
const maxStatement = 8 << 10

// withStatement puts what a trusted party says of the software in the place of what
// the client says (RFC 7591 §2.3). Where no issuer is trusted, statements are not
// looked at, and whatever they say counts for nothing.
func (r *Registrar) withStatement(raw []byte) ([]byte, string, *oauth.Error) {
	sent, refused := readMembers(raw)
	if refused != nil {
		return nil, "", refused
	}
	value, present := sent["software_statement"]
	if !present || len(r.deps.Self.Statements) == 0 {
		return raw, "", nil
	}
	var text string
	if err := json.Unmarshal(value, &text); err != nil || text == "" || len(text) > maxStatement {
		return nil, "", statementError("a signed JWT of at most 8 KiB")
	}
	claims, refused := r.verifyStatement(text)
	if refused != nil {
		return nil, "", refused
	}
	for name, claim := range claims {
		if !slices.Contains(notMetadata, name) {
			sent[name] = claim
		}
	}
	merged, err := json.Marshal(sent)
	if err != nil {
		return nil, "", malformed(err)
	}
	return merged, text, nil
}

// notMetadata are the claims about the statement itself, and the members that no
// statement sets.
var notMetadata = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "software_statement", "client_id", "client_secret", "client_id_issued_at",
	"client_secret_expires_at", "registration_access_token", "registration_client_uri",
}

func statementError(text string) *oauth.Error {
	return oauth.New(oauth.InvalidSoftwareStatement, "software_statement: %s", text).About("software_statement").Slugged(oauth.SlugRegistrationStatement)
}

// statementHeader is all that a header may have: a key comes from the configuration,
// never from the statement.
type statementHeader struct {
	Algorithm string `json:"alg"`
	KeyID     string `json:"kid"`
	Type      string `json:"typ"`
}

// verifyStatement proves who issued a statement, and returns what it says.
func (r *Registrar) verifyStatement(text string) (members, *oauth.Error) {
	signed, err := jose.ParseSignedCompact(text, statementAlgorithms)
	if err != nil || !oauth.IsCompactJWS(text) {
		return nil, statementError("not a JWT signed by an algorithm that is accepted here").Because(err)
	}
	claims, refused := readMembers(signed.UnsafePayloadWithoutVerification())
	if refused != nil {
		return nil, statementError("its claims are not one JSON object, each once").Because(refused)
	}
	var says struct {
		Issuer    string `json:"iss"`
		Expires   int64  `json:"exp"`
		NotBefore int64  `json:"nbf"`
	}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &says); err != nil || says.Issuer == "" {
		return nil, statementError("iss is missing, or a claim has the wrong type").Because(err)
	}
	at := slices.IndexFunc(r.deps.Self.Statements, func(i StatementIssuer) bool { return i.Issuer == says.Issuer })
	if at < 0 {
		return nil, oauth.New(oauth.UnapprovedSoftwareStatement, "software_statement: statements of that issuer are not accepted here").About("software_statement").Slugged(oauth.SlugRegistrationStatementIssuer)
	}
	if err := r.deps.Self.Statements[at].verify(text, signed); err != nil {
		return nil, statementError("its signature is not one of its issuer").Because(err)
	}
	now := r.deps.Now()
	_, ends := claims["exp"]
	if ends && !now.Before(time.Unix(says.Expires, 0)) || now.Add(time.Minute).Before(time.Unix(says.NotBefore, 0)) {
		return nil, statementError("it is expired, or not valid yet")
	}
	return claims, nil
}

// verify finds the one key that the header names, and checks the signature with it.
func (i StatementIssuer) verify(text string, signed *jose.JSONWebSignature) error {
	part, _, _ := strings.Cut(text, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return err
	}
	if _, refused := readMembers(raw); refused != nil {
		return refused
	}
	var header statementHeader
	if err := json.Unmarshal(raw, &header, json.RejectUnknownMembers(true)); err != nil {
		return err
	}
	for _, k := range i.keys {
		if k.KeyID == header.KeyID && (k.Algorithm == "" || k.Algorithm == header.Algorithm) && k.Use != "enc" {
			_, err := signed.Verify(k.Key)
			return err
		}
	}
	return errors.New("register: no key of that kid")
}
