package token

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// holds is what the store does with a demand.
func holds(granted []string, w store.Within) bool {
	for _, words := range w.AnyOf {
		if !slices.ContainsFunc(words, func(s string) bool { return slices.Contains(granted, s) }) {
			return false
		}
	}
	holding := smart.NewScopeSet(granted).Holding()
	for _, d := range w.Demands {
		if !holding.Meets(d) {
			return false
		}
	}
	return w.Whole == 0 || w.Whole == len(granted)
}

// pick is a list of different scopes out of a few that have much in common.
func pick(r *rand.Rand, most int) []string {
	const letters = "cruds"
	seen := map[string]bool{}
	var list []string
	for range 1 + r.IntN(most) {
		text := []string{"openid", "launch/patient", "offline_access", "no scope", "user/*.read"}[r.IntN(5)]
		if r.IntN(4) > 0 {
			var permissions string
			for permissions == "" {
				for _, c := range letters {
					if r.IntN(2) == 0 {
						permissions += string(c)
					}
				}
			}
			if r.IntN(5) == 0 {
				permissions = []string{"read", "write", "*"}[r.IntN(3)]
			}
			text = []string{"patient", "user"}[r.IntN(2)] + "/" + []string{"Observation", "Patient", "*"}[r.IntN(3)] + "." + permissions
			if r.IntN(3) == 0 && strings.Contains(text, "Observation") {
				text += []string{"?category=laboratory", "?category=http://t.org|laboratory", "?code=a&category=laboratory"}[r.IntN(3)]
			}
		}
		if text = strings.ReplaceAll(text, "no scope", "no-scope"); !seen[text] {
			seen[text] = true
			list = append(list, text)
		}
	}
	return list
}

// What the store finds held is what narrow finds good, and nothing else: no token is
// used up and then refused, and none is refused that would have been good.
//
// spec: RT-08, RT-09
func TestWhatTheStoreIsAskedForIsWhatNarrowFindsGood(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	both, meant := 0, 0
	for range 20_000 {
		granted, asked := pick(r, 6), strings.Join(pick(r, 3), " ")
		_, refused := narrow(granted, asked)
		held := holds(granted, demanded(asked))
		switch {
		case held && refused != nil:
			t.Fatalf("granted %q, asked %q: held, and then refused: %v", granted, asked, refused)
		case refused == nil && !held:
			t.Fatalf("granted %q, asked %q: good, and not found", granted, asked)
		case held:
			both++
			if strings.Contains(asked, "http://t.org|laboratory") && !slices.Contains(granted, asked) {
				meant++
			}
		}
	}
	if both < 1000 || meant == 0 {
		t.Errorf("%d held, %d known by their meaning: the test shows nothing", both, meant)
	}
}

// A list that does not fit into a token is all of the grant or is refused, before
// the token is used.
//
// spec: RT-06
func TestAListTooLongForATokenIsTheWholeGrant(t *testing.T) {
	var granted []string
	for i := range 60 {
		granted = append(granted, "patient/Observation.rs?code=http://loinc.org|"+strings.Repeat("x", 40)+string(rune('0'+i%10))+string(rune('0'+i/10)))
	}
	reversed := slices.Clone(granted)
	slices.Reverse(reversed)
	for name, row := range map[string]struct {
		asked []string
		good  bool
	}{
		"all": {granted, true}, "in another order": {reversed, true}, "one twice": {append(reversed, granted[0]), true},
		"but one": {granted[1:], false}, "one narrower": {append([]string{strings.Replace(granted[0], ".rs", ".r", 1)}, granted[1:]...), false},
		"a few": {granted[:10], true},
	} {
		asked := strings.Join(row.asked, " ")
		if held := holds(granted, demanded(asked)); held != row.good {
			t.Errorf("%s: held %v", name, held)
		}
		if _, err := narrow(granted, asked); (err == nil) != row.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
