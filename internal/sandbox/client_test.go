package sandbox_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/sandbox"
	"github.com/emberlatch/emberlatch/internal/store"
)

// The example of the page that the product was described by relies on these values.
func TestTheLegacyClientIsExactlyTheOneOfTheExample(t *testing.T) {
	c := sandbox.Clients(redirect, today)[0]
	got := []any{string(c.ID), c.Secret, c.Kind, c.RedirectURIs, c.Scope, c.PKCEOptional, c.ApplicationType}
	want := []any{
		"C85533AE-E3A4-455C-BE5C-DAC0F695408F", "supersecret", "confidential", []string{"urn:ietf:wg:oauth:2.0:oob"},
		"launch/patient patient/*.read openid fhirUser offline_access", true, store.ApplicationNative,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyTheLegacyClientMayLeaveOutPKCE(t *testing.T) {
	for _, c := range sandbox.Clients(redirect, today) {
		if c.PKCEOptional != (c.ID == sandbox.LegacyClient) {
			t.Errorf("%s: PKCE optional is %v", c.ID, c.PKCEOptional)
		}
		if c.PKCEOptional && c.AuthMethod == store.AuthNone {
			t.Errorf("%s: a public client without PKCE", c.ID)
		}
	}
}

func TestClientsAreWhatTheySayTheyAre(t *testing.T) {
	for _, c := range sandbox.Clients(redirect, today) {
		secret := c.Kind == "confidential"
		if secret != (c.Secret != "") || secret != (len(c.Secrets) == 1) || secret != (c.AuthMethod != store.AuthNone) {
			t.Errorf("%s is %s, by %s, with %d secrets", c.ID, c.Kind, c.AuthMethod, len(c.Secrets))
		}
		for _, s := range c.Secrets {
			if !bytes.Equal(s.Hash, oauth.Hash(c.Secret)) || bytes.Contains(s.Hash, []byte(c.Secret)) {
				t.Errorf("%s: the stored secret is not the hash of the one in clear", c.ID)
			}
		}
		if diff := cmp.Diff([]string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}, c.GrantTypes); diff != "" {
			t.Errorf("%s: %s", c.ID, diff)
		}
		for _, uri := range c.RedirectURIs {
			if err := oauth.CheckRedirectURI(uri, c.ApplicationType == store.ApplicationNative); err != nil && uri != store.OutOfBand {
				t.Errorf("%s: registration would refuse %s: %v", c.ID, uri, err)
			}
		}
	}
}

// Nothing on the sandbox's list reaches beyond loopback in clear.
func TestRedirectsInClearStayOnThisMachine(t *testing.T) {
	for _, c := range sandbox.Clients(redirect, today) {
		for _, uri := range append([]string{c.LaunchURI}, c.RedirectURIs...) {
			if uri == "" {
				continue
			}
			u, err := url.Parse(uri)
			if err != nil {
				t.Fatal(err)
			}
			if u.Scheme == "http" && u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost" {
				t.Errorf("%s: %s", c.ID, uri)
			}
		}
		if strings.Contains(c.Scope, "system/") {
			t.Errorf("%s may ask for %s", c.ID, c.Scope)
		}
	}
}
