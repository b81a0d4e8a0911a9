package trust

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/egress"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// ErrUnavailable: the server that could say is not to be had now. It is never a yes.
var ErrUnavailable = errors.New("trust: the issuer of the token cannot be asked at present")

// maxToken bounds a token, in bytes, before anything of it is read (security E-10).
const maxToken = 8 << 10

// Deps are the parts that a List needs; all but Issuers are required.
type Deps struct {
	Issuers []Issuer
	// Own is our issuer, and Policy what Client may reach: lists are judged with them.
	Own    string
	Policy egress.Policy
	Client *egress.Client
	Now    func() time.Time
	Log    *slog.Logger
}

// List are the servers whose tokens are answered for. It is safe for concurrent use.
type List struct {
	deps     Deps
	keys     *clientkey.Keys
	byIssuer map[string]*source
	opaque   *source // nil: opaque tokens are nobody's
}

// source is one server: what the operator says of it, and how it has been lately.
type source struct {
	Issuer
	places chan struct{} // questions under way

	mu    sync.Mutex
	quiet time.Time // until then it is not asked again
}

// New makes a List; it refuses missing parts, and a list with a mistake.
func New(deps Deps) (*List, error) {
	if deps.Own == "" || deps.Client == nil || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("trust: a part is missing")
	}
	if wrong := Check(deps.Issuers, deps.Own, deps.Policy); len(wrong) > 0 {
		return nil, fmt.Errorf("trust: entry %d: %s: %s", wrong[0].Entry, wrong[0].Member, wrong[0].Text)
	}
	keys, err := clientkey.New(clientkey.Deps{Fetch: fetch(deps.Client), Now: deps.Now, Algorithms: clientkey.ServerAlgorithms()})
	if err != nil {
		return nil, err
	}
	l := &List{deps: deps, keys: keys, byIssuer: map[string]*source{}}
	for _, i := range deps.Issuers {
		if len(i.Algorithms) == 0 {
			i.Algorithms = UsualAlgorithms()
		}
		s := &source{Issuer: i, places: make(chan struct{}, maxQuestions)}
		l.byIssuer[i.Name] = s
		if i.Opaque {
			l.opaque = s
		}
	}
	return l, nil
}

func fetch(c *egress.Client) clientkey.Fetch {
	return func(ctx context.Context, url string, limit int64) ([]byte, http.Header, error) {
		got, err := c.Get(ctx, url, limit)
		return got.Body, got.Header, err
	}
}

// Question is a token that a listed server can be asked about. The zero value is
// nobody's, and its answer is no.
type Question struct {
	list *List
	from *source
	text string
}

// Issuer is the listed server that the token says it is of, or that opaque tokens are
// taken to be of. Nothing is proven by it.
func (q Question) Issuer() string {
	if q.from == nil {
		return ""
	}
	return q.from.Name
}

// About finds the one server that a token may be of. False: no listed one; then the
// token is ours or nobody's.
func (l *List) About(text string) (Question, bool) {
	if len(l.byIssuer) == 0 || !wellFormed(text) {
		return Question{}, false
	}
	issuer, signed := saysIssuer(text)
	from := l.byIssuer[issuer]
	if !signed && !oauth.IsSecret(text) {
		from = l.opaque
	}
	if from == nil {
		return Question{}, false
	}
	return Question{l, from, text}, true
}

// wellFormed: the characters and the size of a Bearer token (RFC 6750 §2.1).
func wellFormed(text string) bool {
	const others = "-._~+/="
	for i := 0; i < len(text); i++ {
		c := text[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return text != "" && len(text) <= maxToken
}

// saysIssuer reads iss of what looks like a signed JWT, before anything of it is
// judged. Signed: it looks like one, so it is not opaque, whatever it says.
func saysIssuer(text string) (issuer string, signed bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return "", false
	}
	var h struct {
		Algorithm string `json:"alg"`
	}
	raw, err := b64.DecodeString(parts[0])
	if err != nil || oauth.ReadJSON(raw, &h) != nil || h.Algorithm == "" {
		return "", false
	}
	var c struct {
		Issuer string `json:"iss"`
	}
	if raw, err = b64.DecodeString(parts[1]); err != nil || oauth.ReadJSON(raw, &c) != nil {
		return "", true
	}
	return c.Issuer, true
}
