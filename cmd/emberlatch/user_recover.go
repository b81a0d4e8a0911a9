package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type userRecoverCommand struct {
	where
	Name           string `arg:"" help:"The user name."`
	Hours          int    `help:"How long the code is good, at most 336." default:"24" placeholder:"N"`
	DisconnectApps bool   `help:"All apps of the account lose their access when the code is used, whatever the person ticks: for a stolen device."`
	JSON           bool   `help:"Print the code, the page and the end as JSON."`
}

// Run makes a code and prints it, once.
func (c *userRecoverCommand) Run(s *session) error {
	if c.Hours < 1 {
		return fmt.Errorf("--hours: %d is not 1 or more", c.Hours)
	}
	body, err := json.Marshal(map[string]any{"hours": c.Hours, "disconnectApps": c.DisconnectApps})
	if err != nil {
		return err
	}
	var made struct {
		Username, Code, Page string
		Expires              time.Time
		DisconnectApps       bool
	}
	answer, err := c.ask(s, http.MethodPost, "/users/"+url.PathEscape(c.Name)+"/recover", body, &made)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, answer)
	}
	apps := "go on, unless the person disconnects them"
	if made.DisconnectApps {
		apps = "are all disconnected when it is used"
	}
	_, err = fmt.Fprintf(s.stdout, `Recovery code for %s: %s
Page:  %s
Good:  once, until %s; a code from before is good no more
Apps:  %s
Hand it to the person by a way that you know to be theirs: it is not shown again.
`, printable(made.Username), made.Code, made.Page, date(made.Expires), apps)
	return err
}
