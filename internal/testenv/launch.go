package testenv

import (
	"net/http"
	"net/url"
)

// EHR is the client of the sandbox that may start other apps from a chart.
const EHR = "sandbox-confidential"

// Launch starts an app from the chart of a patient, as an EHR does; pairs are
// further parameters.
func (e *Env) Launch(client, patient string, pairs ...string) Answer {
	e.t.Helper()
	form := url.Values{"client": {client}, "patient": {patient}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return e.Client(EHR).Post("/launch", form)
}

// Launched is the request of an app that was started from the chart of a patient.
func (c *Client) Launched(scope, patient string, pairs ...string) Request {
	c.t.Helper()
	a := c.env.Launch(c.ID, patient, pairs...)
	if a.Status != http.StatusOK {
		c.t.Fatalf("launch: %d %s", a.Status, a.Raw)
	}
	return c.Request(scope, "launch", a.String("launch"))
}

// VisitApp opens an address of the sample app without cookies and does not follow it.
func (e *Env) VisitApp(address string) Answer {
	e.t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.Send(req)
}
