package conform_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// The checker judges this server with nothing that the server is made of, and the
// broken server shares nothing with either.
func TestTheCheckerStandsAlone(t *testing.T) {
	const module = "github.com/emberlatch/emberlatch/"
	for pattern, allowed := range map[string]string{
		"*.go": module + "internal/conform/", "agent/*.go": module + "internal/conform/agent", "probe/*.go": module + "internal/conform/",
		"suite/*.go": module + "internal/conform/", "brokentest/*.go": "nothing",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				path := strings.Trim(spec.Path.Value, `"`)
				if strings.HasPrefix(path, module) && !strings.HasPrefix(path, allowed) {
					t.Errorf("%s imports %s", file, path)
				}
			}
		}
	}
}
