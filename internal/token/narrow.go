package token

import (
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
	"github.com/emberlatch/emberlatch/smart"
)

// narrow checks that every scope asked for is inside of what was granted, in
// its own words or as a part of something wider (RT-06 to RT-10). All of them in
// another order are the grant's own list; a part of them must fit into a token
// (AT-09).
func narrow(granted []string, asked string) ([]string, error) {
	set := smart.NewScopeSet(granted)
	literal := map[string]bool{}
	for _, s := range granted {
		literal[s] = true
	}
	kept := distinct(asked)
	for _, text := range kept {
		scope, err := smart.ParseScope(text)
		if !literal[text] && (err != nil || !set.Covers(scope)) {
			return nil, errWider()
		}
	}
	if len(kept) == 0 {
		return nil, errNoScope()
	}
	switch {
	case len(kept) == len(literal) && !slices.ContainsFunc(kept, func(s string) bool { return !literal[s] }):
		return granted, nil
	case !tokens.FitsToken(kept):
		return nil, oauth.New(oauth.InvalidScope, "Ask for fewer scopes, or leave scope out to get all that were granted").About("scope").Slugged(oauth.SlugScopeTooMany)
	}
	return kept, nil
}

func errWider() *oauth.Error {
	return oauth.New(oauth.InvalidScope, "A scope was asked for that was not granted").About("scope").Slugged(oauth.SlugScopeWider)
}

func errNoScope() *oauth.Error {
	return oauth.New(oauth.InvalidScope, "No scope was asked for").About("scope").Slugged(oauth.SlugScopeMissing)
}

// demanded says what a grant must hold for the scopes that are asked for, so that the
// store can tell what narrow tells: a clinical scope by what it means, anything else
// by its own word. More than fits into a token must be the whole grant, of which the
// number of scopes tells.
func demanded(asked string) store.Within {
	list := distinct(asked)
	if !tokens.FitsToken(list) {
		w := store.Within{Whole: len(list)}
		for _, text := range list {
			w.AnyOf = append(w.AnyOf, []string{text})
		}
		return w
	}
	var w store.Within
	for _, text := range list {
		scope, err := smart.ParseScope(text)
		if err != nil {
			w.AnyOf = append(w.AnyOf, []string{text})
			continue
		}
		w.Demands = append(w.Demands, scope.Demand())
	}
	return w
}

// distinct are scopes without doubles, in their order.
func distinct(text string) []string {
	var list []string
	seen := map[string]bool{}
	for _, s := range strings.Split(text, " ") {
		if s != "" && !seen[s] {
			seen[s] = true
			list = append(list, s)
		}
	}
	return list
}
