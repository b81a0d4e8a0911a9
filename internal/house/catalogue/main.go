package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

func main() {
	root := flag.String("root", ".", "folder of the repository")
	check := flag.Bool("check", false, "write nothing; fail when docs/errors.md is out of date")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "catalogue:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	page, path := render(), root+"/docs/errors.md"
	if !check {
		return os.WriteFile(path, page, 0o644) //nolint:gosec // documentation is for everybody
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, page) {
		return errors.New("docs/errors.md is out of date: go run ./internal/house/catalogue")
	}
	return nil
}

const head = `# Errors

Made by ` + "`go run ./internal/house/catalogue`" + ` from the catalogue in internal/oauth; do not edit. A running server shows the same
at its issuer, ` + "`" + oauth.ErrorsPath + "`" + `, and sends ` + "`error_uri`" + ` with each error, which leads to the right place there.

An error page and the header ` + "`X-Request-Id`" + ` of every answer carry a number. The operator finds the line of that number in
the log; it names the error as below. What the FHIR API refuses comes as an OperationOutcome ([api.md](api.md)).

`

func render() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	b.WriteString("| error | code | where | what to do | rule |\n|---|---|---|---|---|\n")
	for _, e := range oauth.Catalogue() {
		fmt.Fprintf(&b, "| <a id=\"%s\"></a>`%s` | %s | %s | %s | %s |\n", e.Name, e.Name, code(e.Code), e.Where, e.Fix, e.Section)
	}
	b.WriteString("\n## Codes\n\n| code | meaning | source |\n|---|---|---|\n")
	for _, c := range oauth.Codes() {
		fmt.Fprintf(&b, "| <a id=\"%s\"></a>`%s` | %s | %s |\n", c.Code, c.Code, c.Meaning, c.Section)
	}
	return b.Bytes()
}

func code(c oauth.Code) string {
	if c == "" {
		return "none: a page for the person"
	}
	return "`" + string(c) + "`"
}
