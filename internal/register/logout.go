package register

import (
	"strings"

	"github.com/emberlatch/emberlatch/internal/oauth"
)

const logoutMember = "backchannel_logout_uri"

// checkLogout: where an app is told of the end of a session (Back-Channel Logout 1.0
// §2.2). Whether the server may go there is asked by checkLogoutURL.
func checkLogout(m *metadata) *oauth.Error {
	switch {
	case m.LogoutURI == "" && m.LogoutSession:
		return wrong("backchannel_logout_session_required", "with backchannel_logout_uri only")
	case m.LogoutURI == "":
		return nil
	case m.backend():
		return wrong(logoutMember, "none for a backend service, which nobody signs in to")
	case !strings.HasPrefix(m.LogoutURI, "https://") && !strings.HasPrefix(m.LogoutURI, "http://"), oauth.CheckRedirectURI(m.LogoutURI, true) != nil:
		return wrong(logoutMember, "an https URL without fragment, user name or needless encoding")
	}
	return nil
}

// checkLogoutURL: as for the URL of a key set, one sentence for all causes (attack
// DC-04). http is for a sandbox, whose apps run on this machine.
func (r *Registrar) checkLogoutURL(m *metadata) *oauth.Error {
	if m.LogoutURI == "" {
		return nil
	}
	if _, err := r.deps.Outbound.CheckURL(m.LogoutURI); err != nil {
		return wrong(logoutMember, reachable).Because(err)
	}
	return nil
}
