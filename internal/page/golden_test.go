package page_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/page"
)

var update = flag.Bool("update", false, "write the golden files anew")

// version of the style sheet in its name: changes with every colour.
var version = regexp.MustCompile(`style-[0-9a-f]+\.css`)

// What people see is kept as files, so that a change of a page is seen in review.
// go test ./internal/page -update writes them anew.
func TestGolden(t *testing.T) {
	kept := map[string]bool{}
	for _, s := range samples() {
		for _, lang := range page.Languages {
			file := filepath.Join("testdata", s.name+"."+lang+".html")
			kept[file] = true
			t.Run(s.name+" "+lang, func(t *testing.T) {
				w, _ := render(t, s, lang)
				if w.Code != s.status {
					t.Errorf("status %d, want %d", w.Code, s.status)
				}
				checkGolden(t, file, version.ReplaceAllString(w.Body.String(), "style.css"))
			})
		}
	}
	files, err := filepath.Glob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !kept[file] {
			t.Errorf("%s belongs to no page any more", file)
		}
	}
}

func checkGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // read by everybody
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./internal/page -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
