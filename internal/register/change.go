package register

import (
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// update is what a client sends to change its registration (RFC 7592 §2.2): all of
// its metadata, who it is, and nothing that only the server gives out.
type update struct {
	document
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	IssuedAt     int64  `json:"client_id_issued_at"`
	ExpiresAt    int64  `json:"client_secret_expires_at"`
	Token        string `json:"registration_access_token"`
	URI          string `json:"registration_client_uri"`
}

// ReplaceSelf reads what a client that registered itself says of itself now, and
// returns the whole new client with the members that changed. What the operator
// vouched for is vouched for no longer when the app says that it is another one, and
// is among what changed.
func (r *Registrar) ReplaceSelf(was store.Client, raw []byte) (store.Client, []string, error) {
	raw, statement, refused := r.withStatement(raw)
	if refused != nil {
		return store.Client{}, nil, refused
	}
	u, refused := read[update](raw, false)
	if refused != nil {
		return store.Client{}, nil, refused
	}
	if refused := r.checkIdentity(was, u); refused != nil {
		return store.Client{}, nil, refused
	}
	if refused := r.judgeSelf(&u.document, was, r.ceilingOf(was)); refused != nil {
		return store.Client{}, nil, refused
	}
	now, changed, refused := succeed(was, &u.metadata)
	if refused != nil {
		return store.Client{}, nil, refused
	}
	if u.lapse(was, changed) {
		if now, changed, refused = succeed(was, &u.metadata); refused != nil {
			return store.Client{}, nil, refused
		}
	}
	if now.SoftwareStatement = statement; statement != was.SoftwareStatement {
		changed = append(changed, "software_statement")
	}
	if anotherApp(changed) && r.reviewAgain(&now) {
		changed = append(changed, "review")
	}
	return now, changed, nil
}

// reviewAgain takes back that it is known who makes an app that is another one now.
// Where apps wait for a review, one that came by the form waits again; the clock of
// one that waits already runs on (REG-06).
func (r *Registrar) reviewAgain(c *store.Client) bool {
	before := c.Review
	switch {
	case c.RegisteredWith != store.RegisteredByForm || !r.deps.Self.Reviewed:
		c.Review.VerifiedAt = time.Time{}
	case !before.VerifiedAt.IsZero() || !before.EnabledAt.IsZero():
		c.Review = store.Review{RegisteredAt: r.deps.Now().UTC().Truncate(time.Millisecond)}
	}
	return c.Review != before
}

// anotherApp reports whether that by which an operator knows an app has changed.
func anotherApp(changed []string) bool {
	return slices.ContainsFunc(changed, func(member string) bool { return slices.Contains(vouched, member) })
}

// vouched are the members by which an operator knows an app.
var vouched = []string{
	"client_name", "emberlatch_maker", "client_uri", "logo_uri", "policy_uri", "tos_uri", "redirect_uris", "post_logout_redirect_uris", "initiate_login_uri",
	"application_type", "jwks", "jwks_uri", "software_id",
}

// lapse takes back what an operator granted to another app than this one: all that
// was vouched for, and the rights of an EHR and of a resource server, when that by
// which it is known has changed; and the approval given in the place of clinicians
// when more is asked for than was approved (REG-17: wider scopes need new consent).
func (m *metadata) lapse(was store.Client, changed []string) bool {
	another := anotherApp(changed)
	if another {
		m.Checked, m.Trusted, m.MayIntrospect, m.MayLaunch = false, nil, false, false
	}
	more := another || wider(m.Scope, was.Scope)
	if more {
		m.Preapproved = false
	}
	return more
}

// wider reports whether scopes ask for anything beyond others.
func wider(scope, before string) bool {
	asked := smart.NewScopeSet(strings.Fields(scope))
	within := smart.Allowed(asked, smart.NewScopeSet(strings.Fields(before)))
	return !slices.Equal(within.Strings(), asked.Strings())
}

// checkIdentity: RFC 7592 §2.2, paragraph by paragraph.
func (r *Registrar) checkIdentity(was store.Client, u update) *oauth.Error {
	switch {
	case u.ClientID != string(was.ID):
		return wrong("client_id", "send the client_id of this registration")
	case u.Token != "":
		return wrong("registration_access_token", "leave it out of the document")
	case u.URI != "":
		return wrong("registration_client_uri", "leave it out of the document")
	case u.ExpiresAt != 0:
		return wrong("client_secret_expires_at", "leave it out of the document")
	case u.IssuedAt != 0:
		return wrong("client_id_issued_at", "leave it out of the document")
	case u.ClientSecret != "" && !r.knows(was, u.ClientSecret):
		return wrong("client_secret", "a secret is made by the server; leave it out, or send the one that is valid")
	}
	return nil
}

// knows reports whether a secret is one of the client's that is valid now.
func (r *Registrar) knows(c store.Client, secret string) bool {
	hash, match := oauth.Hash(secret), 0
	for _, s := range c.Secrets {
		if s.ExpiresAt.IsZero() || r.deps.Now().Before(s.ExpiresAt) {
			match |= subtle.ConstantTimeCompare(hash, s.Hash)
		}
	}
	return match == 1
}

// Change lays an operator's document over what a client has registered: members
// that it names are replaced, null takes one away, all others stay (RFC 7396). The
// result is judged as a whole. It returns the members that changed.
func (r *Registrar) Change(was store.Client, raw []byte) (store.Client, []string, error) {
	patch, refused := readMembers(raw)
	if refused != nil {
		return store.Client{}, nil, refused
	}
	if _, refused := read[metadata](raw, true); refused != nil { // names and types, where they stand
		return store.Client{}, nil, refused
	}
	whole, err := membersOf(metadataOf(was))
	if err != nil {
		return store.Client{}, nil, err
	}
	for name, value := range patch {
		if value.Kind() == 'n' {
			delete(whole, name)
			continue
		}
		whole[name] = value
	}
	merged, err := json.Marshal(whole)
	if err != nil {
		return store.Client{}, nil, err
	}
	m, refused := read[metadata](merged, true)
	if refused != nil {
		return store.Client{}, nil, refused
	}
	m.complete(r.deps.Sandbox)
	for _, rule := range []func(*metadata) *oauth.Error{sameKind(was), r.judge} {
		if refused := rule(&m); refused != nil {
			return store.Client{}, nil, refused
		}
	}
	now, changed, refused := succeed(was, &m)
	if refused != nil {
		return store.Client{}, nil, refused
	}
	return now, m.setByOperator(&now, changed, patch), nil
}

// succeed puts judged metadata in the place of what a client had: its id, secrets
// and state stay.
func succeed(was store.Client, m *metadata) (store.Client, []string, *oauth.Error) {
	now := m.client(was.CreatedAt)
	now.ID, now.Secrets, now.RefuseSecretPost, now.Disabled = was.ID, was.Secrets, was.RefuseSecretPost, was.Disabled
	now.SelfRegistered, now.RegisteredWith, now.SoftwareStatement = was.SelfRegistered, was.RegisteredWith, was.SoftwareStatement
	now.RegistrationHash, now.Version = was.RegistrationHash, was.Version
	now.Ceiling, now.Review, now.OperatorSet = was.Ceiling, was.Review, was.OperatorSet
	changed, err := differences(metadataOf(was), metadataOf(now))
	if err != nil {
		return now, nil, malformed(err)
	}
	return now, changed, nil
}

// sameKind: the kind of a client is fixed when it registers (CAUTH-01).
func sameKind(was store.Client) func(m *metadata) *oauth.Error {
	return func(m *metadata) *oauth.Error {
		if was.ID != "" && kindOf(store.AuthMethod(m.AuthMethod)) != kindOf(was.AuthMethod) {
			return wrong("token_endpoint_auth_method", "the kind of a client is fixed when it registers: register it anew")
		}
		return nil
	}
}

// kindOf is public, symmetric or asymmetric.
func kindOf(m store.AuthMethod) store.AuthMethod {
	if m == store.AuthSecretPost {
		return store.AuthSecretBasic
	}
	return m
}

func membersOf(m metadata) (members, error) {
	text, err := json.Marshal(m, json.OmitZeroStructFields(true))
	if err != nil {
		return nil, err
	}
	var all members
	return all, json.Unmarshal(text, &all)
}

// differences are the names of the members that are not the same, sorted.
func differences(a, b metadata) ([]string, error) {
	before, err := membersOf(a)
	if err != nil {
		return nil, err
	}
	after, err := membersOf(b)
	if err != nil {
		return nil, err
	}
	var changed []string
	for name := range before {
		if string(before[name]) != string(after[name]) {
			changed = append(changed, name)
		}
	}
	for name := range after {
		if _, known := before[name]; !known {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	return changed, nil
}
