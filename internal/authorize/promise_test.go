package authorize_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// approvedBefore is an approval of maria's for the app "web" that asks not to be asked.
func approvedBefore(scope string) store.RememberedConsent {
	return store.RememberedConsent{
		UserID: "maria", ClientID: "web", Patient: "maria", Requested: strings.Fields(scope), Approved: strings.Fields(scope),
		Audience: base, RedirectHost: "web.example.org", DoNotAsk: true, RefreshLife: 24 * time.Hour, DecidedAt: time.Unix(1, 0),
	}
}

// What is approved without asking, by a person who is signed in, is promised: nothing is
// written, and the code carries what the grant will be and all that it stands on.
//
// spec: CONS-14, CONS-20, CONS-24, AUTHZ-23, AUTHZ-26
func TestARememberedApprovalPromises(t *testing.T) {
	const scope = "launch/patient patient/Condition.rs offline_access openid"
	e := newEnv(t)
	e.store.remembered = approvedBefore(scope)
	who := e.signIn("maria")
	client := e.clients["web"]
	client.Version = 7
	e.clients["web"] = client
	v := e.values("web", scope, "nonce", "n1")
	a := e.begin(v)
	if a.outcome() != "code" || a.query("code") != "ac_promised" || len(e.store.promised) != 1 || len(e.store.issued)+len(e.store.requests)+len(e.store.decisions) != 0 {
		t.Fatalf("%s %v: %d promised, %d written, %d stored", a.outcome(), a.location, len(e.store.promised), len(e.store.issued), len(e.store.requests))
	}
	p := e.store.promised[0]
	g := p.Grant
	if g.ClientID != "web" || g.UserID != "maria" || g.Patient != "maria" || g.Nonce != "n1" || !sameScopes(g.Scopes, scope) || g.Audience != base {
		t.Errorf("the grant: %+v", g)
	}
	if g.Refresh.Kind != store.RefreshOffline || g.Refresh.Idle != 24*time.Hour {
		t.Errorf("chosen was a day: %+v", g.Refresh)
	}
	if p.RedirectURI != v.Get("redirect_uri") || p.CodeChallenge != v.Get("code_challenge") || p.CodeChallenge == "" || p.ClientVersion != 7 {
		t.Errorf("bound to %q %q, version %d", p.RedirectURI, p.CodeChallenge, p.ClientVersion)
	}
	if !bytes.Equal(p.SessionHash, who.Hash()) || !p.ToldOfSession || p.ApprovalPatient != "maria" || !p.ApprovedAt.Equal(time.Unix(1, 0)) {
		t.Errorf("stands on %x, %q at %v", p.SessionHash, p.ApprovalPatient, p.ApprovedAt)
	}
	if want := e.clock.Add(skew + time.Minute); !p.ExpiresAt.Equal(want) {
		t.Errorf("good until %v, want %v by the database's clock", p.ExpiresAt, want)
	}
}

// What a person decides in the request, or nobody has to decide, is written at once, and
// so is what is too long to travel.
//
// spec: CONS-14, CONS-22, CONS-24
func TestWhatIsNotPromised(t *testing.T) {
	const scope = "launch/patient patient/Condition.rs"
	long := scope + " patient/Observation.rs patient/Immunization.rs patient/Procedure.rs patient/Encounter.rs patient/Goal.rs patient/Device.rs patient/CarePlan.rs"
	for name, row := range map[string]struct {
		scope   string
		arrange func(e *env)
	}{
		"too long": {long, func(e *env) { e.store.remembered = approvedBefore(long); e.signIn("maria") }},
		"approved by the organisation": {"user/Condition.rs", func(e *env) {
			c := e.clients["web"]
			c.Preapproved = true
			e.clients["web"] = c
			e.signIn("chen")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnv(t)
			row.arrange(e)
			a := e.begin(e.values("web", row.scope))
			if a.outcome() != "code" || len(e.store.issued) != 1 || len(e.store.promised) != 0 {
				t.Fatalf("%s: %d written, %d promised", a.outcome(), len(e.store.issued), len(e.store.promised))
			}
			if code := a.query("code"); !bytes.Equal(e.store.issued[0].Code.Hash, oauth.Hash(code)) || e.store.issued[0].Decision != nil {
				t.Errorf("code %q, decision %+v", code, e.store.issued[0].Decision)
			}
		})
	}
}

// A code that could not be recorded is not promised either.
//
// spec: AUD-10
func TestNothingIsPromisedThatCannotBeRecorded(t *testing.T) {
	const scope = "launch/patient patient/Condition.rs"
	e := newEnv(t)
	e.deps.Trail = full{}
	e.open(nil)
	e.store.remembered = approvedBefore(scope)
	e.signIn("maria")
	if a := e.begin(e.values("web", scope)); a.query("code") != "" || len(e.store.promised) != 0 {
		t.Errorf("%s, %d promised", a.outcome(), len(e.store.promised))
	}
}

// full is a record that takes nothing more.
type full struct{}

func (full) Ready() error        { return errors.New("the record is full") }
func (full) PutMade(trail.Entry) {}
