package main

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
)

// render makes the page: departures first, then a table for each group.
func render(p proofs, n notes) []byte {
	var b bytes.Buffer
	b.WriteString("# Conformance\n\nMade by `go run ./internal/house/conformance` from the tags in the tests; do not edit.\n" +
		"Row ids are those of the project's requirement and attack catalogues. A row names the tests that prove it, or why none does.\n\n")
	b.WriteString(n.text + "\n\n## Requirements\n\n| group | subject | rows | with a test |\n|---|---|---|---|\n")
	for _, g := range groups {
		done := 0
		for i := 1; i <= g.rows; i++ {
			if len(p.spec[rowName(g.prefix, "-", i)]) > 0 {
				done++
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d |\n", g.prefix, g.subject, g.rows, done)
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "\n### %s: %s\n\n| row | proven by |\n|---|---|\n", g.prefix, g.subject)
		for i := 1; i <= g.rows; i++ {
			id := rowName(g.prefix, "-", i)
			fmt.Fprintf(&b, "| %s | %s |\n", id, proof(p.spec[id], n.rows[id]))
		}
	}
	b.WriteString("\n## Attacks\n")
	for _, a := range attacks {
		renderAttacks(&b, a.prefix, a.subject, p, n)
	}
	return b.Bytes()
}

func renderAttacks(b *bytes.Buffer, prefix, subject string, p proofs, n notes) {
	seen := map[string]bool{}
	for id := range p.attack {
		seen[id] = true
	}
	for id := range n.attacks {
		seen[id] = true
	}
	var ids []string
	for id := range seen {
		if m := rowID.FindStringSubmatch(id); m != nil && m[1] == prefix {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return
	}
	sort.Slice(ids, func(i, j int) bool {
		if len(ids[i]) != len(ids[j]) {
			return len(ids[i]) < len(ids[j])
		}
		return ids[i] < ids[j]
	})
	fmt.Fprintf(b, "\n### %s: %s\n\n| row | proven by |\n|---|---|\n", prefix, subject)
	for _, id := range ids {
		fmt.Fprintf(b, "| %s | %s |\n", id, proof(p.attack[id], n.attacks[id]))
	}
}

// proof names the tests, three at the most, and the note.
func proof(tests []string, note string) string {
	const shown = 3
	more := ""
	if len(tests) > shown {
		more = fmt.Sprintf(" and %d more", len(tests)-shown)
		tests = tests[:shown]
	}
	named := make([]string, len(tests))
	for i, t := range tests {
		named[i] = "`" + t + "`"
	}
	text := strings.Join(named, "<br>") + more
	switch {
	case text == "":
		return note
	case note != "":
		return text + "<br>" + note
	}
	return text
}
