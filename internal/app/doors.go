package app

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/netip"
	"strings"

	"github.com/emberlatch/emberlatch/internal/authorize"
	"github.com/emberlatch/emberlatch/internal/clientkey"
	"github.com/emberlatch/emberlatch/internal/consent"
	"github.com/emberlatch/emberlatch/internal/developer"
	"github.com/emberlatch/emberlatch/internal/discovery"
	"github.com/emberlatch/emberlatch/internal/door"
	"github.com/emberlatch/emberlatch/internal/dpop"
	"github.com/emberlatch/emberlatch/internal/enrol"
	"github.com/emberlatch/emberlatch/internal/fhirapi"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/holder"
	"github.com/emberlatch/emberlatch/internal/introspect"
	"github.com/emberlatch/emberlatch/internal/keys"
	"github.com/emberlatch/emberlatch/internal/launch"
	"github.com/emberlatch/emberlatch/internal/live"
	"github.com/emberlatch/emberlatch/internal/login"
	"github.com/emberlatch/emberlatch/internal/logout"
	"github.com/emberlatch/emberlatch/internal/manage"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/push"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/recovery"
	"github.com/emberlatch/emberlatch/internal/registration"
	"github.com/emberlatch/emberlatch/internal/revoke"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/token"
	"github.com/emberlatch/emberlatch/internal/upstream"
	"github.com/emberlatch/emberlatch/internal/userinfo"
	"github.com/emberlatch/emberlatch/smart"
)

// doors are all doors of the public listener.
type doors struct {
	pages      *page.Renderer
	flow       *flow.Flow
	authorize  *authorize.Door
	login      *login.Door
	logout     *logout.Door
	manage     *manage.Door
	enrol      *enrol.Door
	recovery   *recovery.Door
	launch     *launch.Door
	ehr        *launch.EHR
	consent    *consent.Door
	token      *token.Door
	introspect *introspect.Door
	revoke     *revoke.Door
	push       *push.Door
	userinfo   *userinfo.Door
	discovery  *discovery.Door
	fhir       *fhirapi.Door
	// proofs is nil where DPoP is not offered; holders judges all access tokens.
	proofs  *dpop.Verifier
	holders *holder.Checker
	// registration is nil where apps cannot register themselves.
	registration *registration.Door
	// developer is nil where developers cannot register apps by themselves.
	developer *developer.Door
}

// openDoors builds each door with the parts that it names.
func (a *App) openDoors(ctx context.Context) (d doors, err error) {
	for _, open := range []func(context.Context, *doors) error{a.openHolders, a.openFlow, a.openPeopleDoors, a.openAppDoors, a.openRegistration, a.openDeveloper, a.openFHIR} {
		if err := open(ctx, &d); err != nil {
			return d, err
		}
	}
	return d, nil
}

// openHolders opens what decides whether a token may be used by who presents it.
func (a *App) openHolders(ctx context.Context, d *doors) error {
	if a.cfg.Authorization.offersDPoP() {
		key, err := a.ring.Secret(ctx, "dpop-nonce")
		if err != nil {
			return err
		}
		d.proofs, err = dpop.New(dpop.Deps{
			Origin: a.cfg.PublicURL, NonceKey: key, NonceRequired: a.cfg.Authorization.DPoP == DPoPNonce, Now: a.now,
		})
		if err != nil {
			return err
		}
	}
	var err error
	d.holders, err = holder.New(holder.Deps{Tokens: a.tokens, Proofs: d.proofs})
	return err
}

func (a *App) openFlow(ctx context.Context, d *doors) (err error) {
	d.pages, err = page.New(page.Deps{
		Organisation: a.cfg.Organisation.Name, Phone: a.cfg.Organisation.Phone, Sandbox: a.cfg.Sandbox, Upstream: a.upstream != nil,
		Secure: a.cfg.secure(), ConnectedPath: pathManage, Now: a.now, Log: a.log,
	})
	if err != nil {
		return err
	}
	tickets, err := a.ring.Live(ctx, keys.FormTicket)
	if err != nil {
		return err
	}
	d.flow, err = flow.New(flow.Deps{
		Store: a.store, Sessions: a.sessions, Pages: d.pages, Client: a.live.Client, Key: tickets.Bytes, Now: a.now, Log: a.log,
	})
	if err != nil {
		return err
	}
	d.logout, err = logout.New(logout.Deps{
		Store: a.store, Flow: d.flow, Sessions: a.sessions, Client: a.live.Client, Hint: a.tokens.Hint,
		Path: pathLogout, Key: tickets.Bytes, Now: a.now, Log: a.log,
	})
	return err
}

func (a *App) openPeopleDoors(_ context.Context, d *doors) error {
	var errs [7]error
	d.authorize, errs[0] = authorize.New(authorize.Deps{
		Store: a.store, Flow: d.flow, Sessions: a.sessions, Client: a.live.Client, Person: a.person, MayOpen: a.emergency.May, HasVisits: a.reach.HasEncounters, Offered: a.offered(), HintedUser: a.tokens.HintedUser,
		LoginPath: pathLogin, PatientPath: pathChoose, EncounterPath: pathEncounter, ApprovePath: pathApprove,
		Issuer: a.cfg.PublicURL, FHIRBase: a.cfg.FHIRBase(),
		CodeLife: a.cfg.Tokens.Code, RefreshIdle: a.cfg.Tokens.RefreshIdle, PromisedCode: a.tokens.PromisedCode, NewID: newID, Now: a.now, Log: a.log,
		Trail: a.trail, Address: a.peer,
		OfferPushed: a.cfg.Authorization.offersPushed(), RequirePushed: a.cfg.Authorization.requiresPushed(),
	})
	d.login, errs[1] = login.New(login.Deps{
		Store: a.store, Accounts: a.accounts, Factors: a.factors, Tries: a.tries, Flow: d.flow, Sessions: a.sessions, Place: manage.Place, Path: pathLogin, SecondPath: pathSecond, EnrolPath: pathEnrol, RecoverPath: pathRecover,
		Now: a.now, Log: a.log,
	})
	d.recovery, errs[6] = recovery.New(recovery.Deps{
		Store: a.store, Accounts: a.accounts, Patients: a.reach, Flow: d.flow, Place: manage.Place, Home: manage.Home, Path: pathRecover, LoginPath: pathLogin,
		Tries: a.tries, Settle: a.live.Refresh, Now: a.now, Log: a.log,
	})
	d.enrol, errs[2] = enrol.New(enrol.Deps{
		Store: a.store, Accounts: a.accounts, Patients: a.reach, Flow: d.flow, Sessions: a.sessions, Path: pathEnrol, SecondPath: pathSecond,
		Tries: a.tries, NewID: newID, Now: a.now, Log: a.log,
	})
	d.launch, errs[3] = launch.New(launch.Deps{
		Patients: a.reach, Person: a.person, Emergency: a.emergency, Flow: d.flow,
		Path: pathChoose, EncounterPath: pathEncounter, EmergencyPath: pathEmergency, Now: a.now,
	})
	d.consent, errs[4] = consent.New(consent.Deps{
		Remembered: a.store.Remembered, Person: a.person, Patient: a.reach.Patient, Flow: d.flow, Sessions: a.sessions,
		Path: pathApprove, Sandbox: a.cfg.Sandbox, Now: a.now,
	})
	d.manage, errs[5] = manage.New(manage.Deps{
		Store: a.store, Ledger: a.ledger, Accounts: a.accounts, Factors: a.factors, Tries: a.tries, Flow: d.flow, Sessions: a.sessions, Client: a.live.Client, Person: a.person, Patient: a.reach.Patient,
		FlushUses: a.uses.Flush, Settle: a.live.Refresh, LoginPath: pathLogin, LogoutPath: pathLogout, AccessLife: a.cfg.Tokens.Access,
		Sandbox: a.cfg.Sandbox, Emergencies: a.emergency != nil, Sensitive: a.sensitive.WordsForPatients, Now: a.now, Log: a.log,
	})
	return errors.Join(errs[:]...)
}

func (a *App) openAppDoors(_ context.Context, d *doors) error {
	clients, err := a.clientAuthenticator()
	if err != nil {
		return err
	}
	trusted, err := a.cfg.trusted(a.log)
	if err != nil {
		return err
	}
	var errs [7]error
	d.token, errs[0] = token.New(token.Deps{
		Grants: a.store, Clients: clients, Proofs: d.proofs, Client: a.live.Client, IsOriginOf: live.IsOriginOf, Minter: a.tokens, Entitled: a.people.entitled, Revoke: a.store.Revoke,
		Offered: a.offered(), Ended: a.live.End, RefreshGrace: a.cfg.Tokens.RefreshGrace, NewGrantID: func() store.GrantID { return store.NewGrantID(a.now()) }, FHIRBase: a.cfg.FHIRBase(),
		Trail: a.trail, Address: a.peer, Log: a.log,
	})
	d.introspect, errs[1] = introspect.New(introspect.Deps{
		Clients: clients, Client: a.live.Client, Holders: d.holders, Tokens: a.tokens, Grants: a.store, Reaches: a.people.reaches, Issuer: a.cfg.PublicURL, FHIRBase: a.cfg.FHIRBase(), Now: a.now, Log: a.log,
		Trusted: trusted, SignAnswers: a.cfg.Introspection.SignedAnswers,
	})
	d.revoke, errs[2] = revoke.New(revoke.Deps{Grants: a.store, Clients: clients, Tokens: a.tokens, Settle: a.live.Refresh, Log: a.log})
	d.userinfo, errs[3] = userinfo.New(userinfo.Deps{Holders: d.holders, FHIRBase: a.cfg.FHIRBase()})
	features := a.features()
	if features.Brands, err = a.cfg.brands(); err != nil {
		return err
	}
	d.discovery, errs[4] = discovery.New(features, a.ring.JWKS)
	d.ehr, errs[5] = launch.NewEHR(launch.EHRDeps{Clients: clients, Starter: a.starter, Log: a.log})
	d.push, errs[6] = push.New(push.Deps{Requests: a.store, Clients: clients, Proofs: d.proofs, Check: d.authorize.Check, IsOriginOf: live.IsOriginOf, Address: a.address, Log: a.log})
	return errors.Join(errs[:]...)
}

// openRegistration opens the door at which apps register, or look after what was
// registered, if either is switched on.
func (a *App) openRegistration(_ context.Context, d *doors) (err error) {
	dynamic := a.cfg.Registration
	if dynamic.Dynamic == RegistrationOff && dynamic.SelfService == SelfServiceOff {
		return nil
	}
	d.registration, err = registration.New(registration.Deps{
		Store: a.store, Registrar: a.registrar, Settle: a.live.Refresh, Endpoint: a.cfg.PublicURL + pathRegister,
		Open: dynamic.Dynamic == RegistrationOpen, Limit: dynamic.MaxClients, Address: a.address, Now: a.now, Log: a.log,
	})
	return err
}

// openDeveloper opens the pages for developers, if they are switched on.
func (a *App) openDeveloper(ctx context.Context, d *doors) error {
	cfg := a.cfg.Registration
	if cfg.SelfService == SelfServiceOff {
		return nil
	}
	tickets, err := a.ring.Live(ctx, keys.FormTicket)
	if err != nil {
		return err
	}
	d.developer, err = developer.New(developer.Deps{
		Store: a.store, Registrar: a.registrar, Approval: developer.Approval{Preview: d.consent.Preview, Offer: consent.Offer, Choose: consent.Choose},
		Flow: d.flow, Sessions: a.sessions, Calendar: a.calendar, Settle: a.live.Refresh, Path: pathDevelopers, Endpoint: a.cfg.PublicURL + pathRegister,
		Issuer: a.cfg.PublicURL, FHIRBase: a.cfg.FHIRBase(), TermsURI: cfg.TermsURI, Reviewed: cfg.SelfService == SelfServiceReviewed,
		Limit: cfg.MaxClients, WaitingLimit: cfg.MaxWaiting, Address: a.address, Key: tickets.Bytes, Now: a.now, Log: a.log,
	})
	return err
}

// registerPath is where apps register themselves; empty: nowhere.
func (a *App) registerPath() string {
	if a.cfg.Registration.Dynamic == RegistrationOff {
		return ""
	}
	return pathRegister
}

func (a *App) openFHIR(ctx context.Context, d *doors) error {
	pageKey, err := a.ring.Secret(ctx, "page-link")
	if err != nil {
		return err
	}
	origin := a.cfg.PublicURL
	uris := fhirapi.OAuthURIs{
		Authorize: origin + pathAuthorize, Token: origin + pathToken, Introspect: origin + pathIntrospect, Revoke: origin + pathRevoke, Manage: origin + pathManage,
	}
	if path := a.registerPath(); path != "" {
		uris.Register = origin + path
	}
	deps := fhirapi.Deps{
		Base: a.cfg.FHIRBase(), Path: pathFHIR, Subjects: a.subjects(d.holders, a.uses.Note),
		Backend: a.records, PageKey: pageKey, TellReasons: a.cfg.Sandbox, Trail: a.trail, Events: a.ledger, Address: a.peer, Sensitive: a.sensitive, Now: a.now, Log: a.log,
	}
	if a.fhir != nil {
		limits := a.cfg.FHIR.Export
		deps.Keeper = a.fhir
		deps.Export = fhirapi.Export{Store: a.fhir, Life: limits.Life, Counting: limits.JobsPerClient, Resources: limits.MaxResources, Stands: a.stands, Began: a.exportBegan}
	}
	if a.upstream != nil {
		deps.Keeper = a.upstream
		deps.Offers = func(ctx context.Context) (fhirapi.Offers, error) { return a.upstream.Offers(ctx) }
		deps.MaxPosition = upstream.MaxPosition
		deps.CapabilityNow = (&narrowedCapability{base: a.cfg.FHIRBase(), uris: uris, offers: a.upstream.Offers}).now
	} else if deps.Capability, err = fhirapi.NewCapability(a.cfg.FHIRBase(), uris); err != nil {
		return err
	}
	d.fhir, err = fhirapi.New(deps)
	return err
}

// offered narrows scopes to what the FHIR API answers (SCOPE-16).
func (a *App) offered() func(smart.ScopeSet) smart.ScopeSet {
	if a.upstream != nil {
		return func(asked smart.ScopeSet) smart.ScopeSet {
			if offers := a.upstream.KnownOffers(); offers != nil {
				return fhirapi.OfferedWithin(offers, asked)
			}
			return fhirapi.OfferedToRead(asked)
		}
	}
	return fhirapi.Offered
}

// person is who a user is and whom they reach now.
func (a *App) person(ctx context.Context, id store.UserID) (store.User, reach.Whom, error) {
	p, err := a.people.get(ctx, id)
	return p.user, p.reach, err
}

// features is what discovery advertises: what is built above, and nothing else.
func (a *App) features() discovery.Features {
	pushed := ""
	if a.cfg.Authorization.offersPushed() {
		pushed = pathPush
	}
	var proofs []string
	if a.cfg.Authorization.offersDPoP() {
		proofs = dpop.Algorithms()
	}
	return discovery.Features{
		Pushed: pushed, RequirePushed: a.cfg.Authorization.requiresPushed(),
		Issuer: a.cfg.PublicURL, FHIRBase: a.cfg.FHIRBase(), Authorize: pathAuthorize, Token: pathToken,
		Introspect: pathIntrospect, Revoke: pathRevoke, UserInfo: pathUserInfo, JWKS: pathKeys, Logout: pathLogout, Manage: pathManage, Register: a.registerPath(), BrandsPath: pathBrands,
		Capabilities: []string{
			"launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric", "sso-openid-connect",
			"context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient",
			"context-standalone-encounter", "permission-offline", "permission-online", "permission-patient", "permission-user",
			"permission-v1", "permission-v2",
		},
		Scopes: advertisedScopes(), GrantTypes: []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken, oauth.GrantClientCredentials},
		AuthMethods:         []string{string(store.AuthSecretBasic), string(store.AuthSecretPost), string(store.AuthPrivateKeyJWT), string(store.AuthNone)},
		AssertionAlgorithms: clientkey.Algorithms(), ProofAlgorithms: proofs, IDTokenAlgorithms: a.ring.Algorithms(keys.UseID),
		IntrospectionAlgorithms: a.introspectionAlgorithms(),
	}
}

// address is what tries are counted by: the network of the peer.
func (a *App) address(r *http.Request) string {
	peer, ok := a.from(r)
	if !ok {
		return "unknown"
	}
	return door.Network(peer)
}

// peer is the address of the peer, for the record.
func (a *App) peer(r *http.Request) string {
	peer, ok := a.from(r)
	if !ok {
		return ""
	}
	return peer.Unmap().String()
}

// from is where a request comes from: the peer, or behind a trusted proxy the right-most
// address that the proxy added (TLS-05).
func (a *App) from(r *http.Request) (netip.Addr, bool) {
	addressed, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	peer := addressed.Addr()
	if a.cfg.trustsProxy(peer) {
		forwarded := r.Header.Values("X-Forwarded-For")
		if len(forwarded) > 0 {
			parts := strings.Split(forwarded[len(forwarded)-1], ",")
			if last, err := netip.ParseAddr(strings.TrimSpace(parts[len(parts)-1])); err == nil {
				peer = last
			}
		}
	}
	return peer, true
}

// newID is a random id: 130 bits in letters and digits.
func newID() string { return strings.ToLower(rand.Text()) }
