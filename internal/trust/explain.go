package trust

import (
	"context"
	"errors"
	"sync"

	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Explained is how a listed server is now, for the operator.
type Explained struct {
	Name, Audience string
	// Source is where its keys lie, or where it is asked.
	Source string
	Opaque bool
	// Algorithms and Keys are those of a server that is checked by them; none: it is asked.
	Algorithms []string
	Keys       clientkey.Explanation
	// Problem says why its tokens cannot be checked now; empty: they can.
	Problem string
}

// Explain returns every listed server, in the order of the list. With ask it asks each:
// for its keys, or about a token that nobody has issued.
func (l *List) Explain(ctx context.Context, ask bool) []Explained {
	all := make([]Explained, len(l.deps.Issuers))
	var asked sync.WaitGroup
	for n, i := range l.deps.Issuers {
		s := l.byIssuer[i.Name]
		all[n] = Explained{Name: s.Name, Audience: s.Audience, Source: s.Endpoint, Opaque: s.Opaque}
		if s.byKeys() {
			all[n].Source, all[n].Algorithms = s.JWKSURI, s.Algorithms
		}
		if ask {
			asked.Go(func() { l.look(ctx, s, &all[n]) })
		}
	}
	asked.Wait()
	return all
}

// look finds out whether the tokens of a server can be checked now.
func (l *List) look(ctx context.Context, s *source, e *Explained) {
	var err error
	if s.byKeys() {
		e.Keys, err = clientkey.ExplainAt(ctx, fetch(l.deps.Client), s.JWKSURI, s.Algorithms)
		if err == nil && e.Keys.Usable() == 0 {
			err = errors.New("no key is usable")
		}
	} else {
		var c said
		if c, err = l.asked(ctx, s, oauth.RandomToken("nobodys_")); c.Active {
			err = errors.New("it says that a token which nobody has issued is active")
		}
	}
	if err != nil {
		e.Problem = err.Error()
	}
}
