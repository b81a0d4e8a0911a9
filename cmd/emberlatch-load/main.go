package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == bareArgument {
		serveBare(os.Args[2])
		return
	}
	binary := flag.String("binary", "bin/emberlatch", "the built server")
	seconds := flag.Float64("seconds", 2, "how long each figure is measured")
	postgres := flag.String("postgres", os.Getenv("EMBERLATCH_TEST_POSTGRES"), "URL of an empty PostgreSQL database; without it only SQLite is measured")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	if err := run(*binary, *postgres, time.Duration(*seconds*float64(time.Second)), *asJSON); err != nil {
		fmt.Fprintln(os.Stderr, "emberlatch-load:", err)
		os.Exit(1)
	}
}

func run(binary, postgres string, each time.Duration, asJSON bool) error {
	dir, err := os.MkdirTemp("", "emberlatch-load-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := &measuring{each: each, client: loadClient(), dir: dir, progress: !asJSON}
	if err := m.signing(); err != nil {
		return err
	}
	if err := m.verifying(); err != nil {
		return err
	}
	if err := m.sqlite(binary); err != nil {
		return fmt.Errorf("on SQLite: %w", err)
	}
	if postgres != "" {
		if err := m.postgres(binary, postgres); err != nil {
			return fmt.Errorf("on PostgreSQL: %w", err)
		}
	}
	return m.report(asJSON)
}

// figure is one measured rate beside its ceiling.
type figure struct {
	Name    string  `json:"name"`
	Callers int     `json:"callers"`
	Rate    float64 `json:"per_second"`
	Ceiling float64 `json:"ceiling_per_second,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"`
	Against string  `json:"against,omitempty"`
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
	fmt.Printf("\n%-40s %8s %10s %10s %7s  %s\n", "", "callers", "per s", "ceiling", "ratio", "against")
	for _, f := range m.figures {
		if f.Ceiling == 0 {
			fmt.Printf("%-40s %8d %10.0f\n", f.Name, f.Callers, f.Rate)
			continue
		}
		fmt.Printf("%-40s %8d %10.0f %10.0f %7.2f  %s\n", f.Name, f.Callers, f.Rate, f.Ceiling, f.Ratio, f.Against)
	}
	return nil
}
