package page_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"sort"
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
		}
	}
}

// Every sentence that a template names exists.
func TestTemplatesNameSentencesThatExist(t *testing.T) {
	words := messages(t, "en")
	files, err := filepath.Glob("pages/*.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`\{\{t "([a-z0-9.-]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(text), -1) {
			if words[m[1]] == "" {
				t.Errorf("%s names %q, which has no words", file, m[1])
			}
		}
	}
}
