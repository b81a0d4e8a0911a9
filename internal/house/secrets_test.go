package house_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"testing"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

// Every class of secrets that the server makes is known to oauth.IsSecret, so that none
// is shown to another server.
//
// attack: IN-03
func TestEveryClassOfSecretsIsKnown(t *testing.T) {
	class, found := regexp.MustCompile(`^"[a-z]{2}_"$`), 0
	for name, pkg := range packages(t) {
		for file, source := range pkg.files {
			ast.Inspect(source.ast, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && class.MatchString(lit.Value) {
					found++
					if !oauth.IsSecret(lit.Value[1:len(lit.Value)-1] + "x") {
						t.Errorf("%s/%s makes secrets of the class %s: name it in oauth", name, file, lit.Value)
					}
				}
				return true
			})
		}
	}
	if found < 15 { // nine in oauth, and where they are made
		t.Errorf("only %d classes were found", found)
	}
}
