package fhirapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// little offers Patients by name, Observations to read only, and nothing else.
type little struct{}

func (little) Holds(t fhir.ResourceType) bool     { return t == "Patient" || t == "Observation" }
func (little) Searches(t fhir.ResourceType) bool  { return t == "Patient" }
func (little) CreatesOnce(fhir.ResourceType) bool { return false }
func (little) Does(t fhir.ResourceType, code fhir.InteractionCode) bool {
	return code == fhir.Read || code == fhir.VRead || code == fhir.Update && t == "Patient" || code == fhir.SearchType && t == "Patient"
}
func (little) Declares(t fhir.ResourceType, code string) bool {
	return code == "name" || code == "link"
}

// The CapabilityStatement promises what the server that holds the records offers, and
// follows it; while nobody can say, it is not there.
//
// spec: DISC-30, RS-23
// attack: B.94
func TestACapabilityWithinLimits(t *testing.T) {
	var failed error
	door, err := fhirapi.New(fhirapi.Deps{
		Base: base, Path: "/fhir", Subjects: tokens{}, Backend: failing{}, PageKey: make([]byte, 32), Now: time.Now, Log: slog.New(slog.DiscardHandler),
		CapabilityNow: func(context.Context) ([]byte, error) {
			if failed != nil {
				return nil, failed
			}
			return fhirapi.NewCapability(base, fhirapi.OAuthURIs{}, little{})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{door: door}
	got := s.get(t, "", "/metadata")
	var c struct {
		Rest []struct {
			Resource []struct {
				Type                            string
				Versioning                      string
				ConditionalCreate               bool
				ConditionalUpdate               bool
				ReadHistory                     bool
				Interaction                     []struct{ Code string }
				SearchParam                     []struct{ Name string }
				SearchInclude, SearchRevInclude []string
			}
		}
	}
	if err := json.Unmarshal([]byte(got.body), &c); err != nil || got.status != http.StatusOK || got.header.Get("ETag") == "" {
		t.Fatalf("%d %v", got.status, err)
	}
	list := c.Rest[0].Resource
	// AuditEvent is the server's own, whatever stands behind it.
	if len(list) != 3 || list[0].Type != "AuditEvent" || list[1].Type != "Observation" || list[2].Type != "Patient" {
		t.Fatalf("%+v", list)
	}
	list = list[1:]
	if o := list[0]; len(o.Interaction) != 2 || o.Versioning != "versioned" || o.ConditionalUpdate || o.ReadHistory || len(o.SearchParam)+len(o.SearchInclude)+len(o.SearchRevInclude) != 0 {
		t.Errorf("Observation: %+v", o)
	}
	p := list[1]
	if len(p.Interaction) != 4 || p.Versioning != "versioned-update" || p.ConditionalCreate || !p.ConditionalUpdate || p.ReadHistory || len(p.SearchParam) != 2 || !slices.Equal(p.SearchRevInclude, []string{"Patient:link"}) {
		t.Errorf("Patient: %+v", p)
	}
	if again := s.get(t, "", "/metadata", "If-None-Match", got.header.Get("ETag")); again.status != http.StatusNotModified {
		t.Errorf("unchanged: %d", again.status)
	}
	failed = &fhirstore.Failure{Status: http.StatusServiceUnavailable, Cause: errors.New("it is down")}
	s.door, s.log = door, nil
	if got := s.get(t, "", "/metadata"); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("nobody can say: %d %s", got.status, got.body)
	}
}
