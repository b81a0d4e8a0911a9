package conform_test

import (
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/emberlatch/emberlatch/internal/conform"
	"github.com/emberlatch/emberlatch/internal/conform/agent"
	"github.com/emberlatch/emberlatch/internal/conform/brokentest"
	"github.com/emberlatch/emberlatch/internal/conform/probe"
)

// broken starts a server with a defect; "" has none.
func broken(t *testing.T, defect string) *brokentest.Server {
	t.Helper()
	s, err := brokentest.Start(defect)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// target is everything that a run can be given about a broken server.
func target(s *brokentest.Server) probe.Target {
	key := &jose.JSONWebKey{Key: s.Key, KeyID: "k", Algorithm: "ES384"}
	return probe.Target{
		Base: s.Base, OtherPatient: brokentest.Other,
		Person:       agent.Script{Username: brokentest.Username, Password: brokentest.Password, Patient: brokentest.Patient},
		Confidential: &probe.Client{ID: brokentest.WebID, Secret: brokentest.WebSecret, Method: probe.AuthBasic, RedirectURIs: []string{brokentest.WebRedirect}},
		Public:       &probe.Client{ID: brokentest.PublicID, Method: probe.AuthNone, RedirectURIs: []string{brokentest.PublicRedirect}},
		DPoP:         &probe.Client{ID: brokentest.BoundID, Method: probe.AuthNone, RedirectURIs: []string{brokentest.BoundRedirect}},
		Asymmetric:   &probe.Client{ID: brokentest.AsymmetricID, Method: probe.AuthJWT, RedirectURIs: []string{brokentest.AsymmetricRedirect}, Key: key},
		Backend:      &probe.Client{ID: brokentest.BackendID, Method: probe.AuthJWT, Key: key},
	}
}

var everySuite = []string{"smart", "oidc", "bcp"}

// check runs suites against a target.
func check(t *testing.T, target probe.Target, suites ...string) conform.Report {
	t.Helper()
	report, err := conform.Run(t.Context(), conform.Options{Suites: suites, Target: target, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// ids are the checks of a report with an outcome, sorted.
func ids(r conform.Report, outcome string) []string {
	var list []string
	for _, one := range r.Results {
		if one.Outcome == outcome {
			list = append(list, one.ID)
		}
	}
	slices.Sort(list)
	return list
}
