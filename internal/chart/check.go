package chart

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// client: only a registered app with a registered launch URL that may ask for
// launch can be started (CTX-34).
func (s *Starter) client(id store.ClientID) (store.Client, error) {
	client, known := s.deps.Client(id)
	switch {
	case !known || !client.MayAsk():
		return client, &Refusal{"client", "there is no such app, or it is not enabled"}
	case client.LaunchURI == "":
		return client, &Refusal{"client", "this app has registered no launch URL (initiate_login_uri)"}
	case !smart.NewScopeSet(strings.Fields(client.Scope)).Has(smart.Launch):
		return client, &Refusal{"client", "this app is not registered for the scope launch"}
	case !client.HasGrantType(oauth.GrantAuthorizationCode):
		return client, &Refusal{"client", "this app is not registered for the authorization code grant"}
	}
	return client, nil
}

// user is who will have to sign in. A chart that is not there and one that the user
// cannot open are told alike.
func (s *Starter) user(ctx context.Context, r Request) (store.UserID, error) {
	if r.Username == "" {
		return "", s.patient(ctx, r.Patient, "there is no such patient")
	}
	u, err := s.deps.User(ctx, r.Username)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Disabled {
		return "", &Refusal{"user", "there is no such account, or it is not enabled"}
	}
	if err != nil {
		return "", err
	}
	reached, err := s.deps.Charts.Reach(ctx, u)
	if err != nil {
		return "", err
	}
	const hidden = "there is no such patient, or this user cannot open the chart"
	if !reached.Contains(r.Patient) {
		return "", &Refusal{"patient", hidden}
	}
	return u.ID, s.patient(ctx, r.Patient, hidden)
}

func (s *Starter) patient(ctx context.Context, id, refusal string) error {
	_, err := s.deps.Charts.Patient(ctx, id)
	if errors.Is(err, reach.ErrNotFound) {
		return &Refusal{"patient", refusal}
	}
	return err
}

// encounter: one of this patient, or none.
func (s *Starter) encounter(ctx context.Context, r Request) error {
	if r.Encounter == "" {
		return nil
	}
	_, err := s.deps.Charts.Encounter(ctx, r.Patient, r.Encounter)
	if errors.Is(err, reach.ErrNotFound) {
		return &Refusal{"encounter", "this patient has no such encounter"}
	}
	return err
}

// maxText bounds what is passed on to the app as it is, in bytes.
const maxText = 200

func short(text string) bool {
	return len(text) <= maxText && utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// webAddress: https, or http on this machine.
func webAddress(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > 2000 || u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	loopback := err == nil && address.IsLoopback() || u.Hostname() == "localhost"
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}
