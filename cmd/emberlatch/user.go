package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

type userCommand struct {
	Add          userAddCommand          `cmd:"" help:"Make an account. Example: emberlatch user add ana.json, with {\"username\":\"ana\",\"password\":\"…\",\"role\":\"patient\",\"fhirUser\":\"Patient/1\"}"`
	SetPassword  userSetPasswordCommand  `cmd:"" help:"Give an account another password. All its sessions end; its apps go on until grant revoke ends them."`
	Recover      userRecoverCommand      `cmd:"" help:"Make a code by which the person chooses another password. Example: emberlatch user recover ana"`
	RemoveFactor userRemoveFactorCommand `cmd:"" help:"Take away a second factor that was lost. All sessions of the account end; find out who asks before you do it."`
	Represent    userRepresentCommand    `cmd:"" help:"Say for whom an account stands. Example: emberlatch user represent ana Patient/leo --relationship child"`
	Disable      userDisableCommand      `cmd:"" help:"End an account: its sessions and the access of all its apps end at once."`
}

type userAddCommand struct {
	where
	File        string `arg:"" help:"The account as JSON, or - for standard input."`
	RecordLater bool   `help:"A record that fhirUser or represents names is not loaded yet. Without this a record that is missing is a mistake."`
}

// Run makes the account and prints it without its password.
func (c *userAddCommand) Run(s *session) error {
	path := "/users"
	if c.RecordLater {
		path += "?record-later"
	}
	return c.post(s, path, c.File)
}

type userRepresentCommand struct {
	where
	Name         string `arg:"" help:"The user name."`
	Patient      string `arg:"" help:"The patient, as Patient/leo."`
	Relationship string `help:"What they are to the account: child, parent, spouse, guardian or power-of-attorney. For a child it ends when the child comes of age." placeholder:"WORD"`
	Until        string `help:"The first day without, as 2031-04-02." placeholder:"DAY"`
	End          bool   `help:"It stands for them no more; what apps read for them ends with the next request."`
	RecordLater  bool   `help:"The patient is not loaded yet."`
}

// Run says it, and prints for whom the account stands now.
func (c *userRepresentCommand) Run(s *session) error {
	path, method := "/users/"+url.PathEscape(c.Name)+"/represents", http.MethodPost
	body, err := json.Marshal(map[string]string{"patient": c.Patient, "relationship": c.Relationship, "until": c.Until})
	if err != nil {
		return err
	}
	switch {
	case c.End && c.Relationship+c.Until != "":
		return errors.New("--end takes neither --relationship nor --until")
	case c.End:
		path, method, body = path+"/"+url.PathEscape(strings.TrimPrefix(c.Patient, "Patient/")), http.MethodDelete, nil
	case c.RecordLater:
		path += "?record-later"
	}
	answer, err := c.ask(s, method, path, body, nil)
	if err != nil {
		return err
	}
	return printJSON(s, answer)
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

type userSetPasswordCommand struct {
	where
	Name  string `arg:"" help:"The user name."`
	Stdin bool   `help:"Read the password from standard input, one line. Without this one is made and printed, once."`
}

// Run sets the password; a generated one is printed with the account.
func (c *userSetPasswordCommand) Run(s *session) error {
	password := ""
	if c.Stdin {
		var err error
		if password, err = lineOf(s.stdin); err != nil {
			return err
		}
	}
	body, err := json.Marshal(map[string]string{"password": password})
	if err != nil {
		return err
	}
	answer, err := c.ask(s, http.MethodPost, "/users/"+url.PathEscape(c.Name)+"/password", body, nil)
	if err != nil {
		return err
	}
	return printJSON(s, answer)
}

type userRemoveFactorCommand struct {
	where
	Name string `arg:"" help:"The user name."`
}

// Run removes the second factor.
func (c *userRemoveFactorCommand) Run(s *session) error {
	answer, err := c.ask(s, http.MethodDelete, "/users/"+url.PathEscape(c.Name)+"/factor", nil, nil)
	if err != nil {
		return err
	}
	return printJSON(s, answer)
}

// maxLine bounds what is read as a password, in bytes.
const maxLine = 4 << 10

// lineOf reads one line; an empty one is a mistake, since it would have a password made.
func lineOf(r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxLine+1))
	if err != nil {
		return "", err
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if line == "" || len(line) > maxLine || strings.ContainsAny(line, "\r\n") {
		return "", errors.New("standard input: one line with the password is needed")
	}
	return line, nil
}
