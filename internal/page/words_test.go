package page_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/page"
)

func messages(t *testing.T, language string) map[string]string {
	t.Helper()
	raw, err := os.ReadFile("messages/" + language + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]string
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func keys(m map[string]string) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

var part = regexp.MustCompile(`\{[a-z]+\}`)

// Every language has every sentence, with the same parts to fill in.
//
// spec: LOGIN-25
func TestLanguagesAreComplete(t *testing.T) {
	first := messages(t, page.Languages[0])
	for _, l := range page.Languages[1:] {
		other := messages(t, l)
		if diff := cmp.Diff(keys(first), keys(other)); diff != "" {
			t.Errorf("%s (-%s +%s):\n%s", l, page.Languages[0], l, diff)
		}
		for key, text := range first {
			want, got := part.FindAllString(text, -1), part.FindAllString(other[key], -1)
			sort.Strings(want)
			sort.Strings(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s: other parts: %s", l, key, diff)
			}
			if other[key] == text && len(text) > 24 {
				t.Errorf("%s %s: not translated: %s", l, key, text)
			}
		}
	}
}

// use is a place where keys of the catalogue are written.
type use struct {
	files   string
	pattern *regexp.Regexp
	forms   []string // of the keys that a match makes; * is the match
}

var uses = []use{
	{"pages/*.tmpl", regexp.MustCompile(`[{(]t "([a-z0-9.-]+)"`), []string{"*"}},
	{"pages/*.tmpl", regexp.MustCompile(`\{\{n "([a-z0-9.-]+)"`), []string{"*.one", "*.other"}},
	{"second_step.go", regexp.MustCompile(`l\.counted\("([a-z-]+)"`), []string{"*.one", "*.other"}},
	{"../*/*.go", regexp.MustCompile(`page\.Error\{.*Title: +"([a-z-]+)"`), []string{"error.*", "error.*.help"}},
	{"../*/*.go", regexp.MustCompile(`Message: +"([a-z.-]+)"`), []string{"*"}},
	{"../account/password.go", regexp.MustCompile(`PasswordProblem = "([a-z-]+)"`), []string{"*"}},
	{"../recovery/claim.go", regexp.MustCompile(`"(recover\.[a-z-]+)"`), []string{"*"}},
	{"../enrol/claim.go", regexp.MustCompile(`"(identify\.[a-z-]+)"`), []string{"*"}},
	{"../choice/rows.go", regexp.MustCompile(`\t\{"([a-z]+)", \[\]fhir`), []string{"group.*", "group.*.examples"}},
	{"../consent/duration.go", regexp.MustCompile(`\{"([a-z]+)", [0-9 *]*time`), []string{"duration.*"}},
	{"../choice/app.go", regexp.MustCompile(`Status(?:: | = )"([a-z]+)"`), []string{"status.*"}},
	{"../choice/pieces.go", regexp.MustCompile(`\{"http[^"]+", "([a-z-]+)"\}`), []string{"part.*"}},
	{"developer.go", regexp.MustCompile(`"(register-app\.[a-z-]+)"`), []string{"*"}},
	{"developer.go", regexp.MustCompile(`"(native|browser|web)"`), []string{"app-kind.*", "app-kind.*-hint"}},
	{"developer.go", regexp.MustCompile(`"(none|client_secret_basic|private_key_jwt)"`), []string{"app-proof.*", "app-proof.*-hint"}},
	{"../store/review.go", regexp.MustCompile(`ReviewState = "([a-z]+)"`), []string{"review.*", "review.*-text", "review-step.*"}},
	{"../manage/*.go", regexp.MustCompile(`(?:Whose\{Kind: |whose = )"([a-z]+)"`), []string{"record.*"}},
	{"../manage/*.go", regexp.MustCompile(`Ending\{Kind: "([a-z]+)"`), []string{"ends.*"}},
	{"../manage/*.go", regexp.MustCompile(`return "([a-z]+)" // stopped-by`), []string{"stopped-by.*"}},
	{"../store/user.go", regexp.MustCompile(`Role = "([a-z]+)"`), []string{"role.*"}},
}

// Every sentence that a template or a door names exists, for each number if it
// counts.
func TestNamedSentencesExist(t *testing.T) {
	known := messages(t, page.Languages[0])
	for _, u := range uses {
		found := matches(t, u)
		if len(found) == 0 {
			t.Errorf("%s holds nothing like %s any more", u.files, u.pattern)
		}
		for _, name := range found {
			for _, form := range u.forms {
				if key := strings.Replace(form, "*", name, 1); known[key] == "" {
					t.Errorf("%s names %q, which has no words", u.files, key)
				}
			}
		}
	}
}

// A type that shares its group with others is told apart by words of its own.
func TestTypesOfSharedGroupsHaveWords(t *testing.T) {
	known := messages(t, page.Languages[0])
	groups := matches(t, use{files: "../choice/rows.go", pattern: regexp.MustCompile(`\[\]fhir\.ResourceType\{(.*?)\}`)})
	if len(groups) == 0 {
		t.Fatal("the groups are not found any more")
	}
	for _, g := range groups {
		types := strings.Split(g, ", ")
		for _, typ := range types {
			if key := "type." + strings.Trim(typ, `"`); len(types) > 1 && known[key] == "" {
				t.Errorf("%q has no words", key)
			}
		}
	}
}

func matches(t *testing.T, u use) []string {
	t.Helper()
	var list []string
	for _, text := range sources(t, u.files) {
		for _, m := range u.pattern.FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// sources are the texts of files without tests.
func sources(t *testing.T, glob string) []string {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, string(text))
	}
	return list
}

// families are keys that are put together where they are used.
var families = regexp.MustCompile(`^(month|group|type|part|access|sex|relationship|status|role|duration|error|review|review-step|app-kind|app-proof|scope|record|ends|stopped-by|looked|looked-by|emergency\.minutes|emergency\.reason)\.|\.(one|other|theirs|title)$`)

// Every sentence is used: what nobody shows is not kept up.
func TestEverySentenceIsUsed(t *testing.T) {
	all := strings.Join(slices.Concat(sources(t, "pages/*.tmpl"), sources(t, "*.go"), sources(t, "../*/*.go")), "\n")
	for _, key := range keys(messages(t, page.Languages[0])) {
		if !families.MatchString(key) && !strings.Contains(all, `"`+key+`"`) {
			t.Errorf("nothing shows %q", key)
		}
	}
}
