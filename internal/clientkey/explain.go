package clientkey

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// Explanation is what became of a client's key set, for its operator.
type Explanation struct {
	// Source is the URL, or "inline".
	Source string
	// Life is how long a fetched set is used before it is fetched again.
	Life time.Duration
	Keys []Explained
}

// Explained is one key of a set: what it may sign with, or why it counts for nothing.
type Explained struct {
	ID, Kind   string // kid and kty
	Algorithms []string
	Problem    string // a sentence without its subject; empty: usable
}

// Usable counts the keys that an assertion may be signed with.
func (e Explanation) Usable() int {
	n := 0
	for _, k := range e.Keys {
		if k.Problem == "" {
			n++
		}
	}
	return n
}

// errNoKeys: there is nothing to explain.
var errNoKeys = errors.New("the client has registered no keys")

// Explain looks at the key set of a client as an assertion would find it: fetched
// now when it lies at a URL, whatever is remembered of it. The error says why there
// is no set.
func Explain(ctx context.Context, fetch Fetch, c store.Client) (Explanation, error) {
	e, raw := Explanation{Source: "inline"}, []byte(c.JWKS)
	switch {
	case len(raw) > 0:
	case c.JWKSURI != "":
		e.Source = c.JWKSURI
		body, header, err := fetch(ctx, c.JWKSURI, maxBody)
		if err != nil {
			return e, err
		}
		raw, e.Life = body, life(header)
	default:
		return e, errNoKeys
	}
	return e, e.read(raw, Algorithms())
}

// ExplainAt looks at the key set of another server, fetched now.
func ExplainAt(ctx context.Context, fetch Fetch, url string, taken []string) (Explanation, error) {
	e := Explanation{Source: url}
	body, header, err := fetch(ctx, url, maxBody)
	if err != nil {
		return e, err
	}
	e.Life = life(header)
	return e, e.read(body, taken)
}

// read explains each key of a set.
func (e *Explanation) read(raw []byte, taken []string) error {
	list, err := members(raw, maxFetchedKeys)
	if err != nil {
		return err
	}
	var keys []Key
	for _, one := range list {
		k, problem := parseKey(one, taken)
		keys = append(keys, k)
		said := Explained{ID: k.id, Kind: k.kind, Algorithms: k.signs}
		if k.algorithm != "" && problem == nil {
			said.Algorithms = []string{k.algorithm}
		}
		if problem != nil {
			said.Problem = problem.Error()
		}
		e.Keys = append(e.Keys, said)
	}
	e.ambiguous(keys)
	return nil
}

// ambiguous marks keys that share kid and kty: no assertion can name one of them
// (CAUTH-26).
func (e *Explanation) ambiguous(keys []Key) {
	for i, k := range keys {
		same := func(o Key) bool { return o.id == k.id && o.kind == k.kind }
		if e.Keys[i].Problem == "" && (slices.ContainsFunc(keys[:i], same) || slices.ContainsFunc(keys[i+1:], same)) {
			e.Keys[i].Problem = "has the kid and kty of another one"
		}
	}
}
