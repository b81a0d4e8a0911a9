package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set at build time with -ldflags "-X main.version=…".
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// commands is the whole command line.
type commands struct {
	Dev       devCommand       `cmd:"" help:"Run a complete sandbox on this machine: authorization server, FHIR store, sample people and a sample app."`
	Serve     serveCommand     `cmd:"" help:"Run the server with a configuration file."`
	Client    clientCommand    `cmd:"" help:"Register and manage applications."`
	User      userCommand      `cmd:"" help:"Make accounts for people."`
	Data      dataCommand      `cmd:"" help:"Bring FHIR records in."`
	Grant     grantCommand     `cmd:"" help:"End the access of applications."`
	Emergency emergencyCommand `cmd:"" help:"Review and end the records that were opened in an emergency."`
	Key       keyCommand       `cmd:"" help:"Rotate the signing keys, and change what they are sealed under."`
	Trust     trustCommand     `cmd:"" help:"Show the other servers whose tokens are answered for."`
	Audit     auditCommand     `cmd:"" help:"Verify and export the security record."`
	Explain   explainCommand   `cmd:"" help:"Say why a request to the FHIR API is let through or not, from the token to the row."`
	Launch    launchCommand    `cmd:"" help:"Start an application from a patient's chart, as an EHR does: prints the URL to open."`
	Conform   conformCommand   `cmd:"" help:"Check whether a SMART server, this one or any other, keeps the specifications."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// session is what every command gets: its context and its three streams.
type session struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// run is main without the process: tests call it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var cmd commands
	exit := -1
	parser, err := kong.New(&cmd,
		kong.Name("emberlatch"),
		kong.Description("Access to health records for the apps that people choose: SMART on FHIR."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code }),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "emberlatch:", err)
		return 2
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // help was printed
		return exit
	}
	if err != nil {
		fmt.Fprintln(stderr, "emberlatch:", err)
		fmt.Fprintln(stderr, "See: emberlatch --help")
		return 2
	}
	err = parsed.Run(&session{ctx, stdin, stdout, stderr})
	switch {
	case err == nil, errors.Is(err, context.Canceled):
		return 0
	case errors.Is(err, errReported):
		return 1
	}
	fmt.Fprintln(stderr, "emberlatch:", err)
	if errors.As(err, &couldNotRun{}) {
		return 2
	}
	return 1
}

// errReported ends a command with status 1 after it has said why.
var errReported = errors.New("reported")

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(s *session) error {
	_, err := fmt.Fprintln(s.stdout, "emberlatch", version)
	return err
}
