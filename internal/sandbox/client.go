package sandbox

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Client is a registered app with its secret in clear, or its private key, for
// sandbox.json.
type Client struct {
	store.Client
	Kind       string // public, confidential, asymmetric, backend
	Secret     string
	PrivateJWK json.RawMessage
}

// Fixed names that tutorials and scripts rely on.
const (
	LegacyClient = "C85533AE-E3A4-455C-BE5C-DAC0F695408F"
	legacySecret = "supersecret"
	SampleClient = "emberlatch-sample-app"
	sampleSecret = "sample-app-secret-of-the-sandbox"
)

// What the apps may ask for. All of standalone can be asked for at once; launch needs
// a chart to start from (CTX-06), so only apps that are started from one have it.
const (
	standalone = "launch/patient launch/encounter patient/*.cruds user/*.rs openid fhirUser profile offline_access online_access"
	everything = "launch " + standalone
)

// Clients are the apps that are registered from the start, beside ClientsWithKeys.
// sampleRedirect is where the sample app listens. "Clinic Companion" also plays an
// EHR: it may start the others from a chart.
func Clients(sampleRedirect string, now time.Time) []Client {
	grants := []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}
	make := func(c store.Client, secret string) Client {
		c.GrantTypes, c.IDTokenAlg, c.CreatedAt, c.Trusted = grants, "RS256", now, true
		kind := "public"
		if secret != "" {
			kind = "confidential"
			c.Secrets = []store.ClientSecret{{Hash: oauth.Hash(secret), CreatedAt: now}}
		}
		return Client{Client: c, Kind: kind, Secret: secret}
	}
	sample := strings.TrimSuffix(sampleRedirect, "/callback")
	return []Client{
		make(store.Client{ // the example of the page that the product was described by: neither PKCE nor state
			ID: LegacyClient, Name: "Desktop Charts", ApplicationType: store.ApplicationNative, AuthMethod: store.AuthSecretPost,
			RedirectURIs: []string{store.OutOfBand}, Scope: "launch/patient patient/*.read openid fhirUser offline_access", PKCEOptional: true,
		}, legacySecret),
		make(store.Client{
			ID: SampleClient, Name: "My Record", Maker: "Emberlatch", ApplicationType: store.ApplicationWeb, AuthMethod: store.AuthSecretBasic,
			RedirectURIs: []string{sampleRedirect}, LaunchURI: sample + "/launch",
			PostLogoutRedirectURIs: []string{sample + "/signed-out"}, BackchannelLogoutURI: sample + "/backchannel-logout", BackchannelLogoutSession: true,
			Scope: "launch launch/patient patient/*.rs openid fhirUser offline_access",
		}, sampleSecret),
		make(store.Client{
			ID: "sandbox-confidential", Name: "Clinic Companion", ApplicationType: store.ApplicationWeb, AuthMethod: store.AuthSecretBasic,
			RedirectURIs: []string{"http://127.0.0.1:9001/callback", "https://companion.example.org/callback"}, Scope: standalone,
			MayIntrospect: true, MayLaunch: true,
		}, "sandbox-confidential-secret"),
		make(store.Client{
			ID: "sandbox-browser", Name: "Growth Tracker", ApplicationType: store.ApplicationBrowser, AuthMethod: store.AuthNone,
			RedirectURIs: []string{"http://127.0.0.1:9002/callback", "http://127.0.0.1:9002/"}, Scope: everything,
			LaunchURI: "http://127.0.0.1:9002/launch",
		}, ""),
		make(store.Client{
			ID: "sandbox-native", Name: "Pocket Chart", ApplicationType: store.ApplicationNative, AuthMethod: store.AuthNone,
			RedirectURIs: []string{"http://127.0.0.1/callback", "http://localhost/callback", "org.example.pocketchart:/callback"}, Scope: standalone,
		}, ""),
	}
}
