package authorize_test

import (
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

const patientScopes = "launch/patient patient/*.rs openid"

// before is a choice that maria made for the confidential app, not to be asked
// again.
func before(change func(*store.RememberedConsent)) *store.RememberedConsent {
	r := store.RememberedConsent{
		UserID: "maria", ClientID: "web", Patient: "maria", Audience: base, RedirectHost: "web.example.org", DoNotAsk: true,
		Requested: []string{"launch/patient", "patient/*.rs", "openid"}, Approved: []string{"launch/patient", "patient/Condition.rs", "openid"},
	}
	if change != nil {
		change(&r)
	}
	return &r
}

// What comes next, for every fact that decides it, with pages and without.
//
// spec: AUTHZ-39, AUTHZ-40, AUTHZ-42, AUTHZ-45, CONS-01, CONS-14, CONS-15, CONS-22, CTX-11, CTX-14, ERR-17
// attack: AZ-15, AZ-17, CO-05, CO-06, SL-09
func TestWhatComesNext(t *testing.T) {
	anyone := before(nil)
	for _, row := range []struct {
		name        string
		user        store.UserID
		client      string
		scope       string
		pairs       []string // parameters
		remembered  *store.RememberedConsent
		preapproved bool
		want        string // with pages
		silent      string // with prompt=none; empty: prompt is taken
	}{
		{"LOGIN-01 nobody", "", "web", patientScopes, nil, nil, false, "/login", "login_required"},
		{"AUTHZ-40 an account that is gone", "nobody", "web", patientScopes, nil, nil, false, "/login", "login_required"},
		{"CTX-11 two people", "anna", "web", patientScopes, nil, nil, false, "/choose", "interaction_required"},
		{"CTX-11 the only one", "maria", "web", patientScopes, nil, nil, false, "/approve", "consent_required"},
		{"CTX-11 a clinician with one patient", "chen", "web", patientScopes, nil, nil, false, "/choose", "interaction_required"},
		{"CTX-14 patient scopes alone", "anna", "web", "patient/Observation.rs", nil, nil, false, "/choose", "interaction_required"},
		{"CTX-14 user scopes need no patient", "anna", "web", "user/Observation.rs", nil, nil, false, "/approve", "consent_required"},
		{"ERR-17 nobody to choose", "lost", "web", patientScopes, nil, nil, false, "access_denied", "access_denied"},
		{"CONS-14 not to be asked", "maria", "web", patientScopes, nil, anyone, false, "code", "code"},
		{"CONS-14 to be asked", "maria", "web", patientScopes, nil, before(func(r *store.RememberedConsent) { r.DoNotAsk = false }), false, "/approve", "consent_required"},
		{"CONS-14 fewer scopes", "maria", "web", "launch/patient patient/*.rs", nil, anyone, false, "code", "code"},
		{"CO-06 a wider scope", "maria", "web", patientScopes + " patient/Condition.c", nil, anyone, false, "/approve", "consent_required"},
		{"CO-06 lasting access", "maria", "web", patientScopes + " offline_access", nil, anyone, false, "/approve", "consent_required"},
		{"CO-06 another patient", "maria", "web", patientScopes, nil, before(func(r *store.RememberedConsent) { r.Patient = "leo" }), false, "/approve", "consent_required"},
		{"CO-06 another audience", "maria", "web", patientScopes, nil, before(func(r *store.RememberedConsent) { r.Audience = "https://old.example.org" }), false, "/approve", "consent_required"},
		{"CO-06 another redirect host", "maria", "web", patientScopes, []string{"redirect_uri", "https://other.example.org/cb"}, anyone, false, "/approve", "consent_required"},
		{"CO-05 loopback", "maria", "native", patientScopes, nil, before(func(r *store.RememberedConsent) { r.ClientID, r.RedirectHost = "native", "127.0.0.1" }), false, "/approve", "consent_required"},
		{"CONS-15 private scheme", "maria", "native", patientScopes, []string{"redirect_uri", "org.example.app:/cb"}, before(func(r *store.RememberedConsent) { r.ClientID, r.RedirectHost = "native", "org.example.app" }), false, "/approve", "consent_required"},
		{"CONS-15 out-of-band", "maria", "desktop", patientScopes, nil, before(func(r *store.RememberedConsent) { r.ClientID, r.RedirectHost = "desktop", "urn" }), false, "/approve", "page"},
		{"CONS-22 clinician, approved by the organisation", "chen", "web", "user/*.rs openid", nil, nil, true, "code", "code"},
		{"CONS-22 patient, approved by the organisation", "maria", "web", "user/*.rs openid", nil, nil, true, "/approve", "consent_required"},
		{"AUTHZ-39 prompt=login", "maria", "web", patientScopes, []string{"prompt", "login"}, anyone, false, "/login", ""},
		{"AUTHZ-39 prompt=select_account", "maria", "web", patientScopes, []string{"prompt", "select_account"}, anyone, false, "/login", ""},
		{"AUTHZ-39 prompt=consent", "maria", "web", patientScopes, []string{"prompt", "consent"}, anyone, false, "/approve", ""},
		{"AUTHZ-39 prompt=consent, approved by the organisation", "chen", "web", "user/*.rs openid", []string{"prompt", "consent"}, nil, true, "/approve", ""},
		{"AUTHZ-42 max_age is over", "maria", "web", patientScopes, []string{"max_age", "299"}, anyone, false, "/login", "login_required"},
		{"AUTHZ-42 max_age holds", "maria", "web", patientScopes, []string{"max_age", "300"}, anyone, false, "code", "code"},
		{"AZ-17 max_age longer than anybody lives", "maria", "web", patientScopes, []string{"max_age", "99999999999999999999"}, anyone, false, "code", "code"},
		{"AZ-17 max_age=0", "maria", "web", patientScopes, []string{"max_age", "0"}, anyone, false, "/login", "login_required"},
		{"AUTHZ-45 hint at the same person", "maria", "web", patientScopes, []string{"id_token_hint", "hint-maria"}, anyone, false, "code", "code"},
		{"AUTHZ-45 hint at somebody else", "maria", "web", patientScopes, []string{"id_token_hint", "hint-anna"}, anyone, false, "/login", "login_required"},
		{"AUTHZ-45 hint of another server", "maria", "web", patientScopes, []string{"id_token_hint", "eyJ"}, anyone, false, "invalid_request", "invalid_request"},
	} {
		ask := func(t *testing.T, want string, pairs ...string) {
			e := newEnv(t)
			c := e.clients[store.ClientID(row.client)]
			c.Preapproved = row.preapproved
			e.clients[c.ID] = c
			if row.remembered != nil {
				e.store.remembered = *row.remembered
			}
			if row.user != "" {
				e.signIn(row.user)
				e.clock = e.clock.Add(5 * time.Minute)
			}
			a := e.begin(e.values(row.client, row.scope, pairs...))
			if got := a.outcome(); got != want {
				t.Errorf("got %s, want %s (%v)", got, want, a.location)
			}
			if want == "code" && len(e.store.requests) != 0 {
				t.Error("a silent request was stored")
			}
		}
		t.Run(row.name, func(t *testing.T) { ask(t, row.want, row.pairs...) })
		if row.silent != "" {
			t.Run(row.name+", prompt=none", func(t *testing.T) {
				ask(t, row.silent, append([]string{"prompt", "none"}, row.pairs...)...)
			})
		}
	}
}
