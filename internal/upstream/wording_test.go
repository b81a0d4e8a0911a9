package upstream_test

import (
	"net/http"
	"net/url"
	"testing"
)

// What is sent of a date is said to the day where a range begins or ends with it, and means
// what the app has asked.
//
// spec: RS-07
func TestDatesAreSentToTheDay(t *testing.T) {
	for asked, want := range map[string]string{
		"ge2020": "ge2020-01-01", "le2020": "le2020-12-31", "ge2020-06": "ge2020-06-01", "le2020-02": "le2020-02-29", "le2021-02": "le2021-02-28", "le2020-12": "le2020-12-31",
		"ge2020-06-01": "ge2020-06-01", "2020": "2020", "gt2020": "gt2020", "lt2020-06": "lt2020-06", "sa2020": "sa2020", "eb2020": "eb2020", "ne2020": "ne2020",
		"ge2020,le2010-01": "ge2020-01-01,le2010-01-31", "ge2020-06-01T10:00:00Z": "ge2020-06-01T10:00:00Z",
	} {
		var sent url.Values
		g := newGate(t, scripted(t, func(w http.ResponseWriter, r *http.Request) {
			sent = r.URL.Query()
			w.Header().Set("Content-Type", "application/fhir+json")
			_, _ = w.Write([]byte(`{"resourceType":"Bundle","type":"searchset"}`))
		}).URL+"/fhir")
		if _, err := find(t, g, patientToken("alice"), "Observation", "date="+asked); err != nil || sent.Get("date") != want {
			t.Errorf("%s was sent as %q (%v), want %q", asked, sent.Get("date"), err, want)
		}
	}
}
