package main

import (
	"encoding/json"
	"net/http"
)

type grantCommand struct {
	Revoke grantRevokeCommand `cmd:"" help:"End access at once. Example: emberlatch grant revoke --user maria --client C85533AE-E3A4-455C-BE5C-DAC0F695408F"`
}

type grantRevokeCommand struct {
	where
	Grant   string `help:"One grant." placeholder:"ID" json:"grant"`
	Client  string `help:"All grants of an application." placeholder:"CLIENT_ID" json:"client"`
	User    string `help:"All grants of a person." placeholder:"USERNAME" json:"user"`
	Patient string `help:"All grants for a patient's record." placeholder:"ID" json:"patient"`
	Reason  string `help:"Why, for the record." json:"reason"`
}

// Run revokes and prints how many grants ended.
func (c *grantRevokeCommand) Run(s *session) error {
	body, err := json.Marshal(map[string]string{
		"grant": c.Grant, "client": c.Client, "user": c.User, "patient": c.Patient, "reason": c.Reason,
	})
	if err != nil {
		return err
	}
	answer, err := c.ask(s, http.MethodPost, "/grants/revoke", body, nil)
	if err != nil {
		return err
	}
	return printJSON(s, answer)
}
