package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bug is a change of one file that a test must notice.
type bug struct {
	name, rows string
	file       string
	// old stands in the file exactly once; new takes its place.
	old, new string
	// needs is a package that new needs besides those that the file imports.
	needs  string
	suites []suite // in the order in which they are asked
}

// suite is a set of tests of one package.
type suite struct {
	name, dir string
	args      []string
}

var (
	// policy judges single resources; rows is the leak catalogue.
	policy = suite{"the policy's tests", "./access", random()}
	rows   = suite{"the catalogue", "./internal/testenv/catalogue", random()}
	// oracle compares the store with a second evaluator, writes what is stored.
	oracle  = suite{"the oracle", "./internal/fhirstore/fhirsql", random("-rapid.checks=25", "-run", "TestStoreAgreesWithTheOracle/sqlite|TestWhatIsHiddenChangesNoByte/sqlite")}
	writes  = suite{"the store's tests", "./internal/fhirstore/fhirsql", random("-rapid.checks=25", "-run", "Test/^sqlite")}
	doors   = suite{"the door's tests", "./internal/fhirapi", random("-rapid.checks=25")}
	gate    = suite{"the gateway's tests", "./internal/upstream", random("-rapid.checks=100")}
	results = suite{"the database's tests", "./internal/db", []string{"-run", "Rows|Values|BrokenOff"}}
	asked   = suite{"the tests of introspection", "./internal/introspect", nil}
	wire    = suite{"the connection's tests", "./internal/http1", nil}
	people  = suite{"the tests of reach", "./internal/reach", nil}
	// load revokes tokens under load at two processes, on PostgreSQL.
	load = suite{"the revocations", "./internal/testenv", []string{"-run", "TestNothingIsAnsweredASecond", "-revocations=60"}}
)

// random are the arguments of tests that draw cases: a finding is neither made small nor
// kept, since it was planted.
func random(more ...string) []string {
	return append([]string{"-rapid.nofailfile", "-rapid.shrinktime=1s"}, more...)
}

// planted is the text of the file with the bug in it.
func (b bug) planted(text string) (string, error) {
	if n := strings.Count(text, b.old); n != 1 {
		return "", fmt.Errorf("its text is in %s %d times", b.file, n)
	}
	text = strings.Replace(text, b.old, b.new, 1)
	if b.needs == "" {
		return text, nil
	}
	at := strings.Index(text, "\npackage ") + 1
	if strings.HasPrefix(text, "package ") {
		at = 0
	}
	end := at + strings.IndexByte(text[at:], '\n')
	return text[:end] + "\n\nimport " + fmt.Sprintf("%q", b.needs) + text[end:], nil
}

// plant runs the suites over an overlay, and says which one failed; "": none.
func (b bug) plant(root string) (by string, err error) {
	overlay, done, err := b.overlay(root)
	if err != nil {
		return "", err
	}
	defer done()
	if out, err := command(root, "build", "-overlay", overlay, "./"+filepath.Dir(b.file)); err != nil {
		return "", fmt.Errorf("it does not compile: %s", out)
	}
	for _, s := range b.suites {
		out, err := command(root, append([]string{"test", "-overlay", overlay, "-count=1", "-failfast", "-timeout=5m", s.dir}, s.args...)...)
		var exit *exec.ExitError
		switch {
		case err == nil && !bytes.Contains(out, []byte("ok")):
			return "", fmt.Errorf("%s: nothing ran: %s", s.name, out)
		case err == nil:
		case !errors.As(err, &exit) || bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
			return "", fmt.Errorf("%s cannot be run: %w: %s", s.name, err, out)
		default:
			return s.name, nil
		}
	}
	return "", nil
}

// overlay writes the file with the bug, and what tells the compiler to read it.
func (b bug) overlay(root string) (name string, done func(), err error) {
	path := filepath.Join(root, b.file)
	text, err := os.ReadFile(path)
	if err != nil {
		return "", nil, err
	}
	with, err := b.planted(string(text))
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "planted")
	if err != nil {
		return "", nil, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	file, list := filepath.Join(dir, "file.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {path: file}})
	if err == nil {
		err = errors.Join(os.WriteFile(file, []byte(with), 0o600), os.WriteFile(list, replace, 0o600))
	}
	return list, done, err
}

func command(root string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	return cmd.CombinedOutput()
}
