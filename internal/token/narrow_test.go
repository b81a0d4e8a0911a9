package token

import (
	"encoding/json"
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

// hostile are refresh scopes that are as much work as a list may be.
func hostile() map[string]string {
	var short, conditional, long []string
	for _, level := range []string{"patient", "user", "system"} {
		for _, kind := range []string{"Patient", "Group", "Task", "Goal", "Flag", "List", "Slot", "Media", "Basic", "Claim"} {
			for _, permissions := range []string{"cruds", "crud", "ruds", "cuds"} {
				short = append(short, level+"/"+kind+"."+permissions)
			}
		}
	}
	for i := range 40 {
		conditional = append(conditional, "patient/Observation.cruds?code=a|"+strings.Repeat(string(rune('a'+i%26)), 8)+string(rune('0'+i/26)))
	}
	for i := range 999 {
		long = append(long, "patient/Observation.cruds?code=http://loinc.org|"+strings.Repeat(string(rune('a'+i%26)), i%60+1)+string(rune('0'+i/500)))
	}
	many := "patient/Observation.cruds?code=" + strings.TrimSuffix(strings.Repeat("a|b,", 240), ",")
	return map[string]string{
		"many": strings.Join(short[:90], " "), "conditions": strings.Join(conditional, " "), "too long for a token": strings.Join(long, " "), "one of many values": many,
	}
}

// What the store is asked is in proportion to what was asked for.
func TestWhatIsDemandedIsBounded(t *testing.T) {
	for name, asked := range hostile() {
		raw, err := json.Marshal(demanded(asked))
		if err != nil || len(raw) > 64*len(asked) {
			t.Errorf("%s: %d bytes for %d, %v", name, len(raw), len(asked), err)
		}
	}
}

func BenchmarkDemanded(b *testing.B) {
	for name, asked := range hostile() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				demanded(asked)
			}
		})
	}
}
