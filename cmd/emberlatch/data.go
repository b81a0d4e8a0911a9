package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/app"
)

type dataCommand struct {
	Load dataLoadCommand `cmd:"" help:"Load Bundles or NDJSON, gzip too. Example: emberlatch data load ./records --data .emberlatch"`
}

type dataLoadCommand struct {
	where
	Paths []string `arg:"" help:"Files or folders."`
	JSON  bool     `help:"Print the report as JSON."`
}

// loadReport is what all files together came to.
type loadReport struct {
	Stored    map[string]int `json:"stored"`
	Unchanged int            `json:"unchanged"`
	Failures  []string       `json:"failures"`
}

// Run loads every file and ends with status 1 if any resource failed.
func (c *dataLoadCommand) Run(s *session) error {
	files, err := recordFiles(c.Paths)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("no .json, .ndjson or .gz file there")
	}
	r, err := c.connect(s.ctx)
	if err != nil {
		return err
	}
	defer r.close()
	report := loadReport{Stored: map[string]int{}, Failures: []string{}}
	progress := newProgress(s.stderr)
	for i, file := range files {
		err := loadFile(s, r, file, &report, func(n int) {
			progress.show(fmt.Sprintf("%d/%d %s: %d", i+1, len(files), filepath.Base(file), n))
		})
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	progress.clear()
	return c.print(s, report)
}

func (c *dataLoadCommand) print(s *session, report loadReport) error {
	if c.JSON {
		enc := json.NewEncoder(s.stdout)
		enc.SetIndent("", "  ")
		if err := enc.Encode(report); err != nil {
			return err
		}
	} else {
		printCounts(s.stdout, report)
	}
	if len(report.Failures) > 0 {
		return errReported
	}
	return nil
}

func printCounts(w io.Writer, report loadReport) {
	types := make([]string, 0, len(report.Stored))
	total := 0
	for t, n := range report.Stored {
		types = append(types, t)
		total += n
	}
	sort.Strings(types)
	for _, t := range types {
		fmt.Fprintf(w, "%-28s %8d\n", t, report.Stored[t])
	}
	fmt.Fprintf(w, "%-28s %8d\n", "total", total)
	if report.Unchanged > 0 {
		fmt.Fprintf(w, "%-28s %8d\n", "unchanged", report.Unchanged)
	}
	for _, f := range report.Failures {
		fmt.Fprintln(w, "failed:", f)
	}
}

// loadFile streams one file to the server and follows its progress.
func loadFile(s *session, r *remote, file string, report *loadReport, progress func(int)) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	resp, err := r.do(s.ctx, http.MethodPost, "/data?name="+url.QueryEscape(filepath.Base(file)), f)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(resp.Body)
	for {
		var line app.LoadLine
		if err := dec.Decode(&line); err != nil {
			return fmt.Errorf("the server stopped answering: %w", err)
		}
		if !line.Done {
			progress(line.Stored)
			continue
		}
		for t, n := range line.Types {
			report.Stored[t] += n
		}
		report.Unchanged += line.Same
		for _, failure := range line.Failures {
			report.Failures = append(report.Failures, failure.Origin+": "+failure.Reason)
		}
		if line.Error != "" {
			return errors.New(line.Error)
		}
		return nil
	}
}

// recordFiles lists the files below the paths in a stable order.
func recordFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		err := filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			name := strings.TrimSuffix(p, ".gz")
			if p == path || strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".ndjson") {
				files = append(files, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// progress rewrites one line of a terminal; elsewhere it is silent.
type progress struct {
	w    io.Writer
	last time.Time
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{w: w}
}

func (p *progress) show(text string) {
	if p.w == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.w, "\r\033[K%s", text)
}

func (p *progress) clear() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\033[K")
	}
}
