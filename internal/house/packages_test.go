package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/emberlatch/emberlatch"
)

// pkg is what the tests look at: files without tests.
type pkg struct {
	imports  []string // of ours, without the module path
	foreign  []string
	standard []string
	files    map[string]*source
}

type source struct {
	lines     int
	generated bool
	ast       *ast.File
	fset      *token.FileSet
	text      string
}

var parsed = sync.OnceValues(func() (map[string]*pkg, error) {
	all := map[string]*pkg{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		return add(all, filepath.ToSlash(dir), path)
	})
	return all, err
})

func packages(t *testing.T) map[string]*pkg {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func add(all map[string]*pkg, dir, path string) error {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	p := all[dir]
	if p == nil {
		p = &pkg{files: map[string]*source{}}
		all[dir] = p
	}
	p.files[filepath.Base(path)] = &source{
		lines: fset.File(file.Pos()).LineCount(), generated: ast.IsGenerated(file), ast: file, fset: fset,
	}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		ours, isOurs := strings.CutPrefix(name, module+"/")
		switch {
		case isOurs:
			p.imports = append(p.imports, ours)
		case strings.Contains(strings.SplitN(name, "/", 2)[0], "."):
			p.foreign = append(p.foreign, name)
		default:
			p.standard = append(p.standard, name)
		}
	}
	return nil
}
