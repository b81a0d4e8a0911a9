package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

// Every bug can be planted as things stand: its text is in the file, once, and what takes
// its place is Go.
func TestBugsFitTheCode(t *testing.T) {
	names := map[string]bool{}
	for _, b := range bugs {
		text, err := os.ReadFile(filepath.Join("../../..", b.file))
		if err != nil {
			t.Errorf("%s: %v", b.name, err)
			continue
		}
		with, err := b.planted(string(text))
		if err != nil {
			t.Errorf("%s: %v", b.name, err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), b.file, with, 0); err != nil {
			t.Errorf("%s: %v", b.name, err)
		}
		if names[b.name] || b.rows == "" || len(b.suites) == 0 || b.old == b.new {
			t.Errorf("%s: named twice, or without rows, tests or a change", b.name)
		}
		names[b.name] = true
	}
	if len(bugs) < 25 {
		t.Errorf("only %d bugs", len(bugs))
	}
}
