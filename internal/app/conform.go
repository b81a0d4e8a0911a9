package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/conform"
	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/suite"
)

// Types of the checker that the command line prints.
type (
	ConformResult = conform.Result
	ConformReport = conform.Report
	ConformCheck  = suite.Check
)

// ConformOptions are the flags of `emberlatch conform run`.
type ConformOptions struct {
	Suites, Only []string
	// URL is the FHIR base; With the file that says what a run needs; DataDir the
	// folder of a sandbox, which is read when With is empty.
	URL, With, DataDir string
	Origins            []string
	Username, Password string
	PasswordFile       string
	// ByHand, if set, is where a human is told which URL to open.
	ByHand  io.Writer
	Timeout time.Duration
	Each    func(ConformResult)
	Before  func(n, of int, id string)
}

// Conform checks a server. An error says why nothing could be checked.
func Conform(ctx context.Context, o ConformOptions) (ConformReport, error) {
	with, err := o.with()
	if err != nil {
		return ConformReport{}, err
	}
	target, err := with.Target(os.Getenv)
	if err != nil {
		return ConformReport{}, err
	}
	if o.ByHand != nil {
		target.Person = agent.Manual{Out: o.ByHand}
	}
	return conform.Run(ctx, conform.Options{
		Suites: o.Suites, Only: o.Only, Target: target, Timeout: o.Timeout, Each: o.Each, Before: o.Before,
	})
}

// ConformChecks lists the checks of the suites.
func ConformChecks(suites ...string) []ConformCheck { return suite.Checks(suites...) }

// with is the file, or the sandbox, with the flags over it.
func (o ConformOptions) with() (w conform.With, err error) {
	switch {
	case o.With != "":
		w, err = conform.ReadWith(o.With)
	case o.URL == "":
		w, err = conform.ReadSandbox(o.DataDir)
	default:
		w, err = o.sandboxOf()
	}
	if err != nil {
		return w, err
	}
	if o.URL != "" {
		w.URL = o.URL
	}
	w.Origins = append(w.Origins, o.Origins...)
	if o.Username != "" {
		w.Person = conform.WithPerson{
			Username: o.Username, Password: o.Password, PasswordFile: o.PasswordFile,
			Patient: w.Person.Patient, OtherPatient: w.Person.OtherPatient, Fields: w.Person.Fields, Press: w.Person.Press,
		}
	}
	return w, nil
}

// sandboxOf reads the folder when its sandbox is the server that --url names. What a
// sandbox has written is never used at another server.
func (o ConformOptions) sandboxOf() (conform.With, error) {
	if _, err := os.Stat(filepath.Join(o.DataDir, "sandbox.json")); errors.Is(err, os.ErrNotExist) {
		return conform.With{}, nil
	}
	w, err := conform.ReadSandbox(o.DataDir)
	if err != nil {
		return w, fmt.Errorf("--data: %w", err)
	}
	if strings.TrimRight(w.URL, "/") != strings.TrimRight(o.URL, "/") {
		return conform.With{}, nil
	}
	return w, nil
}
