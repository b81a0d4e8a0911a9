package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Header is where a request brings its proof (RFC 9449 §4.1), NonceHeader where an
// answer brings a nonce (§8.1).
const (
	Header      = "DPoP"
	NonceHeader = "DPoP-Nonce"
)

// Proof is a proof that Verifier has found good for one request. Its jti is still to be
// spent. The zero value proves nothing: it has no key.
type Proof struct {
	thumbprint string
	tokenHash  string
	idHash     [sha256.Size]byte
	shard      byte
	expires    time.Time
}

// Thumbprint names the key whose possession was shown (RFC 7638); empty for the zero
// value.
func (p Proof) Thumbprint() string { return p.thumbprint }

// IDHash names the proof: the SHA-256 of its key and jti.
func (p Proof) IDHash() []byte { return p.idHash[:] }

// ExpiresAt is when it has ended by itself.
func (p Proof) ExpiresAt() time.Time { return p.expires }

// Deps are the parts that the Verifier needs; all but NonceRequired are required.
type Deps struct {
	// Origin is the public URL, without a path.
	Origin string
	// NonceKey is 32 bytes, the same at all processes.
	NonceKey []byte
	// NonceRequired: every proof needs a nonce of this server (RFC 9449 §8, §9).
	NonceRequired bool
	Now           func() time.Time
}

// Verifier judges proofs. It is safe for concurrent use.
type Verifier struct {
	deps   Deps
	memory memory
}

// New makes it; it refuses missing parts.
func New(deps Deps) (*Verifier, error) {
	if _, ok := place(deps.Origin); !ok || len(deps.NonceKey) != 32 || deps.Now == nil {
		return nil, errors.New("dpop: a part is missing")
	}
	return &Verifier{deps: deps, memory: newMemory()}, nil
}

// Prove judges the proof of a request (RFC 9449 §4.3, all but 12) and does not spend
// it. The nonce for the next one goes into the headers of the answer, whatever it is.
// The error is InvalidDPoPProof or UseDPoPNonce with status 400.
func (v *Verifier) Prove(answer http.Header, r *http.Request) (Proof, *oauth.Error) {
	if nonce := v.Nonce(); nonce != "" {
		answer.Set(NonceHeader, nonce)
	}
	texts := r.Header.Values(Header)
	switch {
	case len(texts) == 0:
		return Proof{}, oauth.New(oauth.InvalidDPoPProof, "This request needs a proof of possession in the header DPoP").Slugged(oauth.SlugDPoPProofMissing)
	case len(texts) > 1: // RFC 9449 §4.3, 1
		return Proof{}, refused("send exactly one")
	}
	s, err := read(texts[0])
	if err == nil {
		err = v.matches(s, r)
	}
	if err != nil {
		return Proof{}, refused(err.Error())
	}
	// Order: the nonce comes last, so that a proof which is wrong anyway is not sent again.
	if v.deps.NonceRequired && !v.goodNonce(s.nonce) {
		return Proof{}, oauth.New(oauth.UseDPoPNonce, "Send the request again with a new proof that has the value of DPoP-Nonce as nonce").Slugged(oauth.SlugDPoPNonce)
	}
	return s.proof(), nil
}

// matches: the proof is of this request, and of this moment (RFC 9449 §4.3, 8, 9, 11).
func (v *Verifier) matches(s statement, r *http.Request) error {
	if s.method != r.Method {
		return errors.New("its htm is the method of the request")
	}
	asked, _ := place(v.deps.Origin + r.URL.EscapedPath())
	if named, ok := place(s.place); !ok || named != asked {
		return errors.New("its htu is the URL of the request as this server publishes it, without query and fragment")
	}
	if off := v.deps.Now().Sub(s.issued); off > window || off < -window {
		return errors.New("its iat is more than a minute off: check the clock, and make a proof for each request")
	}
	return nil
}

func (s statement) proof() Proof {
	key := sha256.Sum256([]byte(s.thumbprint))
	return Proof{
		thumbprint: s.thumbprint, tokenHash: s.tokenHash, shard: key[0], expires: s.issued.Add(window),
		idHash: sha256.Sum256([]byte("dpop proof\x00" + s.thumbprint + "\x00" + s.tokenID)),
	}
}

func refused(text string) *oauth.Error {
	return oauth.New(oauth.InvalidDPoPProof, "The DPoP proof is refused: %s", text).Slugged(oauth.SlugDPoPProof)
}

// Replayed answers a proof that was used before (RFC 9449 §11.1).
func Replayed() *oauth.Error {
	return oauth.New(oauth.InvalidDPoPProof, "The DPoP proof is refused: it was used before: make a new one, with a new jti, for each request").Slugged(oauth.SlugDPoPReplayed)
}

// Spend uses a proof up in the memory of this process: InvalidDPoPProof when it was
// used before, TemporarilyUnavailable when there is no room to remember it.
func (v *Verifier) Spend(p Proof) *oauth.Error {
	switch v.memory.use(p, v.deps.Now()) {
	case firstUse:
		return nil
	case usedBefore:
		return Replayed()
	}
	return &oauth.Error{Code: oauth.TemporarilyUnavailable, Status: http.StatusServiceUnavailable, RetryAfter: bucket,
		Slug: oauth.SlugServerUnavailable, Description: "Too many proofs of this key are remembered. Try again in a moment, with a new proof"}
}

// ProveToken judges and spends the proof that comes with an access token bound to a
// key (RFC 9449 §4.3 with 12, §7.1). Errors have status 401, or 503 when nobody can say
// whether the proof was used before.
func (v *Verifier) ProveToken(answer http.Header, r *http.Request, token, thumbprint string) *oauth.Error {
	p, wrong := v.Prove(answer, r)
	if wrong == nil {
		wrong = p.goesWith(token, thumbprint)
	}
	if wrong == nil { // Order: only a proof that is good in all else is remembered
		wrong = v.Spend(p)
	}
	if wrong != nil && wrong.Status == 0 {
		wrong.Status = http.StatusUnauthorized
	}
	return wrong
}

// goesWith: ath is of this token, and the key is the one that it is bound to.
func (p Proof) goesWith(token, thumbprint string) *oauth.Error {
	sum := sha256.Sum256([]byte(token))
	switch {
	case p.tokenHash == "":
		return refused("it needs ath, the SHA-256 of the access token in base64url")
	case subtle.ConstantTimeCompare([]byte(p.tokenHash), []byte(b64.EncodeToString(sum[:]))) != 1:
		return refused("its ath is not the SHA-256 of this access token in base64url")
	case p.thumbprint == "" || p.thumbprint != thumbprint:
		return oauth.New(oauth.InvalidToken, "The DPoP proof is of another key than the one that the access token is bound to").Slugged(oauth.SlugDPoPTokenBinding)
	}
	return nil
}
