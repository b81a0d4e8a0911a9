package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emberlatch/emberlatch/internal/app"
)

// What is wrong with categories of sensitive content is told with file and line, of the
// configuration and of a value set.
//
// attack: GW-40, E-43
func TestCategoriesAreJudgedAtTheStart(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	set := write("good.json", `{"resourceType":"ValueSet","compose":{"include":[{"system":"s","concept":[{"code":"a"}]}]}}`)
	filter := write("filter.json", "{\"resourceType\":\"ValueSet\",\n\"compose\":{\"include\":[{\"system\":\"s\",\n\"filter\":[]}]}}")
	const head = "public_url: https://records.example.org\nlisten: { public: \"127.0.0.1:0\" }\ntls: { cert_file: a, key_file: b }\nsensitive:\n"
	category := func(lines ...string) string {
		return head + "  ordinary_labels: [\"urn:l|o\"]\n  categories:\n    - name: hiv\n      words: { en: HIV, es: VIH }\n      " + strings.Join(lines, "\n      ") + "\n"
	}
	readers := "readers: [{ audience: patient, apps: [\"*\"] }]"
	for _, row := range []struct{ name, text, want string }{
		{"good", category("codes: [\"urn:icd|B20*\"]", "labels: [\"urn:l|hiv\"]", "value_sets: ["+set+"]", readers), ""},
		{"unlisted", category("codes: [\"urn:icd|B20\"]", readers) + "    - name: unlisted\n      words: { en: Others, es: Otros }\n", ""},
		{"a code", category("codes:", "  - urn:icd|B20", "  - B20"), ":11: sensitive.categories[0].codes[1]: \"B20\": write it as system|code"},
		{"a label", category("labels: [\"urn:l|h*\"]"), ":9: sensitive.categories[0].labels[0]: \"urn:l|h*\": a label is one code"},
		{"an ordinary label", head + "  ordinary_labels:\n    - x\n", ":6: sensitive.ordinary_labels[0]: \"x\""},
		{"only ordinary labels", head + "  ordinary_labels:\n    - urn:x|y\n", "sensitive.ordinary_labels: without categories"},
		{"a value set", category("value_sets:", "  - "+set, "  - "+filter), ":11: sensitive.categories[0].value_sets[1]: " + filter + ", line 3: filter is not worked out here"},
		{"a value set that is not there", category("value_sets: [" + dir + "/none.json]"), ":9: sensitive.categories[0].value_sets[0]: open " + dir + "/none.json"},
		{"words", head + "  categories:\n    - name: hiv\n      words: { en: HIV }\n      codes: [\"s|a\"]\n", ":7: sensitive.categories[0].words: there are none in the language \"es\""},
		{"a name", head + "  categories:\n    - codes: [\"s|a\"]\n      words: { en: a, es: b }\n      name: HIV\n", ":8: sensitive.categories[0].name: \"HIV\""},
		{"an audience", category("codes: [\"s|a\"]", "readers:", "  - audience: nurse", "    apps: [a]"), ":11: sensitive.categories[0].readers[0]: the audience \"nurse\""},
		{"no apps", category("codes: [\"s|a\"]", "readers:", "  - audience: patient"), ":11: sensitive.categories[0].readers[0]: apps: name"},
		{"nothing in it", category(readers), ":7: sensitive.categories[0].name: \"hiv\" has neither codes"},
		{"a key that nobody knows", category("code: []"), "unknown field \"code\""},
	} {
		path := write("emberlatch.yaml", row.text)
		_, err := app.LoadConfig(path)
		switch {
		case row.want == "" && err != nil:
			t.Errorf("%s: %v", row.name, err)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), path)):
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}
