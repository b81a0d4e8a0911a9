package trust

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

var b64 = base64.RawURLEncoding.Strict()

// header are the members that are looked at (RFC 7515 §4.1).
type header struct {
	Algorithm string         `json:"alg"`
	Type      string         `json:"typ"`
	KeyID     string         `json:"kid"`
	KeySetURL *string        `json:"jku"`
	Key       jsontext.Value `json:"jwk"`
	CertURL   jsontext.Value `json:"x5u"`
	CertChain jsontext.Value `json:"x5c"`
	Critical  jsontext.Value `json:"crit"`
}

var (
	errHeader    = errors.New("its header is not that of an access token of RFC 9068, or brings a key along")
	errAlgorithm = errors.New("alg is not one that is listed")
	errSignature = errors.New("the signature does not verify")
	errClaims    = errors.New("the claims are not one JSON object with each member once, of the types that they have")
)

// byKeys checks a JWT access token of a server by its published keys (RFC 9068 §4).
// Order: header, key, signature, and only then the claims.
func (l *List) byKeys(ctx context.Context, s *source, text string) (Answer, error) {
	payload, err := l.signedBy(ctx, s, text)
	if err != nil {
		return Answer{}, err
	}
	var c said
	if err := oauth.ReadJSON(payload, &c); err != nil {
		return Answer{}, errClaims
	}
	// RFC 9068 §2.2: required; what is missing is not taken for anything.
	if c.Subject == "" || c.ClientID == "" || c.TokenID == "" || c.IssuedAt == nil {
		return Answer{}, errMissing
	}
	return s.judge(c, l.deps.Now())
}

// signedBy proves the signature, and returns what was signed.
func (l *List) signedBy(ctx context.Context, s *source, text string) ([]byte, error) {
	h, err := s.readHeader(text)
	if err != nil {
		return nil, err
	}
	key, err := l.keys.FindAt(ctx, s.Name, s.JWKSURI, h.KeyID, h.Algorithm)
	if errors.Is(err, clientkey.ErrUnreachable) {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err != nil {
		return nil, err
	}
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(h.Algorithm)})
	if err != nil {
		return nil, errSignature
	}
	payload, err := signed.Verify(key.Public())
	if err != nil {
		return nil, errSignature
	}
	// One spelling, and the library has read what we read.
	raw, err := b64.DecodeString(strings.Split(text, ".")[1])
	if err != nil || !oauth.IsCompactJWS(text) || !bytes.Equal(raw, payload) {
		return nil, errSignature
	}
	return payload, nil
}

// readHeader judges the header (RFC 9068 §2.1, §4): typ keeps access tokens apart from
// everything else that the same keys sign (RFC 8725 §3.11).
func (s *source) readHeader(text string) (header, error) {
	part, _, _ := strings.Cut(text, ".")
	raw, err := b64.DecodeString(part)
	var h header
	if err != nil || oauth.ReadJSON(raw, &h) != nil {
		return h, errHeader
	}
	switch {
	case !strings.EqualFold(h.Type, "at+jwt") && !strings.EqualFold(h.Type, "application/at+jwt"):
		return h, errHeader
	case h.Key != nil || h.CertURL != nil || h.CertChain != nil || h.Critical != nil || h.KeySetURL != nil && *h.KeySetURL != s.JWKSURI:
		return h, errHeader // keys come from the configuration; nothing that must be understood is
	case !slices.Contains(s.Algorithms, h.Algorithm):
		return h, errAlgorithm
	}
	return h, nil
}
