package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"text/tabwriter"

	"github.com/emberlatch/emberlatch/internal/app"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Find out whether an event of the security record was changed, removed, inserted or moved. Exits with 1 if so."`
	Export auditExportCommand `cmd:"" help:"Print events as FHIR AuditEvents, one a line. Example: emberlatch audit export --since 2026-11-01T00:00:00Z"`
	Follow auditFollowCommand `cmd:"" help:"Print events as they happen, and keep the place: what was printed before the place was kept comes again, and nothing is left out. Example: emberlatch audit follow --place /var/lib/shipper/place"`
	Prune  auditPruneCommand  `cmd:"" help:"Remove the events of before a time. The rest can be verified as before."`
}

type auditVerifyCommand struct {
	where
	Head string `help:"The head that an earlier run printed: shows as well whether the end was cut off." placeholder:"PLACE:LINK"`
	JSON bool   `help:"Print JSON."`
}

var errNotAsWritten = errors.New("the security record is not as it was written")

// Run verifies, and prints the head and what was found.
func (c *auditVerifyCommand) Run(s *session) error {
	var r app.AuditReport
	answer, err := c.ask(s, http.MethodPost, "/audit/verify?"+url.Values{"head": {c.Head}}.Encode(), nil, &r)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s, answer)
	} else {
		err = printReport(s.stdout, r)
	}
	if err == nil && !r.OK {
		err = errNotAsWritten
	}
	return err
}

func printReport(out io.Writer, r app.AuditReport) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%s\tplace %d\tevent %d\n", f.What, f.Place, f.Seq)
	}
	if r.More {
		fmt.Fprintln(w, "and more")
	}
	fmt.Fprintf(w, "events\t%d\nhead\t%s\n", r.Events, r.Head)
	if r.Pruned > 0 {
		fmt.Fprintf(w, "pruned\tup to place %d\n", r.Pruned)
	}
	return w.Flush()
}

type auditExportCommand struct {
	where
	Since     string `help:"Events of this time and later." placeholder:"TIME"`
	Until     string `help:"Events before this time." placeholder:"TIME"`
	Emergency bool   `help:"Only what was done in an emergency (purpose of use BTG): records that were opened, and what was read because of that alone."`
}

func (c *auditExportCommand) query() url.Values {
	q := url.Values{"since": {c.Since}, "until": {c.Until}}
	if c.Emergency {
		q.Set("emergency", "true")
	}
	return q
}

// Run prints the export as it comes.
func (c *auditExportCommand) Run(s *session) (err error) {
	r, err := c.connect(s.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	resp, err := r.do(s.ctx, http.MethodGet, "/audit/export?"+c.query().Encode(), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		answer, err := io.ReadAll(resp.Body)
		return errors.Join(err, refusalOf(answer))
	}
	_, err = io.Copy(s.stdout, resp.Body)
	return err
}
