package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The canned upstream has what is asked for, and what the gateway needs to start.
func TestCannedUpstream(t *testing.T) {
	h, err := cannedUpstream("")
	if err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{
		"/fhir/metadata": "CapabilityStatement", "/fhir/Patient/" + patientID: "Patient", "/fhir/Observation/load-value-1": "Observation", "/fhir/Observation?_count=50": "Bundle",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		var got struct {
			ResourceType string            `json:"resourceType"`
			Entry        []json.RawMessage `json:"entry"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK || got.ResourceType != kind {
			t.Errorf("%s: %d, a %s (%v)", path, w.Code, got.ResourceType, err)
		}
		if kind == "Bundle" && len(got.Entry) != 50 {
			t.Errorf("a page of %d", len(got.Entry))
		}
	}
}

// Who waits behind a slow answer is late as well.
func TestLate(t *testing.T) {
	m := &measuring{each: 100 * time.Millisecond}
	stalled := time.Now().Add(100 * time.Millisecond)
	got, err := m.late(1000, func(int) error { time.Sleep(time.Until(stalled)); return nil })
	if err != nil || got.p99 < 80*time.Millisecond || got.median > got.p99 {
		t.Errorf("after a stall of 100 ms: %+v, %v", got, err)
	}
	if _, err := m.late(1000, func(int) error { return errors.New("no") }); err == nil {
		t.Error("an error is not told")
	}
}

// nginx takes its configuration, where it is installed.
func TestNginxConfig(t *testing.T) {
	path, err := exec.LookPath("nginx")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("make setup installs nginx")
	}
	if err != nil {
		t.Skip("nginx is not installed")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(nginxConfig(dir, "127.0.0.1:1", "127.0.0.1:2")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(path, "-t", "-c", config, "-e", filepath.Join(dir, "start.log")).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
