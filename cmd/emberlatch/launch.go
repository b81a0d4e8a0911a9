package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

type launchCommand struct {
	where
	Client      string `arg:"" help:"The client_id of the application."`
	Patient     string `required:"" help:"The patient whose chart is open." placeholder:"ID"`
	Encounter   string `help:"The visit that is open." placeholder:"ID"`
	User        string `help:"Who has to sign in; anybody with that chart if left out." placeholder:"NAME"`
	Intent      string `help:"What the application is to do, such as reconcile-medications." placeholder:"TEXT"`
	Tenant      string `help:"An opaque name of the organisation." placeholder:"TEXT"`
	StyleURL    string `help:"A style document in place of our own." placeholder:"URL"`
	Banner      string `help:"Whether the application has to show who the patient is: true or false; true if left out." enum:",true,false" default:"" placeholder:"BOOL"`
	FHIRContext string `help:"What else is open, as a JSON array (SMART fhirContext)." placeholder:"JSON"`
	JSON        bool   `help:"Print the URL, its parameters and how long they are good as JSON."`
}

// Help shows one real example below the flags.
func (launchCommand) Help() string {
	return "Example: emberlatch launch emberlatch-sample-app --patient maria --user chen"
}

// Run makes a launch and prints the URL that an EHR would open.
func (c *launchCommand) Run(s *session) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	var made struct {
		LaunchURL string `json:"launch_url"`
	}
	answer, err := c.ask(s, http.MethodPost, "/launches", body, &made)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s, answer)
	}
	_, err = fmt.Fprintln(s.stdout, made.LaunchURL)
	return err
}

// body is what the server is asked for; what was left out is not in it.
func (c *launchCommand) body() ([]byte, error) {
	in := map[string]any{"client": c.Client, "patient": c.Patient}
	for name, value := range map[string]string{
		"encounter": c.Encounter, "user": c.User, "intent": c.Intent, "tenant": c.Tenant, "style_url": c.StyleURL,
	} {
		if value != "" {
			in[name] = value
		}
	}
	if c.Banner != "" {
		in["need_patient_banner"] = c.Banner == "true"
	}
	if c.FHIRContext != "" {
		if !json.Valid([]byte(c.FHIRContext)) {
			return nil, errors.New("--fhir-context: not JSON")
		}
		in["fhirContext"] = json.RawMessage(c.FHIRContext)
	}
	return json.Marshal(in)
}
