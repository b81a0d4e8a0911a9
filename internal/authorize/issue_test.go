package authorize_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/authorize"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
)

const quarter = 93 * 24 * time.Hour

// The family of refresh tokens is fixed when the grant is made.
//
// spec: RT-01, RT-02, RT-14, RT-17, CONS-20, SCOPE-42
// attack: SL-15
func TestRefreshPolicy(t *testing.T) {
	for _, row := range []struct {
		name, client, scope string
		registered          func(*store.Client)
		chosen              time.Duration
		want                store.RefreshPolicy
	}{
		{"RT-01 not asked for", "web", "openid", nil, 0, store.RefreshPolicy{}},
		{"RT-01 offline", "web", "openid offline_access", nil, 0, store.RefreshPolicy{Kind: store.RefreshOffline, Idle: quarter, Rotate: true}},
		{"RT-02 online", "web", "openid online_access", nil, 0, store.RefreshPolicy{Kind: store.RefreshOnline, Idle: quarter, Rotate: true}},
		{"SL-15 both are offline", "web", "openid offline_access online_access", nil, 0, store.RefreshPolicy{Kind: store.RefreshOffline, Idle: quarter, Rotate: true}},
		{"RT-14 confidential, kept", "web", "openid offline_access", func(c *store.Client) { c.KeepRefreshToken = true }, 0, store.RefreshPolicy{Kind: store.RefreshOffline, Idle: quarter}},
		{"RT-14 public, always rotated", "browser", "openid offline_access", func(c *store.Client) { c.KeepRefreshToken = true }, 0, store.RefreshPolicy{Kind: store.RefreshOffline, Idle: quarter, Rotate: true}},
		{"RT-17 a length of the client", "web", "openid offline_access", func(c *store.Client) { c.RefreshLife = time.Hour }, 0, store.RefreshPolicy{Kind: store.RefreshOffline, Idle: time.Hour, Rotate: true}},
		{"CONS-20 a year", "web", "openid offline_access", nil, 365 * 24 * time.Hour, store.RefreshPolicy{Kind: store.RefreshOffline, Idle: 365 * 24 * time.Hour, Rotate: true}},
		{"CONS-20 one day ends after a day", "web", "openid offline_access", nil, 24 * time.Hour, store.RefreshPolicy{Kind: store.RefreshOffline, Idle: 24 * time.Hour, Absolute: 24 * time.Hour, Rotate: true}},
		{"RT-01 not registered for it", "web", "openid offline_access", func(c *store.Client) { c.GrantTypes = c.GrantTypes[:1] }, 0, store.RefreshPolicy{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			c := e.clients[store.ClientID(row.client)]
			if row.registered != nil {
				row.registered(&c)
			}
			e.clients[c.ID] = c
			who := e.signIn("maria")
			e.begin(e.values(row.client, row.scope))
			e.approve(row.scope, func(r *store.AuthorizationRequest) { r.RefreshLife = row.chosen })
			i := e.issued(t)
			if got := i.Grant.Refresh; got != row.want {
				t.Errorf("policy %+v, want %+v", got, row.want)
			}
			if bound := string(i.Grant.SessionHash) == string(who.Hash()); bound != (row.want.Kind == store.RefreshOnline) {
				t.Errorf("bound to the session: %v", bound)
			}
		})
	}
}

// A look by HEAD is safe (RFC 9110 §9.3.2): it answers no request, with a code or
// with a refusal.
func TestALookDoesNotAnswerARequest(t *testing.T) {
	for want, change := range map[string]func(*store.AuthorizationRequest){
		"code": func(*store.AuthorizationRequest) {}, "access_denied": func(r *store.AuthorizationRequest) { r.Refused = "access_denied" },
	} {
		e := newEnv(t)
		e.signIn("maria")
		e.begin(e.values("web", patientScopes))
		e.approve(patientScopes, change)
		handle := e.handle()
		look := httptest.NewRequest(http.MethodHead, issuer+flow.ContinuePath+"?request="+handle, nil)
		if a := e.serve(e.door.Continue, look); a.status != http.StatusOK || len(e.store.issued) != 0 {
			t.Errorf("HEAD: %d %v, %d codes", a.status, a.location, len(e.store.issued))
		}
		if a := e.continues(handle); a.outcome() != want {
			t.Errorf("after HEAD: %d %s, want %s", a.status, a.outcome(), want)
		}
	}
}

// handle makes the only stored request one whose handle is known.
func (e *env) handle() string {
	e.t.Helper()
	for key, r := range e.store.requests {
		delete(e.store.requests, key)
		r.HandleHash = oauth.Hash("rq_known")
		e.store.requests[string(r.HandleHash)] = r
	}
	return "rq_known"
}

// issued continues the only stored request and returns what was written.
func (e *env) issued(t *testing.T) store.Issue {
	t.Helper()
	a := e.continues(e.handle())
	if a.outcome() != "code" || len(e.store.issued) != 1 {
		t.Fatalf("got %s (%v), %d codes", a.outcome(), a.location, len(e.store.issued))
	}
	i := e.store.issued[0]
	if code := a.query("code"); !strings.HasPrefix(code, "ac_") || string(i.Code.Hash) != string(oauth.Hash(code)) || i.Code.Life != time.Minute {
		t.Errorf("code %q, life %v", code, i.Code.Life)
	}
	return i
}

// A grant holds what was approved, of what was asked for; with a patient only
// when a scope is about one; and a record of the decision.
//
// spec: CONS-11, CONS-24, CTX-14, CTX-17, SCOPE-20
// attack: CO-03, SL-09
func TestWhatAGrantHolds(t *testing.T) {
	for _, row := range []struct {
		name, user, asked, approved string
		pairs                       []string
		patient                     string // chosen
		want, wantPatient           string
	}{
		{"CONS-11 all", "maria", patientScopes, patientScopes, nil, "maria", patientScopes, "maria"},
		{"CONS-11 a part", "maria", patientScopes, "launch/patient patient/Condition.rs", nil, "maria", "launch/patient patient/Condition.rs", "maria"},
		{"CO-03 more than was asked for", "maria", "launch/patient patient/Condition.rs", "launch/patient patient/Condition.rs patient/*.cruds user/*.rs offline_access", nil, "maria", "launch/patient patient/Condition.rs", "maria"},
		{"CTX-17 patient as a parameter", "maria", patientScopes, patientScopes, []string{"patient", "leo", "encounter", "e1"}, "", patientScopes, "maria"},
		{"CTX-14 no scope about a patient", "maria", "openid user/Condition.rs", "openid user/Condition.rs", nil, "maria", "openid user/Condition.rs", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			e.signIn(store.UserID(row.user))
			e.begin(e.values("web", row.asked, row.pairs...))
			e.approve(row.approved, func(r *store.AuthorizationRequest) {
				if row.patient != "" {
					r.Patient = row.patient
				}
			})
			i := e.issued(t)
			if !sameScopes(i.Grant.Scopes, row.want) || i.Grant.Patient != row.wantPatient {
				t.Errorf("scopes %v, patient %q", i.Grant.Scopes, i.Grant.Patient)
			}
			d := i.Decision
			if d == nil || !d.Allowed || !sameScopes(d.Requested, row.asked) || !sameScopes(d.Approved, row.want) || d.UserID != "maria" ||
				d.ClientID != "web" || !d.At.Equal(e.clock) || d.TextVersion == "" || d.GrantID != string(i.Grant.ID) {
				t.Errorf("decision %+v", d)
			}
		})
	}
	t.Run("CONS-20 the length is remembered with the choice", func(t *testing.T) {
		e := newEnv(t)
		e.signIn("maria")
		e.begin(e.values("web", patientScopes))
		e.approve(patientScopes, func(r *store.AuthorizationRequest) { r.RefreshLife = 24 * time.Hour })
		if got := e.issued(t).Remember; got == nil || got.RefreshLife != 24*time.Hour {
			t.Errorf("remembered %+v", got)
		}
	})
	t.Run("SL-09 approved for nothing", func(t *testing.T) {
		e := newEnv(t)
		e.signIn("maria")
		e.begin(e.values("web", patientScopes))
		e.approve("launch/patient user/*.rs", nil)
		if got := e.continues(e.handle()).outcome(); got != "access_denied" || len(e.store.issued) != 0 {
			t.Errorf("got %s, %d codes", got, len(e.store.issued))
		}
	})
}

// What changed between the approval and the code is seen.
//
// spec: LOGIN-18, CTX-13
// attack: AZ-23, AZ-27, AZ-37, CO-11
func TestTheLastLook(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(e *env)
		want   string
	}{
		{"nothing changed", func(*env) {}, "code"},
		{"AZ-23 client disabled", func(e *env) { c := e.clients["web"]; c.Disabled = true; e.clients["web"] = c }, "page"},
		{"REG-06 client under review again", func(e *env) { c := e.clients["web"]; waits(&c); e.clients["web"] = c }, "page"},
		{"AZ-23 client deleted", func(e *env) { delete(e.clients, "web") }, "page"},
		{"AZ-23 redirect URI removed", func(e *env) { c := e.clients["web"]; c.RedirectURIs = c.RedirectURIs[1:]; e.clients["web"] = c }, "page"},
		{"AZ-23 scopes narrowed", func(e *env) { c := e.clients["web"]; c.Scope = "patient/Immunization.rs"; e.clients["web"] = c }, "access_denied"},
		{"CO-11 patient out of reach, another left", func(e *env) { e.reach["anna"] = []string{"anna", "tim"} }, "/choose"},
		{"CO-11 nobody left", func(e *env) { e.reach["anna"] = nil }, "access_denied"},
		{"LOGIN-18 account disabled", func(e *env) { delete(e.users, "anna") }, "/login"},
		{"LOGIN-18 session ended", func(e *env) { clear(e.store.sessions) }, "/login"},
		{"LOGIN-18 somebody else signed in", func(e *env) { e.signIn("maria") }, "/login"},
		{"AZ-27 another browser", func(e *env) { delete(e.cookies, "__Host-emberlatch_browser") }, "page"},
		{"AZ-27 the browser of a victim", func(e *env) {
			e.cookies["__Host-emberlatch_browser"] = &http.Cookie{Name: "__Host-emberlatch_browser", Value: "br_" + strings.Repeat("v", 43)}
		}, "page"},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			e.signIn("anna")
			e.begin(e.values("web", "launch/patient patient/Condition.rs"))
			e.approve("launch/patient patient/Condition.rs", func(r *store.AuthorizationRequest) { r.Patient = "leo" })
			handle := e.handle()
			row.change(e)
			a := e.continues(handle)
			if a.outcome() != row.want || (len(e.store.issued) > 0) != (row.want == "code") {
				t.Errorf("got %s, want %s (%v), %d codes", a.outcome(), row.want, a.location, len(e.store.issued))
			}
			if row.want == "page" && a.status != http.StatusBadRequest {
				t.Errorf("status %d", a.status)
			}
		})
	}
	for _, handle := range []string{"", "rq_", "rq_knowm", "rq_know", "rq_known "} {
		t.Run("AZ-37 "+handle, func(t *testing.T) {
			e := newEnv(t)
			e.begin(e.values("web", patientScopes))
			e.handle()
			if a := e.continues(handle); a.outcome() != "page" || a.status != http.StatusBadRequest {
				t.Errorf("%s %d", a.outcome(), a.status)
			}
		})
	}
}

// Twenty tabs at once: one code, and the others are told.
//
// spec: AUTHZ-30
// attack: AZ-25, AZ-28
func TestOneCodeForARequest(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	e.begin(e.values("web", patientScopes))
	e.approve(patientScopes, func(r *store.AuthorizationRequest) { r.Patient = "maria" })
	handle := e.handle()
	var wg sync.WaitGroup
	statuses := make([]int, 20)
	for i := range statuses {
		wg.Go(func() {
			r := httptest.NewRequest(http.MethodGet, issuer+flow.ContinuePath+"?request="+handle, nil)
			for _, c := range e.cookies {
				r.AddCookie(c)
			}
			w := httptest.NewRecorder()
			e.door.Continue(w, r)
			statuses[i] = w.Code
		})
	}
	wg.Wait()
	slices.Sort(statuses)
	if statuses[0] != http.StatusSeeOther || statuses[1] != http.StatusBadRequest || len(e.store.issued) != 1 {
		t.Errorf("statuses %v, %d codes", statuses, len(e.store.issued))
	}
	if a := e.continues(handle); a.outcome() != "page" || a.status != http.StatusBadRequest {
		t.Errorf("replay: %s %d", a.outcome(), a.status)
	}
}

// What is approved without asking is what was chosen before, for as long; and it
// is not the person's answer, so nothing of it is kept as one.
//
// spec: CONS-14, CONS-16, CONS-20, CONS-24
func TestWhatIsRecalled(t *testing.T) {
	const scope = "launch/patient patient/Condition.rs offline_access"
	chosen := store.RememberedConsent{
		UserID: "maria", ClientID: "web", Patient: "maria", Requested: strings.Fields(scope), Approved: strings.Fields(scope),
		Audience: base, RedirectHost: "web.example.org", DoNotAsk: true, RefreshLife: 24 * time.Hour,
	}
	for _, row := range []struct {
		name    string
		arrange func(e *env)
		answer  func(e *env) answer
		idle    time.Duration
	}{
		{"CONS-14 signed in on the way", func(e *env) { e.store.remembered = chosen }, func(e *env) answer {
			e.begin(e.values("web", scope))
			who := e.signIn("maria")
			for key, r := range e.store.requests {
				r.UserID, r.SessionHash = "maria", who.Hash()
				e.store.requests[key] = r
			}
			return e.continues(e.handle())
		}, 24 * time.Hour},
		{"CONS-22 approved by the organisation", func(e *env) {
			c := e.clients["web"]
			c.Preapproved = true
			e.clients["web"] = c
		}, func(e *env) answer {
			e.begin(e.values("web", scope))
			who := e.signIn("chen")
			for key, r := range e.store.requests {
				r.UserID, r.SessionHash, r.Patient = "chen", who.Hash(), "maria"
				e.store.requests[key] = r
			}
			return e.continues(e.handle())
		}, quarter},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := newEnv(t)
			row.arrange(e)
			if a := row.answer(e); a.outcome() != "code" || len(e.store.issued) != 1 {
				t.Fatalf("got %s, %d codes", a.outcome(), len(e.store.issued))
			}
			i := e.store.issued[0]
			if got := i.Grant.Refresh.Idle; got != row.idle {
				t.Errorf("lives %v, chosen were %v", got, row.idle)
			}
			if i.Decision != nil || i.Remember != nil {
				t.Errorf("nobody decided anything: %+v %+v", i.Decision, i.Remember)
			}
		})
	}
}

// A refusal by somebody at the browser whose session is over is not the person's.
//
// spec: CONS-24
func TestACancellationByNobodyIsNoDecision(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	e.begin(e.values("web", patientScopes))
	for key, r := range e.store.requests {
		r.Refused = "access_denied"
		e.store.requests[key] = r
	}
	clear(e.store.sessions)
	if a := e.continues(e.handle()); a.outcome() != "access_denied" || len(e.store.decisions) != 0 {
		t.Errorf("got %s, decisions %+v", a.outcome(), e.store.decisions)
	}
}

// A refusal is told to the app once, and kept.
//
// spec: CONS-10, CONS-24
func TestARefusalIsKept(t *testing.T) {
	e := newEnv(t)
	e.signIn("maria")
	e.begin(e.values("web", patientScopes))
	for key, r := range e.store.requests {
		r.UserID, r.Refused = "maria", "access_denied"
		e.store.requests[key] = r
	}
	handle := e.handle()
	if a := e.continues(handle); a.outcome() != "access_denied" || a.query("state") != "st" || a.query("keep") != "1" {
		t.Errorf("answer %v", a.location)
	}
	if d := e.store.decisions; len(d) != 1 || d[0].Allowed || d[0].UserID != "maria" || len(d[0].Approved) != 0 {
		t.Errorf("decisions %+v", d)
	}
	if a := e.continues(handle); a.outcome() != "page" || len(e.store.decisions) != 1 {
		t.Errorf("again: %s, %d decisions", a.outcome(), len(e.store.decisions))
	}
}

// The session goes along where an ID token will tell of it. Who signs out while the
// code is made gets none.
//
// spec: LOGOUT-10
func TestTheSessionOfAnIDToken(t *testing.T) {
	for scopes, want := range map[string]bool{"openid user/Patient.rs": true, "user/Patient.rs": false} {
		e := newEnv(t)
		who := e.signIn("maria")
		e.begin(e.values("web", scopes))
		e.approve(scopes, nil)
		if i := e.issued(t); (i.IDSessionHash != nil) != want || want && string(i.IDSessionHash) != string(who.Hash()) {
			t.Errorf("%s: session %x", scopes, i.IDSessionHash)
		}
	}
	e := newEnv(t)
	e.signIn("maria")
	e.begin(e.values("web", "openid user/Patient.rs"))
	e.approve("openid user/Patient.rs", nil)
	e.open(func(d *authorize.Deps) { d.Store = over{e.store} })
	if a := e.continues(e.handle()); a.outcome() != "login_required" || a.query("code") != "" {
		t.Errorf("signed out meanwhile: %d %s", a.status, a.outcome())
	}
}

// over is a store where every session ends before a code is written.
type over struct{ *memory }

func (over) IssueCode(context.Context, store.Issue) error { return store.ErrRevoked }
