package admin

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/chart"
	"github.com/emberlatch/emberlatch/internal/store"
)

// NewLaunch is the input of `emberlatch launch`.
type NewLaunch struct {
	Client      store.ClientID  `json:"client"`
	Patient     string          `json:"patient"`
	Encounter   string          `json:"encounter,omitempty"`
	User        string          `json:"user,omitempty"` // user name
	Intent      string          `json:"intent,omitempty"`
	Tenant      string          `json:"tenant,omitempty"`
	StyleURL    string          `json:"style_url,omitempty"`
	Banner      *bool           `json:"need_patient_banner,omitempty"`
	FHIRContext json.RawMessage `json:"fhirContext,omitempty"`
}

// launch starts an app from a chart, for whoever may open the socket. The engine
// records it (CTX-35).
func (d *Door) launch(r *http.Request) (int, any, error) {
	var in NewLaunch
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	started, err := d.deps.Starter.Start(r.Context(), "operator", chart.Request{
		Client: in.Client, Patient: in.Patient, Encounter: in.Encounter, Username: in.User, Intent: in.Intent, Tenant: in.Tenant,
		StyleURL: in.StyleURL, Banner: in.Banner, FHIRContext: in.FHIRContext,
	})
	var refused *chart.Refusal
	if errors.As(err, &refused) {
		return 0, nil, bad("%s", refused.Error())
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, started, nil
}
