package chart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// Store keeps launches.
type Store interface {
	CreateLaunch(ctx context.Context, l store.Launch, made store.Event) error
	Record(ctx context.Context, e store.Event) error
}

// Charts knows patients and their encounters.
type Charts interface {
	Patient(ctx context.Context, id string) (reach.Patient, error)
	Encounter(ctx context.Context, patient, id string) (reach.Encounter, error)
	Reach(ctx context.Context, u store.User) (reach.Whom, error)
}

// Deps are the parts that the Starter needs; all are required.
type Deps struct {
	Store  Store
	Charts Charts
	Client func(id store.ClientID) (store.Client, bool)
	// User finds an account by its user name; store.ErrNotFound otherwise.
	User     func(ctx context.Context, username string) (store.User, error)
	FHIRBase string
	StyleURL string // of the style document that apps are told, unless the EHR has one
	Life     time.Duration
	Now      func() time.Time
}

// Starter starts apps.
type Starter struct{ deps Deps }

// New makes the Starter; it refuses missing parts.
func New(deps Deps) (*Starter, error) {
	if deps.Store == nil || deps.Charts == nil || deps.Client == nil || deps.User == nil || deps.FHIRBase == "" || deps.StyleURL == "" ||
		deps.Life <= 0 || deps.Now == nil {
		return nil, errors.New("chart: a part is missing")
	}
	return &Starter{deps}, nil
}

// Request is what an EHR says about a launch. Client and Patient are required.
type Request struct {
	Client    store.ClientID
	Patient   string // bare id
	Encounter string // bare id of the visit that is open
	Username  string // who works in the EHR; empty: anybody who reaches the patient
	Intent    string
	Tenant    string
	StyleURL  string
	Banner    *bool // need_patient_banner; nil: the app shows who the patient is
	// FHIRContext is a JSON array of what else is open; empty: nothing.
	FHIRContext []byte
}

// Started is a launch that has been made, as the EHR is told.
type Started struct {
	URL       string `json:"launch_url"` // where the browser of the user goes
	Issuer    string `json:"iss"`        // its parameter iss
	Launch    string `json:"launch"`     // its parameter launch
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// Refusal is what is wrong with a Request, for whoever may make one.
type Refusal struct{ Field, Text string }

// Error names the field and says what is wrong.
func (r *Refusal) Error() string { return r.Field + ": " + r.Text }

// Start makes a launch. actor stands in the record, also when it is refused. A
// *Refusal says what cannot be launched; other errors are the store's.
func (s *Starter) Start(ctx context.Context, actor string, r Request) (Started, error) {
	started, err := s.start(ctx, actor, r)
	var refused *Refusal
	if errors.As(err, &refused) {
		e := store.Event{At: s.deps.Now(), Kind: "launch", Actor: actor, Outcome: "refused", Detail: refused.Field}
		if client, known := s.deps.Client(r.Client); known { // never what was made up
			e.ClientID = client.ID
		}
		if failed := s.deps.Store.Record(ctx, e); failed != nil {
			return Started{}, fmt.Errorf("recording a refused launch: %w", failed)
		}
	}
	return started, err
}

func (s *Starter) start(ctx context.Context, actor string, r Request) (Started, error) {
	client, err := s.client(r.Client)
	if err != nil {
		return Started{}, err
	}
	user, err := s.user(ctx, r)
	if err != nil {
		return Started{}, err
	}
	if err := s.encounter(ctx, r); err != nil {
		return Started{}, err
	}
	about, err := s.context(client, r)
	if err != nil {
		return Started{}, err
	}
	handle := oauth.RandomToken("la_")
	err = s.deps.Store.CreateLaunch(ctx,
		store.Launch{HandleHash: oauth.Hash(handle), ClientID: client.ID, UserID: user, Context: string(about), Life: s.deps.Life},
		store.Event{At: s.deps.Now(), Kind: "launch", Actor: actor, ClientID: client.ID, Patient: r.Patient, Outcome: "ok"})
	if err != nil {
		return Started{}, fmt.Errorf("starting an app: %w", err)
	}
	return Started{
		URL: launchURL(client.LaunchURI, s.deps.FHIRBase, handle), Issuer: s.deps.FHIRBase, Launch: handle,
		ExpiresIn: int64(s.deps.Life.Seconds()),
	}, nil
}

// launchURL adds iss and launch to the registered launch URL, whose own query
// stays as it is (CTX-01, CTX-02).
func launchURL(registered, issuer, handle string) string {
	separator := "?"
	if strings.Contains(registered, "?") {
		separator = "&"
		if strings.HasSuffix(registered, "?") || strings.HasSuffix(registered, "&") {
			separator = ""
		}
	}
	return registered + separator + url.Values{"iss": {issuer}, "launch": {handle}}.Encode()
}

// context is what the app will be told (SMART App Launch 2.2, scopes: launch
// context parameters).
func (s *Starter) context(client store.Client, r Request) ([]byte, error) {
	banner := r.Banner == nil || *r.Banner
	c := smart.LaunchContext{
		Patient: r.Patient, Encounter: r.Encounter, NeedPatientBanner: &banner, SmartStyleURL: s.deps.StyleURL, Intent: r.Intent, Tenant: r.Tenant,
	}
	for _, text := range []struct{ field, value string }{{"intent", r.Intent}, {"tenant", r.Tenant}} {
		if !short(text.value) {
			return nil, &Refusal{text.field, "at most 200 characters without control characters"}
		}
	}
	if r.StyleURL != "" {
		if !webAddress(r.StyleURL) {
			return nil, &Refusal{"style_url", "an https URL"}
		}
		c.SmartStyleURL = r.StyleURL
	}
	if len(r.FHIRContext) > 0 {
		var err error
		if c.FHIRContext, err = fhirContext(client, r.FHIRContext); err != nil {
			return nil, err
		}
	}
	return json.Marshal(c)
}

// fhirContext is written in the form that the client understands (CTX-26).
func fhirContext(client store.Client, text []byte) (json.RawMessage, error) {
	items, err := smart.ParseFHIRContext(text)
	if err != nil {
		_, why, _ := strings.Cut(err.Error(), ": ")
		_, why, _ = strings.Cut(why, ": ")
		return nil, &Refusal{"fhirContext", why}
	}
	if !client.FHIRContextReferences {
		return json.Marshal(items)
	}
	references := items.References()
	if len(references) == 0 {
		return nil, nil
	}
	return json.Marshal(references)
}
