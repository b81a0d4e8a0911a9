package smart

import "encoding/json"

// LaunchContext is what an app is launched for; its members stand at the top
// level of the token response (SMART App Launch 2.2, scopes: launch context
// parameters). Patient and Encounter are bare logical ids.
type LaunchContext struct {
	Patient           string          `json:"patient,omitempty"`
	Encounter         string          `json:"encounter,omitempty"`
	NeedPatientBanner *bool           `json:"need_patient_banner,omitempty"`
	SmartStyleURL     string          `json:"smart_style_url,omitempty"`
	Intent            string          `json:"intent,omitempty"`
	Tenant            string          `json:"tenant,omitempty"`
	FHIRContext       json.RawMessage `json:"fhirContext,omitempty"`
}
