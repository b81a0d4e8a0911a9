package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/emberlatch/emberlatch/internal/app"
)

type explainCommand struct {
	where
	Token  string `help:"The access token of the app; - reads it from standard input." required:"" placeholder:"TOKEN" env:"EMBERLATCH_TOKEN"`
	JSON   bool   `help:"Print JSON."`
	Method string `arg:"" help:"GET, POST, …"`
	Path   string `arg:"" help:"Path below the FHIR base, or the whole URL. Example: Observation/1"`
}

// Run replays the request and prints each step.
func (c *explainCommand) Run(s *session) error {
	token := c.Token
	if token == "-" {
		piped, err := io.ReadAll(io.LimitReader(s.stdin, 64<<10))
		if err != nil {
			return err
		}
		token = strings.TrimSpace(string(piped))
	}
	body, err := json.Marshal(map[string]string{"token": token, "method": strings.ToUpper(c.Method), "path": c.Path})
	if err != nil {
		return err
	}
	var x app.Explanation
	answer, err := c.ask(s, http.MethodPost, "/explain", body, &x)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, answer)
	}
	return printExplanation(s.stdout, x)
}

func printExplanation(out io.Writer, x app.Explanation) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, step := range x.Steps {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", step.Step, map[bool]string{true: "yes", false: "no"}[step.OK], step.Reason, step.Text)
	}
	for _, scope := range x.Scopes {
		fmt.Fprintf(w, "  %s\t%s\t%s (%d)\t%s\n", scope.Scope, map[bool]string{true: "covers", false: "-"}[scope.Covers], scope.Reaches, scope.Patients, scope.Text)
	}
	if len(x.Owners) > 0 {
		fmt.Fprintf(w, "about\t\t\t%s\n", strings.Join(x.Owners, ", "))
	}
	for _, id := range slices.Sorted(maps.Keys(x.ReachedBy)) {
		fmt.Fprintf(w, "reached by\t\t\t%s: %s\n", id, strings.Join(x.ReachedBy[id], ", "))
	}
	if len(x.Sensitive) > 0 {
		fmt.Fprintf(w, "sensitive\t\t\t%s\n", strings.Join(x.Sensitive, ", "))
	}
	if x.Client != "" {
		fmt.Fprintf(w, "caller\t\t\tclient %s, user %s, patient in context %s\n", x.Client, orNone(x.User), orNone(x.Patient))
	}
	fmt.Fprintf(w, "answer\t%d\t%s\t\n", x.Status, x.Reason)
	return w.Flush()
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}
