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
			return nil, oauth.New(oauth.InvalidScope, "A scope was asked for that was not granted").About("scope").Slugged(oauth.SlugScopeWider)
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

func errNoScope() *oauth.Error {
	return oauth.New(oauth.InvalidScope, "No scope was asked for").About("scope").Slugged(oauth.SlugScopeMissing)
}

// maxWords is up to how many scopes demanded looks for in other words than their own.
const maxWords = 40

// demanded says in words that the store can look for what a grant must hold for the
// scopes that are asked for: for each of them itself; for a few, and each of their
// permissions, any scope that has the permission for the type or for all types,
// under the same conditions or none. More than fits into a token must be the whole
// grant, of which the number of scopes tells. It is what narrow finds good, but for
// what only the meaning of conditions tells.
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
		if err != nil || len(list) > maxWords {
			w.AnyOf = append(w.AnyOf, []string{text})
			continue
		}
		for _, permission := range scope.Permissions() {
			w.AnyOf = append(w.AnyOf, append([]string{text}, wider(scope, permission)...))
		}
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

// wider are scopes that allow one permission of a scope: of its level, for its type
// or for all, with its conditions as they are written or with none.
func wider(s smart.Scope, permission rune) []string {
	_, query, conditional := strings.Cut(s.String(), "?")
	var list []string
	for _, kind := range slices.Compact([]string{string(s.Type()), string(smart.AnyType)}) {
		for _, letters := range allowing(permission) {
			text := string(s.Level()) + "/" + kind + "." + letters
			list = append(list, text)
			if conditional && !slices.Contains(version1, letters) { // those have no conditions
				list = append(list, text+"?"+query)
			}
		}
	}
	return list
}

// version1 are the permissions as version 1 of SMART App Launch writes them.
var version1 = []string{"read", "write", "*"}

// allowing are the ways of writing permissions that have one of them: those of SMART
// App Launch 2, in the order c r u d s, and those of version 1.
func allowing(permission rune) []string {
	const letters = "cruds"
	var list []string
	for set := 1; set < 1<<len(letters); set++ {
		text := ""
		for i, c := range letters {
			if set&(1<<i) != 0 {
				text += string(c)
			}
		}
		if strings.ContainsRune(text, permission) {
			list = append(list, text)
		}
	}
	if strings.ContainsRune("rs", permission) {
		return append(list, version1[0], version1[2])
	}
	return append(list, version1[1], version1[2])
}
