package main

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

// proofs are the tests by row id.
type proofs struct {
	spec, attack map[string][]string
	unread       []string
}

var testName = regexp.MustCompile(`^func ((?:Test|Fuzz|Example)\w*)\(`)

// collect reads the tags of all tests. A tag belongs to the test below it, or,
// inside of a test, to that test. Scripts of other languages carry tags as well.
func collect(root string) (proofs, error) {
	p := proofs{spec: map[string][]string{}, attack: map[string][]string{}}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == ".git" || name == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, ".test.mjs") {
			return nil
		}
		short, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return p.read(path, filepath.ToSlash(short))
	})
	return p, err
}

func (p *proofs) read(path, short string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var waiting []string // tag lines above the next test
	current := ""
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := testName.FindStringSubmatch(line); m != nil {
			current = short + " " + m[1]
			for _, w := range waiting {
				p.tag(w, current)
			}
			waiting = nil
			continue
		}
		if m := tagLine.FindStringSubmatch(line); m != nil {
			switch {
			case strings.HasSuffix(short, ".mjs"):
				p.tag(line, short)
			case strings.HasPrefix(line, "//"):
				waiting = append(waiting, line)
			case current != "":
				p.tag(line, current)
			}
		}
	}
	return lines.Err()
}

func (p *proofs) tag(line, test string) {
	m := tagLine.FindStringSubmatch(line)
	ids, unread := expand(m[2])
	into := p.spec
	if m[1] == "attack" {
		into = p.attack
	}
	for _, id := range ids {
		if m := rowID.FindStringSubmatch(id); m[1] != "RT" && m[1] != "SCOPE" && attackPrefix(m[1]) && !known(id) {
			into = p.attack // a row of the attack catalogue under either tag
		}
		if list := into[id]; len(list) == 0 || list[len(list)-1] != test {
			into[id] = append(list, test)
			sort.Strings(into[id])
		}
	}
	for _, u := range unread {
		p.unread = append(p.unread, test+": "+u)
	}
}

// notes are the reasons and departures, by hand.
type notes struct {
	rows    map[string]string // id → why it is not done, or how it is met without a test
	attacks map[string]string // the same for rows of the attack catalogue
	text    string            // departures, as Markdown
}

// readNotes reads docs/conformance.txt: lines "ID[, ID …]: reason", with "attack "
// before the ids for rows of the attack catalogue, then, after a line of dashes,
// Markdown about departures.
func readNotes(path string) (notes, error) {
	n := notes{rows: map[string]string{}, attacks: map[string]string{}}
	raw, err := os.ReadFile(path)
	if err != nil {
		return n, err
	}
	head, tail, _ := strings.Cut(string(raw), "\n---\n")
	n.text = strings.TrimSpace(tail)
	for _, line := range strings.Split(head, "\n") {
		ids, reason, ok := strings.Cut(line, ": ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		into := n.rows
		if attacks, of := strings.CutPrefix(ids, "attack "); of {
			ids, into = attacks, n.attacks
		}
		list, unread := expand(ids)
		if len(unread) > 0 {
			return n, fmt.Errorf("%s: not a row: %s", path, strings.Join(unread, ", "))
		}
		for _, id := range list {
			into[id] = reason
		}
	}
	return n, nil
}
