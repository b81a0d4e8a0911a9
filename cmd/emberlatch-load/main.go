package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"time"
)

func main() {
	if len(os.Args) == 3 {
		if part, known := parts[os.Args[1]]; known {
			exitOn(play(part, os.Args[2]))
			return
		}
	}
	binary := flag.String("binary", "bin/emberlatch", "the built server")
	seconds := flag.Float64("seconds", 2, "how long each figure is measured")
	postgres := flag.String("postgres", os.Getenv("EMBERLATCH_TEST_POSTGRES"), "URL of an empty PostgreSQL database; without it only SQLite is measured")
	asJSON := flag.Bool("json", false, "print JSON")
	only := flag.String("only", "", "measure one part: ceilings, sqlite, postgres or gateway")
	rows := flag.String("rows", "", "measure those figures only whose name this matches, for example '^refresh'")
	flag.Parse()
	matching, err := regexp.Compile(*rows)
	exitOn(err)
	exitOn(run(what{*binary, *postgres, *only, matching, time.Duration(*seconds * float64(time.Second)), *asJSON}))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "emberlatch-load:", err)
		os.Exit(1)
	}
}

// what is measured.
type what struct {
	binary, postgres, only string
	rows                   *regexp.Regexp
	each                   time.Duration
	asJSON                 bool
}

// section is a part that can be asked for by itself.
type section struct {
	name, on string
	measure  func(m *measuring, w what) error
}

var sections = []section{
	{"ceilings", "the ceilings", func(m *measuring, _ what) error { return errors.Join(m.signing(), m.verifying()) }},
	{"sqlite", "on SQLite", func(m *measuring, w what) error { return m.sqlite(w.binary) }},
	{"postgres", "on PostgreSQL", func(m *measuring, w what) error { return m.postgres(w.binary, w.postgres) }},
	{"gateway", "in front of an upstream", func(m *measuring, w what) error { return m.gateway(w.binary) }},
}

// wanted reports whether a section is measured; the ceilings are needed by others.
func (w what) wanted(s section) bool {
	switch {
	case s.name == "postgres" && w.postgres == "":
		return false
	case w.only == "" || w.only == s.name:
		return true
	}
	return s.name == "ceilings" && w.only != "gateway"
}

func run(w what) error {
	if w.only != "" && !slices.ContainsFunc(sections, func(s section) bool { return s.name == w.only }) {
		return fmt.Errorf("--only %s: there are ceilings, sqlite, postgres and gateway", w.only)
	}
	dir, err := os.MkdirTemp("", "emberlatch-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := &measuring{each: w.each, rows: w.rows, client: loadClient(), dir: dir, progress: !w.asJSON}
	for _, s := range sections {
		if !w.wanted(s) {
			continue
		}
		if err := s.measure(m, w); err != nil {
			return fmt.Errorf("%s: %w", s.on, err)
		}
	}
	return m.report(w.asJSON)
}

// figure is one measured rate beside its ceiling.
type figure struct {
	Name    string  `json:"name"`
	Callers int     `json:"callers"`
	Rate    float64 `json:"per_second"`
	Ceiling float64 `json:"ceiling_per_second,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"`
	Against string  `json:"against,omitempty"`
	// Processor is what one call takes of the server's processor time; 0: not known.
	Processor time.Duration `json:"processor_ns,omitempty"`
}

// fact is a measurement that is not a rate.
type fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (m *measuring) report(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"cores": runtime.NumCPU(), "figures": m.figures, "facts": m.facts})
	}
	fmt.Printf("\n%d cores, shared by server and client\n\n", runtime.NumCPU())
	for _, f := range m.facts {
		fmt.Printf("%-40s %s\n", f.Name, f.Value)
	}
	fmt.Printf("\n%-40s %8s %10s %10s %7s %10s  %s\n", "", "callers", "per s", "ceiling", "ratio", "processor", "against")
	for _, f := range m.figures {
		if f.Ceiling == 0 {
			fmt.Printf("%-40s %8d %10.0f\n", f.Name, f.Callers, f.Rate)
			continue
		}
		took := ""
		if f.Processor > 0 {
			took = f.Processor.Round(time.Microsecond).String()
		}
		fmt.Printf("%-40s %8d %10.0f %10.0f %7.2f %10s  %s\n", f.Name, f.Callers, f.Rate, f.Ceiling, f.Ratio, took, f.Against)
	}
	return nil
}
