package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every command that the operations page tells an operator to type, in an incident
// above all, is one that the program understands, with its flags; and what is to be
// done about each kind of theft is there.
//
// spec: DOC-09, DOC-10
func TestTheRunbookCanBeTyped(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	page, typed := string(text), 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[1]) {
			line, typed = strings.TrimSpace(line), typed+1
			if err := understood(arguments(line)); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if typed < 10 {
		t.Errorf("%d commands were found", typed)
	}
	for _, want := range []string{
		"**A stolen client secret.**", "**A stolen signing key.**", "**A stolen database**", "**A stolen key-encrypting key**", "**Refuse TLS 1.0 and 1.1 at the proxy**",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// arguments splits a line as a shell does, quotes included.
func arguments(line string) []string {
	var list []string
	for _, m := range regexp.MustCompile(`"([^"]*)"|(\S+)`).FindAllStringSubmatch(line, -1) {
		list = append(list, m[1]+m[2])
	}
	return list
}

func understood(args []string) error {
	var cmd commands
	parser, err := kong.New(&cmd, kong.Name("emberlatch"))
	if err != nil {
		return err
	}
	_, err = parser.Parse(args[1:])
	return err
}
