package register

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

// reserved are what our answer adds to a redirect URI; a registered one may not
// have them already (RFC 6749 §4.1.2, RFC 9207 §2).
var reserved = []string{"code", "state", "iss", "error", "error_description", "error_uri", "response", "session_state"}

// checkRedirect is the rule of one redirect URI.
func checkRedirect(uri string, native bool) error {
	if err := oauth.CheckRedirectURI(uri, native); err != nil {
		return err
	}
	u, err := url.Parse(uri)
	if err != nil {
		return errors.New("it must be an absolute URI")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("its query must be well-formed")
	}
	for name := range query {
		if slices.Contains(reserved, name) {
			return errors.New("its query must not have " + name + ", which the answer adds")
		}
	}
	return nil
}

// checkPostLogout: where a browser returns to after logout follows the rules of
// redirect URIs (OpenID Connect RP-Initiated Logout §3.1).
func checkPostLogout(m *metadata) *oauth.Error {
	if len(m.PostLogoutURIs) > maxRedirects {
		return wrong("post_logout_redirect_uris", "at most 20")
	}
	native := m.ApplicationType == string(store.ApplicationNative)
	for i, uri := range m.PostLogoutURIs {
		err := oauth.CheckRedirectURI(uri, native)
		if uri == oauth.OutOfBand {
			err = errors.New("the out-of-band name is no place")
		}
		if err != nil {
			return wrong("post_logout_redirect_uris", fmt.Sprintf("[%d] is no URI that a browser can be sent to: %v", i, err))
		}
	}
	return nil
}

// checkServer: an app that runs on a server has an https address; whatever listens
// on the loopback address of somebody's device is not that server (RFC 8252 §7.3,
// LB-13). A sandbox is where such a server is written, on the same machine.
func checkServer(m *metadata) *oauth.Error {
	if m.ApplicationType != string(store.ApplicationWeb) || m.AuthMethod == string(store.AuthNone) {
		return nil
	}
	for i, uri := range m.RedirectURIs {
		if strings.HasPrefix(uri, "http://") {
			return oauth.New(oauth.InvalidRedirectURI,
				"redirect_uris[%d]: a loopback redirect is for native apps; a web app with a secret has an https address", i).About("redirect_uris").Slugged(oauth.SlugRegistrationRedirectURI)
		}
	}
	if strings.HasPrefix(m.LaunchURI, "http://") {
		return wrong("initiate_login_uri", "a web app with a secret has an https address")
	}
	return nil
}

// elsewhere are addresses of RFC 7591 and OpenID Connect metadata that mean
// something to other servers. They are judged like all others and not kept, so
// that a part which is built later never finds a bad one (security DC-03).
type elsewhere struct {
	SectorIdentifierURI string   `json:"sector_identifier_uri,omitempty"`
	FrontchannelLogout  string   `json:"frontchannel_logout_uri,omitempty"`
	RequestURIs         []string `json:"request_uris,omitempty"`
}

type link struct{ member, value string }

// links are all addresses but the redirect URIs.
func (m *metadata) links() []link {
	return []link{{"client_uri", m.ClientURI}, {"logo_uri", m.LogoURI}, {"policy_uri", m.PolicyURI}, {"tos_uri", m.TermsURI}}
}

func (e elsewhere) links() []link {
	list := []link{
		{"sector_identifier_uri", e.SectorIdentifierURI}, {"frontchannel_logout_uri", e.FrontchannelLogout},
	}
	for _, uri := range e.RequestURIs {
		list = append(list, link{"request_uris", uri})
	}
	return list
}

// checkLaunch: where an EHR sends the browser of its user to start the app
// (OpenID Connect Registration §2: initiate_login_uri). A browser opens it, so it
// is https, or http on the machine itself (REG-09).
func checkLaunch(m *metadata) *oauth.Error {
	if m.LaunchURI == "" {
		return nil
	}
	if !strings.HasPrefix(m.LaunchURI, "https://") && !strings.HasPrefix(m.LaunchURI, "http://") {
		return wrong("initiate_login_uri", "an https URL")
	}
	if err := oauth.CheckRedirectURI(m.LaunchURI, false); err != nil {
		return wrong("initiate_login_uri", err.Error())
	}
	return nil
}

// checkLinks: what people or servers may follow is https and has one reading.
func checkLinks(m *metadata) *oauth.Error {
	return judgeLinks(m.links())
}

func judgeLinks(list []link) *oauth.Error {
	for _, l := range list {
		if l.value != "" && (!strings.HasPrefix(l.value, "https://") || oauth.CheckRedirectURI(l.value, false) != nil) {
			return wrong(l.member, "an https URL without fragment, user name or needless encoding")
		}
	}
	return nil
}

// maxOrigins bounds the origins beside those of the redirect URIs.
const maxOrigins = 20

// checkOrigins: as browsers send them (RFC 6454 §6.2); plain http on loopback only.
func checkOrigins(m *metadata) *oauth.Error {
	if len(m.Origins) > maxOrigins {
		return wrong("emberlatch_origins", "at most 20")
	}
	for _, o := range m.Origins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != o || oauth.CheckRedirectURI(o, true) != nil {
			return wrong("emberlatch_origins", "web origins such as https://app.example.org")
		}
	}
	return nil
}
