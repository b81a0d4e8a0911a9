package main

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type clientCommand struct {
	Add     clientAddCommand     `cmd:"" help:"Register an application from its metadata (RFC 7591). Example: emberlatch client add app.json --data .emberlatch"`
	List    clientListCommand    `cmd:"" help:"List the registered applications."`
	Secret  clientSecretCommand  `cmd:"" help:"Give an application a new secret; the old one works for the overlap."`
	Disable clientDisableCommand `cmd:"" help:"Stop an application everywhere; its access ends at once."`
}

type clientAddCommand struct {
	where
	File      string `arg:"" help:"Client metadata as JSON, or - for standard input."`
	Untrusted bool   `help:"Somebody else's app: an error is shown on a page that names where the app is, and the browser goes there only when the person follows the link."`
}

// Run registers the client and prints the registration response.
func (c *clientAddCommand) Run(s *session) error {
	path := "/clients"
	if c.Untrusted {
		path += "?untrusted"
	}
	return c.post(s, path, c.File)
}

type clientListCommand struct{ where }

// Run prints the clients.
func (c *clientListCommand) Run(s *session) error { return c.get(s, "/clients") }

type clientSecretCommand struct {
	where
	ID      string        `arg:"" help:"The client_id."`
	Overlap time.Duration `help:"How long the old secret goes on working." default:"24h" placeholder:"DURATION"`
}

// Run prints the new secret, once.
func (c *clientSecretCommand) Run(s *session) error {
	body := fmt.Sprintf(`{"overlap_seconds":%d}`, int64(c.Overlap.Seconds()))
	return c.send(s, http.MethodPost, "/clients/"+url.PathEscape(c.ID)+"/secret", []byte(body))
}

type clientDisableCommand struct {
	where
	ID string `arg:"" help:"The client_id."`
}

// Run disables the client.
func (c *clientDisableCommand) Run(s *session) error {
	return c.send(s, http.MethodPost, "/clients/"+url.PathEscape(c.ID)+"/disable", nil)
}

// post sends a file and prints the answer.
func (w where) post(s *session, path, file string) error {
	body, err := readInput(s, file)
	if err != nil {
		return err
	}
	return w.send(s, http.MethodPost, path, body)
}

func (w where) get(s *session, path string) error { return w.send(s, http.MethodGet, path, nil) }

func (w where) send(s *session, method, path string, body []byte) error {
	r, err := w.connect(s.ctx)
	if err != nil {
		return err
	}
	defer r.close()
	return r.call(s, method, path, body)
}
