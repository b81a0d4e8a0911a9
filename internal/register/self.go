package register

import (
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// Policy is what clients that register themselves may say. The zero value lets
// them ask for nothing, so that none can register.
type Policy struct {
	// Scope is everything that they may ask for.
	Scope string
	// Names that only the organisation bears.
	Names []string
	// Reviewed: an app that came by the form waits until an operator has let it in.
	Reviewed bool
	// Statements are the issuers whose software statements count; none: statements
	// are ignored.
	Statements []StatementIssuer
}

// document is what strangers send: their metadata, and what other servers know.
type document struct {
	metadata
	elsewhere
}

// RegisterSelf reads the metadata of a client that registers itself (RFC 7591 §3.1)
// and makes the client within the policy, with its secret unless it is public. It is
// enabled: who lets its developer register has decided. Errors are *oauth.Error that
// name the member.
func (r *Registrar) RegisterSelf(raw []byte) (store.Client, string, error) {
	return r.registerSelf(raw, r.deps.Self.Scope)
}

// RegisterByForm is RegisterSelf for a developer whom nobody has let in: never more
// than one patient's record, and enabled by an operator where the policy says so
// (REG-05, REG-06).
func (r *Registrar) RegisterByForm(raw []byte) (store.Client, string, error) {
	c, secret, err := r.registerSelf(raw, r.OpenScope())
	c.RegisteredWith = store.RegisteredByForm
	if r.deps.Self.Reviewed {
		c.Review.EnabledAt = time.Time{}
	}
	return c, secret, err
}

func (r *Registrar) registerSelf(raw []byte, ceiling string) (store.Client, string, error) {
	raw, statement, refused := r.withStatement(raw)
	if refused != nil {
		return store.Client{}, "", refused
	}
	d, refused := read[document](raw, false)
	if refused != nil {
		return store.Client{}, "", refused
	}
	if refused := r.judgeSelf(&d, store.Client{}, ceiling); refused != nil {
		return store.Client{}, "", refused
	}
	c, secret := r.newClient(&d.metadata)
	c.SelfRegistered, c.SoftwareStatement = true, statement
	c.Review = store.Review{RegisteredAt: c.CreatedAt, EnabledAt: c.CreatedAt}
	return c, secret, nil
}

// judgeSelf completes a document and judges it as a whole, whatever part of it is
// new (security DC-15). Beside was is what an operator has set before; ceiling is
// everything that may be asked for.
func (r *Registrar) judgeSelf(d *document, was store.Client, ceiling string) *oauth.Error {
	m := &d.metadata
	if m.Scope == "" {
		m.Scope = withinCeiling(ceiling)
	}
	if refused := m.keepOperators(was); refused != nil {
		return refused
	}
	m.complete(r.deps.Sandbox)
	if refused := sameKind(was)(m); refused != nil {
		return refused
	}
	if refused := r.judge(m); refused != nil {
		return refused
	}
	if refused := judgeLinks(d.elsewhere.links()); refused != nil {
		return refused
	}
	for _, refused := range []*oauth.Error{r.checkImpersonation(m), r.checkCallback(m), checkCeiling(m, ceiling)} {
		if refused != nil {
			return refused
		}
	}
	return nil
}

// withinCeiling is the usual request as far as the ceiling allows it.
func withinCeiling(ceiling string) string {
	set := smart.NewScopeSet(strings.Fields(ceiling))
	usual := smart.Allowed(smart.NewScopeSet(strings.Fields(defaultScope)), set)
	if usual.IsEmpty() {
		return ceiling
	}
	return strings.Join(usual.Strings(), " ")
}

// keepOperators: what only an operator sets stays as it was set; a client that
// says otherwise is refused (security DC-14).
func (m *metadata) keepOperators(was store.Client) *oauth.Error {
	const text = "set by the operator of this server only"
	switch {
	case m.PKCEOptional && !was.PKCEOptional:
		return wrong("emberlatch_pkce_optional", text)
	case m.KeepRefresh && !was.KeepRefreshToken:
		return wrong("emberlatch_keep_refresh_token", text)
	case m.MayIntrospect && !was.MayIntrospect:
		return wrong("emberlatch_may_introspect", text)
	case m.backend():
		return wrong("grant_types", "an app that registers itself acts for people: authorization_code and refresh_token")
	case m.Data != nil:
		return wrong("emberlatch_data", text)
	case m.MayLaunch && !was.MayLaunch:
		return wrong("emberlatch_may_launch", text)
	case m.RefreshLife != 0 && time.Duration(m.RefreshLife)*time.Second != was.RefreshLife:
		return wrong("emberlatch_refresh_life_seconds", text)
	case m.Checked && !was.Checked:
		return wrong("emberlatch_checked", text)
	case m.Preapproved && !was.Preapproved:
		return wrong("emberlatch_preapproved", text)
	case m.trusted() && !was.Trusted:
		return wrong("emberlatch_trusted", text)
	}
	m.PKCEOptional, m.KeepRefresh, m.MayIntrospect, m.MayLaunch = was.PKCEOptional, was.KeepRefreshToken, was.MayIntrospect, was.MayLaunch
	m.RefreshLife, m.Checked, m.Preapproved = int64(was.RefreshLife/time.Second), was.Checked, was.Preapproved
	m.Trusted, m.RequirePushed, m.DPoPBound = &was.Trusted, m.RequirePushed || was.Ceiling.RequirePushed, m.DPoPBound || was.Ceiling.DPoPBound
	return nil
}

// checkImpersonation: a stranger bears neither the name of the organisation nor one
// that only looks like it (security DC-08).
func (r *Registrar) checkImpersonation(m *metadata) *oauth.Error {
	for _, n := range []struct{ member, value string }{{"client_name", m.ClientName}, {"emberlatch_maker", m.Maker}} {
		if mixed(n.value) {
			return wrong(n.member, "letters of one script, not of several that look alike")
		}
		for _, own := range r.deps.Self.Names {
			if bears(n.value, own) {
				return wrong(n.member, "that name belongs to the organisation behind this server")
			}
		}
	}
	return nil
}

// checkCallback: an app on a server is called back by https; loopback is for the
// device of a person, and for a sandbox (OpenID Connect Dynamic Client Registration §2
// application_type; RFC 8252 §7.3).
func (r *Registrar) checkCallback(m *metadata) *oauth.Error {
	if r.deps.Sandbox || m.ApplicationType != string(store.ApplicationWeb) {
		return nil
	}
	for _, uri := range m.RedirectURIs {
		if strings.HasPrefix(uri, "http://") {
			return oauth.New(oauth.InvalidRedirectURI, "redirect_uris: loopback is for apps on a person's device: register application_type native, or use https").About("redirect_uris").Slugged(oauth.SlugRegistrationRedirectURI)
		}
	}
	return nil
}

// checkCeiling: never more than the policy, and never what acts for nobody.
func checkCeiling(m *metadata, ceiling string) *oauth.Error {
	allowed := smart.NewScopeSet(strings.Fields(ceiling))
	var beyond []string
	for _, text := range strings.Fields(m.Scope) {
		scope, err := smart.ParseScope(text)
		clinical := err == nil && scope.Level() != smart.LevelSystem && allowed.Covers(scope)
		if !clinical && !(err != nil && allowed.Has(text)) {
			beyond = append(beyond, text)
		}
	}
	if len(beyond) > 0 {
		return wrong("scope", "not for apps that register themselves here: "+strings.Join(beyond, " "))
	}
	return nil
}
