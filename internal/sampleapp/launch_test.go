package sampleapp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// launch opens the launch URL as an EHR does, and returns what the app asks of the
// server.
func (b *browser) launch(value string) url.Values {
	b.t.Helper()
	p := b.do(http.MethodGet, "/launch?"+url.Values{"iss": {b.server.URL + "/fhir"}, "launch": {value}}.Encode())
	u, err := url.Parse(p.location)
	if err != nil || p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, b.server.URL+"/authorize?") {
		b.t.Fatalf("launch: %d %s %s", p.status, p.location, p.body)
	}
	b.server.set(func() { b.server.asked = u.Query() })
	return u.Query()
}

// The value goes on to the server as it came, with the scope launch in the place of
// the choice of a patient; a standalone launch has neither.
func TestALaunchIsPassedOn(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	asked := b.launch("la_1 &x")
	if asked.Get("launch") != "la_1 &x" || asked.Get("scope") != "launch patient/*.rs openid fhirUser offline_access" || asked.Get("aud") != s.URL+"/fhir" {
		t.Errorf("asked %v", asked)
	}
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(asked.Get(name)) < 22 {
			t.Errorf("%s = %q", name, asked.Get(name))
		}
	}
	if asked := b.connect(); asked.Has("launch") || strings.HasPrefix(asked.Get("scope"), "launch ") {
		t.Errorf("standalone: %v", asked)
	}
}

// A link that names another server leads nowhere: the app asks nobody.
func TestALaunchFromAnUnknownServerIsRefused(t *testing.T) {
	s := newServer(t)
	b := open(t, s)
	for name, query := range map[string]url.Values{
		"another server": {"iss": {"https://evil.example.org/fhir"}, "launch": {"x"}}, "no server": {"launch": {"x"}},
		"two servers": {"iss": {s.URL + "/fhir", "https://evil.example.org"}, "launch": {"x"}}, "no value": {"iss": {s.URL + "/fhir"}},
		"two values": {"iss": {s.URL + "/fhir"}, "launch": {"x", "y"}}, "below ours": {"iss": {s.URL + "/fhir/x"}, "launch": {"x"}},
	} {
		if p := b.do(http.MethodGet, "/launch?"+query.Encode()); p.status != http.StatusBadRequest || p.location != "" {
			t.Errorf("%s: %d %s", name, p.status, p.location)
		}
	}
}

var chartInput = regexp.MustCompile(`name="chart" value="([A-Z0-9]+)"`)

// Two charts in two tabs, answered the other way round: each tab goes on showing its
// own patient, and closing one leaves the other open.
func TestTwoChartsAreTwoRecords(t *testing.T) {
	s := newServer(t)
	s.answers["Patient/p1"], s.answers["Patient/p2"] = person("Maria Lopez", "1965-02-01"), person("Tom Berg", "1943-02-01")
	b := open(t, s)
	first, second := b.launch("la_1"), b.launch("la_2")
	at := map[string]string{}
	for patient, asked := range map[string]url.Values{"p2": second, "p1": first} {
		s.set(func() { s.asked, s.context = asked, map[string]any{"patient": patient, "need_patient_banner": true} })
		at[patient] = b.answer("code", "c-"+patient, "state", asked.Get("state"), "iss", s.URL).location
	}
	if !strings.HasPrefix(at["p1"], "/record?chart=") || at["p1"] == at["p2"] {
		t.Fatalf("the charts are at %v", at)
	}
	p := b.do(http.MethodGet, at["p1"])
	expect(t, p, "Maria Lopez", "Started from a chart")
	expect(t, b.do(http.MethodGet, at["p2"]), "Tom Berg")
	if home := b.do(http.MethodGet, "/"); home.status != http.StatusOK {
		t.Errorf("an open chart is the person's own record: %s", home.location)
	}
	chart := chartInput.FindStringSubmatch(p.body)
	if chart == nil {
		t.Fatalf("no form of this chart: %s", p.body)
	}
	if p := b.post("/refresh", url.Values{"chart": {chart[1]}}); p.location != at["p1"] {
		t.Errorf("refresh leads to %s", p.location)
	}
	if p := b.post("/disconnect", url.Values{"chart": {chart[1]}}); p.location != "/" {
		t.Errorf("disconnect: %d", p.status)
	}
	if p := b.do(http.MethodGet, at["p1"]); p.location != "/" {
		t.Errorf("the closed chart: %d", p.status)
	}
	expect(t, b.do(http.MethodGet, at["p2"]), "Tom Berg")
}

// The app says who the patient is, unless the EHR does.
func TestTheBannerIsShownWhenItIsNeeded(t *testing.T) {
	for _, row := range []struct {
		context map[string]any
		banner  bool
	}{{map[string]any{"patient": "p1"}, true}, {map[string]any{"patient": "p1", "need_patient_banner": true}, true}, {map[string]any{"patient": "p1", "need_patient_banner": false}, false}} {
		s := newServer(t)
		s.answers["Patient/p1"] = person("Maria Lopez", "1965-02-01")
		b := open(t, s)
		asked := b.launch("la_1")
		s.set(func() { s.context = row.context })
		p := b.do(http.MethodGet, b.answer("code", "c", "state", asked.Get("state"), "iss", s.URL).location)
		if got := strings.Contains(p.body, "Maria Lopez") && strings.Contains(p.body, "1965-02-01"); got != row.banner {
			t.Errorf("%v: the banner is shown: %t\n%s", row.context, got, p.body)
		}
	}
}
