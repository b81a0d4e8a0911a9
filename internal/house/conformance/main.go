package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	root := flag.String("root", ".", "folder of the repository")
	check := flag.Bool("check", false, "write nothing; fail when docs/conformance.md is out of date")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	proofs, err := collect(root)
	if err != nil {
		return err
	}
	notes, err := readNotes(root + "/docs/conformance.txt")
	if err != nil {
		return err
	}
	if wrong := unknownRows(proofs, notes); len(wrong) > 0 {
		return errors.New("tests or docs/conformance.txt name rows that do not exist: " + strings.Join(wrong, ", "))
	}
	page := render(proofs, notes)
	path := root + "/docs/conformance.md"
	if !check {
		return os.WriteFile(path, page, 0o644) //nolint:gosec // documentation is for everybody
	}
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(old, page) {
		return errors.New("docs/conformance.md is out of date: go run ./internal/house/conformance")
	}
	if open := unexplained(proofs, notes); len(open) > 0 {
		return errors.New("rows with neither a test nor a reason: " + strings.Join(open, ", "))
	}
	return nil
}
