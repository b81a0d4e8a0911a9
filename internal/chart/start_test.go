package chart_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/chart"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

const (
	base  = "https://ehr.example.org/fhir"
	style = "https://ehr.example.org/style/1.json"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// clinic is an EHR: chen and the patients ann and bob, of whom chen reaches ann.
type clinic struct {
	launches []store.Launch
	events   []store.Event
	down     error
}

func (c *clinic) CreateLaunch(_ context.Context, l store.Launch, made store.Event) error {
	c.launches, c.events = append(c.launches, l), append(c.events, made)
	return c.down
}

func (c *clinic) Record(_ context.Context, e store.Event) error {
	c.events = append(c.events, e)
	return nil
}

func (c *clinic) Patient(_ context.Context, id string) (reach.Patient, error) {
	if c.down != nil {
		return reach.Patient{}, c.down
	}
	if !slices.Contains([]string{"ann", "bob"}, id) {
		return reach.Patient{}, reach.ErrNotFound
	}
	return reach.Patient{ID: id}, nil
}

func (c *clinic) Encounter(_ context.Context, patient, id string) (reach.Encounter, error) {
	if patient+"/"+id != "ann/visit" {
		return reach.Encounter{}, reach.ErrNotFound
	}
	return reach.Encounter{ID: id}, c.down
}

func (c *clinic) Reach(_ context.Context, u store.User) (reach.Whom, error) {
	return reach.Of("ann", "gone"), c.down
}

func (c *clinic) user(_ context.Context, name string) (store.User, error) {
	switch name {
	case "chen":
		return store.User{ID: "u-chen"}, c.down
	case "left":
		return store.User{ID: "u-left", Disabled: true}, nil
	}
	return store.User{}, store.ErrNotFound
}

func client(id store.ClientID) (store.Client, bool) {
	c := store.Client{
		ID: id, LaunchURI: "https://app.example.org/launch?a=b", Scope: "launch patient/*.rs openid",
		GrantTypes: []string{oauth.GrantAuthorizationCode},
	}
	switch id {
	case "app":
	case "first-edition":
		c.FHIRContextReferences, c.LaunchURI = true, "https://app.example.org/launch"
	case "disabled":
		c.Disabled = true
	case "waiting":
		c.SelfRegistered, c.Review = true, store.Review{RegisteredAt: noon}
	case "without-url":
		c.LaunchURI = ""
	case "without-scope":
		c.Scope = "launch/patient patient/*.rs openid"
	case "backend":
		c.GrantTypes = []string{"client_credentials"}
	default:
		return store.Client{}, false
	}
	return c, true
}

func deps(c *clinic) chart.Deps {
	return chart.Deps{
		Store: c, Charts: c, Client: client, User: c.user, FHIRBase: base, StyleURL: style, Life: 5 * time.Minute,
		Now: func() time.Time { return noon },
	}
}

func starter(t testing.TB, c *clinic) *chart.Starter {
	t.Helper()
	s, err := chart.New(deps(c))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNewRefusesMissingParts(t *testing.T) {
	for name, without := range map[string]func(*chart.Deps){
		"store": func(d *chart.Deps) { d.Store = nil }, "charts": func(d *chart.Deps) { d.Charts = nil }, "client": func(d *chart.Deps) { d.Client = nil },
		"user": func(d *chart.Deps) { d.User = nil }, "base": func(d *chart.Deps) { d.FHIRBase = "" }, "style": func(d *chart.Deps) { d.StyleURL = "" },
		"life": func(d *chart.Deps) { d.Life = 0 }, "now": func(d *chart.Deps) { d.Now = nil },
	} {
		d := deps(&clinic{})
		without(&d)
		if _, err := chart.New(d); err == nil {
			t.Errorf("made without %s", name)
		}
	}
}

// The launch URL keeps its own query; the value says nothing about anybody; what is
// stored is its hash, the client, the user and the context.
//
// spec: CTX-01, CTX-02, CTX-03, CTX-18, CTX-19, CTX-29, CTX-30, CTX-35
func TestStart(t *testing.T) {
	c := &clinic{}
	hide := false
	got, err := starter(t, c).Start(t.Context(), "operator", chart.Request{
		Client: "app", Patient: "ann", Encounter: "visit", Username: "chen", Intent: "reconcile-medications", Tenant: "t-1", Banner: &hide,
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got.URL)
	if err != nil || !strings.HasPrefix(got.URL, "https://app.example.org/launch?a=b&") {
		t.Fatalf("URL %s, %v", got.URL, err)
	}
	want := url.Values{"a": {"b"}, "iss": {base}, "launch": {got.Launch}}
	if diff := cmp.Diff(want, u.Query()); diff != "" {
		t.Error(diff)
	}
	if len(got.Launch) < 46 || strings.Contains(got.Launch, "ann") || got.Issuer != base || got.ExpiresIn != 300 {
		t.Errorf("started %+v", got)
	}
	launch := store.Launch{
		HandleHash: oauth.Hash(got.Launch), ClientID: "app", UserID: "u-chen", Life: 5 * time.Minute,
		Context: `{"patient":"ann","encounter":"visit","need_patient_banner":false,"smart_style_url":"` + style + `","intent":"reconcile-medications","tenant":"t-1"}`,
	}
	event := store.Event{At: noon, Kind: "launch", Actor: "operator", ClientID: "app", Patient: "ann", Outcome: "ok"}
	if diff := cmp.Diff([]store.Launch{launch}, c.launches); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]store.Event{event}, c.events); diff != "" {
		t.Error(diff)
	}
	again, err := starter(t, c).Start(t.Context(), "operator", chart.Request{Client: "app", Patient: "ann"})
	if err != nil || again.Launch == got.Launch {
		t.Errorf("the second launch: %+v, %v", again, err)
	}
	var about smart.LaunchContext
	if err := json.Unmarshal([]byte(c.launches[1].Context), &about); err != nil || !*about.NeedPatientBanner || c.launches[1].UserID != "" {
		t.Errorf("without a word about it the app shows the patient: %s", c.launches[1].Context)
	}
}

// What cannot be launched, and why.
//
// spec: CTX-34, CTX-35
// attack: SL-05, SL-20
func TestRefusals(t *testing.T) {
	long := strings.Repeat("x", 201)
	for _, row := range []struct {
		name    string
		request chart.Request
		field   string
	}{
		{"CTX-34 unknown", chart.Request{Client: "nobody", Patient: "ann"}, "client"},
		{"CTX-34 disabled", chart.Request{Client: "disabled", Patient: "ann"}, "client"},
		{"CTX-34 under review", chart.Request{Client: "waiting", Patient: "ann"}, "client"},
		{"CTX-34 no launch URL", chart.Request{Client: "without-url", Patient: "ann"}, "client"},
		{"CTX-34 never asks for launch", chart.Request{Client: "without-scope", Patient: "ann"}, "client"},
		{"CTX-34 a service", chart.Request{Client: "backend", Patient: "ann"}, "client"},
		{"SL-05 no patient", chart.Request{Client: "app"}, "patient"},
		{"SL-05 no such patient", chart.Request{Client: "app", Patient: "zoe"}, "patient"},
		{"SL-05 a patient the user cannot see", chart.Request{Client: "app", Patient: "bob", Username: "chen"}, "patient"},
		{"SL-05 no such patient for the user", chart.Request{Client: "app", Patient: "zoe", Username: "chen"}, "patient"},
		{"SL-05 a patient who is gone", chart.Request{Client: "app", Patient: "gone", Username: "chen"}, "patient"},
		{"SL-05 no such user", chart.Request{Client: "app", Patient: "ann", Username: "dora"}, "user"},
		{"SL-05 a user who has left", chart.Request{Client: "app", Patient: "ann", Username: "left"}, "user"},
		{"SL-05 an encounter of another", chart.Request{Client: "app", Patient: "bob", Encounter: "visit"}, "encounter"},
		{"SL-20 a long intent", chart.Request{Client: "app", Patient: "ann", Intent: long}, "intent"},
		{"SL-20 a line in the intent", chart.Request{Client: "app", Patient: "ann", Intent: "a\nb"}, "intent"},
		{"SL-20 a long tenant", chart.Request{Client: "app", Patient: "ann", Tenant: long}, "tenant"},
		{"SL-20 a style of a script", chart.Request{Client: "app", Patient: "ann", StyleURL: "javascript:alert(1)"}, "style_url"},
		{"SL-20 a style in clear", chart.Request{Client: "app", Patient: "ann", StyleURL: "http://style.example.org/s.json"}, "style_url"},
		{"SL-20 200 kB of context", chart.Request{Client: "app", Patient: "ann", FHIRContext: []byte(`[{"reference":"Task/` + strings.Repeat("t", 200<<10) + `"}]`)}, "fhirContext"},
		{"SL-20 a name that is not the EHR's", chart.Request{Client: "app", Patient: "ann", FHIRContext: []byte(`[{"access_token":"x","scope":"y"}]`)}, "fhirContext"},
	} {
		c := &clinic{}
		got, err := starter(t, c).Start(t.Context(), "operator", row.request)
		var refused *chart.Refusal
		if !errors.As(err, &refused) || refused.Field != row.field || refused.Text == "" || got.URL != "" || len(c.launches) != 0 {
			t.Errorf("%s: %+v, %v, want a refusal of %s", row.name, got, err, row.field)
		}
		want := store.Event{At: noon, Kind: "launch", Actor: "operator", Outcome: "refused", Detail: row.field, ClientID: row.request.Client}
		if want.ClientID == "nobody" {
			want.ClientID = ""
		}
		if diff := cmp.Diff([]store.Event{want}, c.events); diff != "" {
			t.Errorf("CTX-35 %s: %s", row.name, diff)
		}
	}
	c := &clinic{}
	_, hidden := starter(t, c).Start(t.Context(), "operator", chart.Request{Client: "app", Patient: "bob", Username: "chen"})
	_, missing := starter(t, c).Start(t.Context(), "operator", chart.Request{Client: "app", Patient: "zoe", Username: "chen"})
	if hidden.Error() != missing.Error() {
		t.Errorf("SL-05: hidden and missing are told apart: %v, %v", hidden, missing)
	}
}

// The EHR's own style and what else is open reach the app, in the form that it
// understands; nothing is said of fhirContext otherwise.
//
// spec: CTX-22, CTX-26
func TestContextIsPassedOn(t *testing.T) {
	const open = `[{"reference":"Task/1"},{"canonical":"https://example.org/q"}]`
	for _, row := range []struct {
		client store.ClientID
		given  string
		want   string
	}{{"app", "", ""}, {"app", open, open}, {"first-edition", open, `["Task/1"]`}, {"first-edition", `[{"canonical":"https://example.org/q"}]`, ""}} {
		c := &clinic{}
		_, err := starter(t, c).Start(t.Context(), "operator", chart.Request{
			Client: row.client, Patient: "ann", FHIRContext: []byte(row.given), StyleURL: "http://127.0.0.1:9/s.json",
		})
		if err != nil {
			t.Fatal(err)
		}
		var about smart.LaunchContext
		if err := json.Unmarshal([]byte(c.launches[0].Context), &about); err != nil {
			t.Fatal(err)
		}
		if string(about.FHIRContext) != row.want || about.SmartStyleURL != "http://127.0.0.1:9/s.json" {
			t.Errorf("%s, given %s: %s", row.client, row.given, c.launches[0].Context)
		}
	}
}

// A store that is down is nobody's mistake.
func TestStoreDown(t *testing.T) {
	c := &clinic{down: errors.New("down")}
	for _, r := range []chart.Request{{Client: "app", Patient: "ann"}, {Client: "app", Patient: "ann", Username: "chen"}} {
		_, err := starter(t, c).Start(t.Context(), "operator", r)
		if refused := new(chart.Refusal); err == nil || errors.As(err, &refused) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
