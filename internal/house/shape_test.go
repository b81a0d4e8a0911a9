package house_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for name, pkg := range packages(t) {
		doc := pkg.files["doc.go"]
		if doc == nil || doc.ast.Doc == nil {
			t.Errorf("%s has no doc.go with a package comment", name)
			continue
		}
		if len(strings.Fields(doc.ast.Doc.Text())) < 12 {
			t.Errorf("%s: the package comment says too little", name)
		}
	}
}

// maxLines is where a file is split by subject.
const maxLines = 600

func TestFilesStaySmall(t *testing.T) {
	for name, pkg := range packages(t) {
		for file, source := range pkg.files {
			if source.lines > maxLines && !source.generated {
				t.Errorf("%s/%s has %d lines: split it by subject", name, file, source.lines)
			}
		}
	}
}

// maxFunction is the length in lines at which only a flat list is excused.
const maxFunction = 90

func TestFunctionsStayShort(t *testing.T) {
	for name, pkg := range packages(t) {
		for file, source := range pkg.files {
			if source.generated {
				continue
			}
			for _, decl := range source.ast.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				lines := source.fset.Position(f.End()).Line - source.fset.Position(f.Pos()).Line
				if lines > maxFunction {
					t.Errorf("%s/%s: %s has %d lines", name, file, f.Name.Name, lines)
				}
			}
		}
	}
}

func TestPackageNamesAreWordsOfTheField(t *testing.T) {
	forbidden := []string{"util", "utils", "common", "helper", "helpers", "misc", "base", "manager", "impl", "lib", "core"}
	for name := range packages(t) {
		last := name[strings.LastIndex(name, "/")+1:]
		if slices.Contains(forbidden, last) || len(last) < 2 || len(last) == 2 && last != "db" {
			t.Errorf("%s: %q says nothing", name, last)
		}
	}
}

func TestExportedNamesOfWordsAreExplained(t *testing.T) {
	for name, pkg := range packages(t) {
		p, known := places[name]
		if !known || p.floor > contracts {
			continue
		}
		for file, source := range pkg.files {
			if source.generated {
				continue
			}
			for _, decl := range source.ast.Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Name.IsExported() && f.Doc == nil && exportedReceiver(f) {
					t.Errorf("%s/%s: %s has no comment", name, file, f.Name.Name)
				}
			}
		}
	}
}

func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	expr := f.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	id, ok := expr.(*ast.Ident)
	return ok && id.IsExported() && f.Name.Name != "Error" && f.Name.Name != "Unwrap"
}

// A promise in the code that nobody keeps is worse than none.
func TestNothingIsLeftUnfinished(t *testing.T) {
	unfinished := regexp.MustCompile(`(?i)\b(fixme|xxx|not implemented|unimplemented|for now)\b|\bTODO\b[^(]|\bTODO$`)
	for name, pkg := range packages(t) {
		for file := range pkg.files {
			text, err := os.ReadFile(filepath.Join(root, name, file))
			if err != nil {
				t.Fatal(err)
			}
			if found := unfinished.Find(text); found != nil {
				t.Errorf("%s/%s says %q", name, file, found)
			}
		}
	}
}

func TestBothDatabasesHaveTheSameMigrations(t *testing.T) {
	list := func(dialect string) []string {
		entries, err := os.ReadDir(filepath.Join(root, "internal/db/migrations", dialect))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	sqlite, postgres := list("sqlite"), list("postgres")
	if !slices.Equal(sqlite, postgres) {
		t.Errorf("migrations differ: sqlite %v, postgres %v", sqlite, postgres)
	}
}

// Calls that have hurt others: a client without timeouts, forms that mix query
// and body, a proxy that trusts hop-by-hop headers, weak randomness.
func TestDangerousCallsAreNotMade(t *testing.T) {
	dangerous := regexp.MustCompile(`http\.DefaultClient\b|http\.Get\(|\bDirector:|\.FormValue\(|InsecureSkipVerify|"math/rand"|"crypto/md5"`)
	for name, pkg := range packages(t) {
		for file := range pkg.files {
			text, err := os.ReadFile(filepath.Join(root, name, file))
			if err != nil {
				t.Fatal(err)
			}
			if found := dangerous.Find(text); found != nil {
				t.Errorf("%s/%s uses %s", name, file, found)
			}
		}
	}
}
