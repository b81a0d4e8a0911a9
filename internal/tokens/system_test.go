package tokens_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/tokens"
)

func standingGrant() store.Grant {
	return store.Grant{ID: store.GrantID(base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef"))), ClientID: "service", Audience: fhirBase}
}

// The client is the subject, nobody is the user, and 300 seconds are the end.
//
// spec: BS-06, BS-07
func TestSystemTokens(t *testing.T) {
	w := newWorld(t)
	scopes := []string{"system/Patient.rs", "system/Observation.rs"}
	minted, err := w.MintSystem(standingGrant(), scopes, dpop.Proof{})
	if err != nil || minted.ExpiresIn != 300*time.Second {
		t.Fatalf("%+v, %v", minted, err)
	}
	want := map[string]any{
		"iss": issuer, "sub": "service", "aud": fhirBase, "iat": float64(start.Unix()), "exp": float64(start.Unix() + 300), "jti": minted.ID,
		"client_id": "service", "scope": strings.Join(scopes, " "), "gid": string(standingGrant().ID),
	}
	if diff := cmp.Diff(want, claims(t, minted.Text, 1)); diff != "" {
		t.Error(diff)
	}
	got, err := w.Verify(t.Context(), minted.Text)
	if err != nil {
		t.Fatal(err)
	}
	if !got.System() || got.UserID() != "" || got.Subject() != "service" || got.ClientID() != "service" || got.Patient() != "" {
		t.Errorf("user %q, subject %q", got.UserID(), got.Subject())
	}
	w.now = start.Add(300 * time.Second)
	if _, err := w.Verify(t.Context(), minted.Text); !errors.Is(err, tokens.ErrInvalid) {
		t.Errorf("after its end: %v", err)
	}
	w.now = start
	w.ended[string(standingGrant().ID)] = true
	if _, err := w.Verify(t.Context(), minted.Text); !errors.Is(err, tokens.ErrInvalid) {
		t.Errorf("after its grant has ended: %v", err)
	}
	clear(w.ended)
	user, err := w.MintAccess(grant(), grant().Scopes, dpop.Proof{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err = w.Verify(t.Context(), user.Text); err != nil {
		t.Fatal(err)
	}
	if got.System() || got.UserID() != "u1" || got.Subject() != "u1" {
		t.Errorf("a user's token: user %q", got.UserID())
	}
}

func TestSystemTokensAreForServicesOnly(t *testing.T) {
	w := newWorld(t)
	long := strings.Fields(strings.Repeat("system/Observation.rs?category=laboratory ", 100))
	ofUser, ofNobody := standingGrant(), standingGrant()
	ofUser.UserID, ofNobody.ClientID = "u1", ""
	for name, mint := range map[string]func() (tokens.AccessToken, error){
		"the grant of a user": func() (tokens.AccessToken, error) { return w.MintSystem(ofUser, []string{"system/*.rs"}, dpop.Proof{}) },
		"no client": func() (tokens.AccessToken, error) {
			return w.MintSystem(ofNobody, []string{"system/*.rs"}, dpop.Proof{})
		},
		"no scopes":       func() (tokens.AccessToken, error) { return w.MintSystem(standingGrant(), nil, dpop.Proof{}) },
		"too many scopes": func() (tokens.AccessToken, error) { return w.MintSystem(standingGrant(), long, dpop.Proof{}) },
	} {
		if got, err := mint(); err == nil || got.Text != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	t.Log("scopes of a service are in its token, never in its grant")
	g := standingGrant()
	g.UserID, g.Scopes = "service", long // a text that could stand for both
	minted, err := w.MintAccess(g, long, dpop.Proof{})
	if err != nil {
		t.Fatal(err)
	}
	w.grants[g.ID] = g
	if _, err := w.Verify(t.Context(), minted.Text); !errors.Is(err, tokens.ErrInvalid) {
		t.Errorf("%v", err)
	}
}
