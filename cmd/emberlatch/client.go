package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
)

type clientCommand struct {
	Add          clientAddCommand          `cmd:"" help:"Register an application from its metadata (RFC 7591). Example: emberlatch client add app.json --data .emberlatch"`
	List         clientListCommand         `cmd:"" help:"List the registered applications. Example: emberlatch client list --json"`
	Show         clientShowCommand         `cmd:"" help:"Show what an application has registered. Example: emberlatch client show Zk3vQ0yR8mT5uW1xA7bC9dEf"`
	Edit         clientEditCommand         `cmd:"" help:"Change members of the metadata; null takes one away. Example: echo '{\"emberlatch_checked\":true}' | emberlatch client edit Zk3vQ0yR8mT5uW1xA7bC9dEf -"`
	Queue        clientQueueCommand        `cmd:"" help:"List the apps that wait for you, with the day by which each has to be decided. Example: emberlatch client queue --overdue"`
	Ask          clientAskCommand          `cmd:"" help:"Ask the developer of a waiting app for a proof; they read it on their page. Example: emberlatch client ask Zk3vQ0yR8mT5uW1xA7bC9dEf --question \"Write to us from an address at app.example.org.\""`
	Approve      clientApproveCommand      `cmd:"" help:"Say that you know who makes a waiting app, and let it ask people. Example: emberlatch client approve Zk3vQ0yR8mT5uW1xA7bC9dEf"`
	Decline      clientDeclineCommand      `cmd:"" help:"Refuse a waiting app; its developer reads the reason. Example: emberlatch client decline Zk3vQ0yR8mT5uW1xA7bC9dEf --reason \"Nobody answers at the contact address.\""`
	Suspend      clientSuspendCommand      `cmd:"" help:"Stop an application everywhere at once, and tell its developer why. Example: emberlatch client suspend Zk3vQ0yR8mT5uW1xA7bC9dEf --reason \"It asks patients for their passwords.\""`
	Disable      clientDisableCommand      `cmd:"" help:"Stop an application everywhere; its access ends at once. Example: emberlatch client disable Zk3vQ0yR8mT5uW1xA7bC9dEf"`
	Enable       clientEnableCommand       `cmd:"" help:"Let a disabled application ask again; what ended stays ended. Example: emberlatch client enable Zk3vQ0yR8mT5uW1xA7bC9dEf"`
	Remove       clientRemoveCommand       `cmd:"" help:"Take an application away for good. Example: emberlatch client remove Zk3vQ0yR8mT5uW1xA7bC9dEf"`
	RotateSecret clientRotateSecretCommand `cmd:"" help:"Make another secret; the old one works beside it for a while. Example: emberlatch client rotate-secret Zk3vQ0yR8mT5uW1xA7bC9dEf --overlap 48h"`
	CheckJWKS    clientCheckJWKSCommand    `cmd:"" name:"check-jwks" help:"Fetch the keys of an application and say which are usable, and why others are not. Example: emberlatch client check-jwks Zk3vQ0yR8mT5uW1xA7bC9dEf"`
	Export       clientExportCommand       `cmd:"" help:"Write all applications, one a line, with hashes of secrets. Example: emberlatch client export > apps.ndjson"`
	Import       clientImportCommand       `cmd:"" help:"Take in what export wrote, all or nothing. Example: emberlatch client import apps.ndjson"`
	Token        clientTokenCommand        `cmd:"" help:"Tokens with which others may register applications (RFC 7591, initial access tokens)."`
}

// form is how an answer is printed.
type form struct {
	JSON bool `help:"Print JSON."`
}

// print shows an answer as JSON, or in a form for people.
func (f form) print(s *session, answer []byte, people func(w io.Writer) error) error {
	if f.JSON {
		return printJSON(s, answer)
	}
	return people(s.stdout)
}

type clientAddCommand struct {
	where
	File      string `arg:"" help:"Client metadata as JSON, or - for standard input."`
	Untrusted bool   `help:"Somebody else's app: an error is shown on a page that names where the app is, and the browser goes there only when the person follows the link."`
}

// Run registers the client and prints the registration response, in JSON always.
func (c *clientAddCommand) Run(s *session) error {
	path := "/clients"
	if c.Untrusted {
		path += "?untrusted"
	}
	return c.post(s, path, c.File)
}

// clientLine is a client in a list, see admin.
type clientLine struct {
	ID             string `json:"client_id"`
	Name           string `json:"client_name"`
	Method         string `json:"token_endpoint_auth_method"`
	Checked        bool   `json:"checked"`
	SelfRegistered bool   `json:"self_registered"`
	Disabled       bool   `json:"disabled"`
	State          string `json:"review_state"`
}

// state is where an app stands; that of a review says more.
func (l clientLine) state() string {
	switch {
	case l.State != "" && !(l.State == "enabled" && l.Disabled):
		return l.State
	case l.Disabled:
		return "disabled"
	}
	return "enabled"
}

// standing is what the approval page says of the app.
func (l clientLine) standing() string {
	switch {
	case l.Checked:
		return "checked"
	case l.SelfRegistered:
		return "registered itself"
	}
	return "registered by us"
}

type clientListCommand struct {
	where
	form
}

// Run prints the clients.
func (c *clientListCommand) Run(s *session) error {
	var list []clientLine
	answer, err := c.ask(s, http.MethodGet, "/clients", nil, &list)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "CLIENT ID\tNAME\tSTATE\tSTANDING\tAUTHENTICATES BY")
		for _, l := range list {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", l.ID, printable(l.Name), l.state(), l.standing(), l.Method)
		}
		return table.Flush()
	})
}

// clientID is the argument of commands about one client.
type clientID struct {
	where
	form
	ID string `arg:"" help:"The client_id."`
}

func (c clientID) path() string { return "/clients/" + url.PathEscape(c.ID) }

type clientShowCommand struct{ clientID }

// Run prints a client.
func (c *clientShowCommand) Run(s *session) error {
	var v clientView
	answer, err := c.ask(s, http.MethodGet, c.path(), nil, &v)
	if err != nil {
		return err
	}
	return c.print(s, answer, v.write)
}

// clientView is a client with all that is registered, see admin.
type clientView struct {
	Revision       int64          `json:"revision"`
	Registration   map[string]any `json:"registration"`
	Disabled       bool           `json:"disabled"`
	SelfRegistered bool           `json:"self_registered"`
	RegisteredWith string         `json:"registered_with"`
	Review         *reviewView    `json:"review"`
	Secrets        []struct {
		CreatedAt time.Time `json:"created_at"`
		ExpiresAt time.Time `json:"expires_at"`
		Expired   bool      `json:"expired"`
	} `json:"secrets"`
	Changed []string `json:"changed"`
}

// write shows members in the order of their names, ours behind.
func (v clientView) write(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	checked, _ := v.Registration["emberlatch_checked"].(bool)
	line := clientLine{Disabled: v.Disabled, SelfRegistered: v.SelfRegistered, Checked: checked}
	if v.Review != nil {
		line.State = v.Review.State
	}
	fmt.Fprintf(table, "state\t%s\nstanding\t%s\n", line.state(), line.standing())
	v.Review.write(table)
	if v.RegisteredWith != "" {
		fmt.Fprintf(table, "registered with\t%s\n", v.RegisteredWith)
	}
	for _, name := range sorted(v.Registration) {
		fmt.Fprintf(table, "%s\t%s\n", name, words(v.Registration[name]))
	}
	for _, secret := range v.Secrets {
		fmt.Fprintf(table, "secret\tof %s, %s\n", date(secret.CreatedAt), ends(secret.ExpiresAt, secret.Expired))
	}
	return table.Flush()
}

type clientEditCommand struct {
	clientID
	File string `arg:"" help:"Members to change as JSON, or - for standard input."`
}

// Run changes a client and prints what changed.
func (c *clientEditCommand) Run(s *session) error {
	raw, err := readInput(s, c.File)
	if err != nil {
		return err
	}
	var v clientView
	answer, err := c.ask(s, http.MethodPatch, c.path(), raw, &v)
	if err != nil {
		return inFile(err, c.File)
	}
	return c.print(s, answer, func(w io.Writer) error {
		if len(v.Changed) == 0 {
			_, err := fmt.Fprintln(w, "nothing changed")
			return err
		}
		_, err := fmt.Fprintf(w, "changed: %s\nwhat was given to it before stays given; see emberlatch grant revoke --client %s\n", strings.Join(v.Changed, ", "), c.ID)
		return err
	})
}

type clientDisableCommand struct{ clientID }

// Run disables the client.
func (c *clientDisableCommand) Run(s *session) error {
	return c.switchTo(s, "/disable", "is stopped everywhere, and its access has ended")
}

type clientEnableCommand struct{ clientID }

// Run enables the client.
func (c *clientEnableCommand) Run(s *session) error {
	return c.switchTo(s, "/enable", "may ask again; people approve it anew")
}

func (c clientID) switchTo(s *session, action, sentence string) error {
	var l clientLine
	answer, err := c.ask(s, http.MethodPost, c.path()+action, nil, &l)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s (%s) %s\n", printable(l.Name), l.ID, sentence)
		return err
	})
}

type clientRemoveCommand struct{ clientID }

// Run removes the client.
func (c *clientRemoveCommand) Run(s *session) error {
	answer, err := c.ask(s, http.MethodDelete, c.path(), nil, nil)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s is removed, and its access has ended\n", c.ID)
		return err
	})
}

type clientRotateSecretCommand struct {
	clientID
	Overlap time.Duration `help:"How long the old secret works beside the new one." default:"24h"`
	Life    time.Duration `help:"How long the new secret works; without it, it does not end." placeholder:"DURATION"`
}

// Run makes another secret and prints it once.
func (c *clientRotateSecretCommand) Run(s *session) error {
	in, err := json.Marshal(map[string]int64{"overlap_seconds": int64(c.Overlap.Seconds()), "life_seconds": int64(c.Life.Seconds())})
	if err != nil {
		return err
	}
	var out struct {
		Secret   string `json:"client_secret"`
		Expires  int64  `json:"client_secret_expires_at"`
		Previous int64  `json:"previous_secret_expires_at"`
	}
	answer, err := c.ask(s, http.MethodPost, c.path()+"/secret", in, &out)
	if err != nil {
		return err
	}
	return c.print(s, answer, func(w io.Writer) error {
		fmt.Fprintf(w, "new secret, shown once: %s\n", out.Secret)
		if out.Expires > 0 {
			fmt.Fprintf(w, "it %s\n", ends(time.Unix(out.Expires, 0), false))
		}
		if out.Previous > 0 {
			fmt.Fprintf(w, "the one before %s\n", ends(time.Unix(out.Previous, 0), false))
		}
		return nil
	})
}
