package house_test

import (
	"go/ast"
	"strings"
	"testing"
)

// catalogueCodes reads the error catalogue: the constant of each error with the
// constant of its code, empty for a page that tells no app anything.
func catalogueCodes(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	ast.Inspect(packages(t)["internal/oauth"].files["catalogue.go"].ast, func(n ast.Node) bool {
		entry, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		slug, code := entry.Key.(*ast.Ident), entry.Value.(*ast.CompositeLit).Elts[1]
		codes[slug.Name] = ""
		if id, ok := code.(*ast.Ident); ok {
			codes[slug.Name] = id.Name
		}
		return false
	})
	return codes
}

// nameIn is the name of a constant of internal/oauth, used from inside or outside.
func nameIn(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok && pkg.Name == "oauth" {
			return e.Sel.Name
		}
	}
	return ""
}

// Nothing in the catalogue is unused: each error that it explains is told somewhere.
func TestEveryErrorOfTheCatalogueIsTold(t *testing.T) {
	used := map[string]bool{}
	for name, pkg := range packages(t) {
		for file, source := range pkg.files {
			if name == "internal/oauth" && file == "catalogue.go" || strings.HasPrefix(name, "internal/house") {
				continue
			}
			ast.Inspect(source.ast, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					used[nameIn(e)] = true
				}
				return true
			})
		}
	}
	codes := catalogueCodes(t)
	if len(codes) < 50 {
		t.Fatalf("%d errors were found in the catalogue", len(codes))
	}
	for slug := range codes {
		if !used[slug] {
			t.Errorf("%s is explained, and nothing tells it", slug)
		}
	}
}

// Every code that the server answers with is explained, and no other.
func TestEveryCodeIsExplained(t *testing.T) {
	explained, used := map[string]bool{}, map[string]bool{}
	ast.Inspect(packages(t)["internal/oauth"].files["code.go"].ast, func(n ast.Node) bool {
		if entry, ok := n.(*ast.CompositeLit); ok && entry.Type == nil {
			explained[nameIn(entry.Elts[0])] = true
		}
		return true
	})
	for _, pkg := range packages(t) {
		for _, source := range pkg.files {
			ast.Inspect(source.ast, func(n ast.Node) bool {
				if code := answeredCode(n); ast.IsExported(code) {
					used[code] = true
				}
				return true
			})
		}
	}
	for code := range used {
		if !explained[code] {
			t.Errorf("%s is answered, and not explained", code)
		}
	}
	for code := range explained {
		if !used[code] {
			t.Errorf("%s is explained, and never answered", code)
		}
	}
}

// answeredCode is the code that a call of oauth.New, an error literal or a page names.
func answeredCode(n ast.Node) string {
	if call, ok := n.(*ast.CallExpr); ok && nameIn(call.Fun) == "New" && len(call.Args) > 1 {
		if _, literal := call.Args[0].(*ast.SelectorExpr); literal {
			return nameIn(call.Args[0])
		}
	}
	if pair, ok := n.(*ast.KeyValueExpr); ok { // of a page: ErrorCode: string(oauth.…)
		key, _ := pair.Key.(*ast.Ident)
		if text, ok := pair.Value.(*ast.CallExpr); ok && key != nil && key.Name == "ErrorCode" && len(text.Args) == 1 {
			return nameIn(text.Args[0])
		}
	}
	if literal, ok := n.(*ast.CompositeLit); ok && nameIn(literal.Type) == "Error" {
		_, code := madeError(n)
		return code
	}
	return ""
}

// Where an error is made, its code is that of the catalogue.
func TestErrorsHaveTheCodeOfTheCatalogue(t *testing.T) {
	codes, found := catalogueCodes(t), 0
	for name, pkg := range packages(t) {
		for file, source := range pkg.files {
			ast.Inspect(source.ast, func(n ast.Node) bool {
				slug, code := madeError(n)
				want, known := codes[slug]
				if !known || !ast.IsExported(code) { // a variable is judged where it is set
					return true
				}
				found++
				if code != want {
					t.Errorf("%s/%s makes %s with %s, the catalogue says %q", name, file, slug, code, want)
				}
				return true
			})
		}
	}
	if found < 50 {
		t.Errorf("%d errors were found in the code", found)
	}
}

// madeError reads oauth.New(code, …)….Slugged(slug), or a literal with Code and Slug.
func madeError(n ast.Node) (slug, code string) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if fun, ok := n.Fun.(*ast.SelectorExpr); ok && fun.Sel.Name == "Slugged" {
			return nameIn(n.Args[0]), codeOfCall(fun.X)
		}
	case *ast.CompositeLit:
		for _, e := range n.Elts {
			pair, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			switch key, _ := pair.Key.(*ast.Ident); {
			case key != nil && key.Name == "Slug":
				slug = nameIn(pair.Value)
			case key != nil && key.Name == "Code":
				code = nameIn(pair.Value)
			}
		}
	}
	return slug, code
}

// codeOfCall follows a chain of calls down to New and returns its code.
func codeOfCall(e ast.Expr) string {
	for {
		call, ok := e.(*ast.CallExpr)
		if !ok {
			return ""
		}
		if name := nameIn(call.Fun); name == "New" {
			return nameIn(call.Args[0])
		}
		fun, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return ""
		}
		e = fun.X
	}
}
