package main

import (
	"net/http"
	"net/url"
)

type userCommand struct {
	Add     userAddCommand     `cmd:"" help:"Make an account. Example: emberlatch user add ana.json, with {\"username\":\"ana\",\"password\":\"…\",\"role\":\"patient\",\"fhirUser\":\"Patient/1\"}"`
	Disable userDisableCommand `cmd:"" help:"End an account: its sessions and the access of all its apps end at once."`
}

type userAddCommand struct {
	where
	File        string `arg:"" help:"The account as JSON, or - for standard input."`
	RecordLater bool   `help:"The record that fhirUser names is not loaded yet. Without this a record that is missing is a mistake."`
}

// Run makes the account and prints it without its password.
func (c *userAddCommand) Run(s *session) error {
	path := "/users"
	if c.RecordLater {
		path += "?record-later"
	}
	return c.post(s, path, c.File)
}

type userDisableCommand struct {
	where
	Name string `arg:"" help:"The user name."`
}

// Run disables the account.
func (c *userDisableCommand) Run(s *session) error {
	answer, err := c.ask(s, http.MethodPost, "/users/"+url.PathEscape(c.Name)+"/disable", nil, nil)
	if err != nil {
		return err
	}
	return printJSON(s, answer)
}
