package storetest_test

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// promise is a grant that was promised in a session of u, on an approval that is
// remembered, with the right way to redeem it.
func promise(t testing.TB, w world, policy store.RefreshPolicy) (store.PromisedGrant, store.Redemption) {
	t.Helper()
	i := newGrant(policy)
	approval := store.RememberedConsent{UserID: "u", ClientID: "app", Patient: "p", Approved: i.Grant.Scopes, DoNotAsk: true, DecidedAt: w.now(t)}
	remembering := newGrant(offline)
	remembering.Remember = &approval
	must(t, w.IssueCode(ctx, remembering))
	client, err := w.Client(ctx, "app")
	must(t, err)
	p := store.PromisedGrant{
		ClientVersion: client.Version,
		Grant:         i.Grant, RedirectURI: i.Code.RedirectURI, CodeChallenge: i.Code.CodeChallenge, ExpiresAt: w.now(t).Add(time.Minute),
		SessionHash: namedSession(t, w), ApprovalPatient: "p", ApprovedAt: approval.DecidedAt,
	}
	if policy.Kind == store.RefreshOnline {
		p.Grant.SessionHash = p.SessionHash
	}
	return p, redemption(i)
}

// spec: AUTHZ-23, AUTHZ-26, TOK-01, RT-01
func TestAPromisedGrantIsMadeWhole(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for name, policy := range map[string]store.RefreshPolicy{"none": {}, "online": online, "offline": offline} {
			for _, told := range []bool{false, true} {
				p, r := promise(t, w, policy)
				p.Grant.Nonce, p.Grant.Encounter, p.Grant.LaunchContext, p.Grant.FHIRUser = "n", "e", `{"patient":"p"}`, "Patient/p"
				p.Grant.AMR, p.Grant.AuthTime, p.Grant.Username = []string{"pwd"}, w.now(t), "name"
				p.ToldOfSession = told
				given, err := w.RedeemPromised(ctx, p, r)
				must(t, err)
				kept, err := w.Grant(ctx, p.Grant.ID)
				must(t, err)
				same(t, kept, given)
				if kept.Scopes[0] != p.Grant.Scopes[0] || kept.Nonce != "n" || kept.Encounter != "e" || kept.LaunchContext != `{"patient":"p"}` || kept.CreatedAt.IsZero() {
					t.Errorf("%s: %+v", name, kept)
				}
				if want := policy.Kind != store.RefreshNone; (kept.Generation == 1) != want || kept.RefreshExpiresAt.IsZero() == want {
					t.Errorf("%s: generation %d until %v", name, kept.Generation, kept.RefreshExpiresAt)
				}
				if want := map[bool]string{true: sidOf(t, w, p.SessionHash)}[told]; kept.SID != want || told && want == "" {
					t.Errorf("%s, told of the session %v: sid %q, want %q", name, told, kept.SID, want)
				}
				if policy.Kind != store.RefreshNone {
					refreshed(t, w, use(p.Grant.ID, 1), 2, false)
				}
			}
		}
	})
}

// namedSession is a session that apps can be told of.
func namedSession(t testing.TB, w world) []byte {
	t.Helper()
	id, now := random(32), w.now(t)
	must(t, w.CreateSession(ctx, store.Session{
		IDHash: id, SID: hex.EncodeToString(random(8)), UserID: "u", AuthTime: now, CreatedAt: now, LastSeenAt: now,
		IdleUntil: now.Add(30 * time.Minute), ExpiresAt: now.Add(time.Hour),
	}))
	return id
}

func sidOf(t testing.TB, w world, hash []byte) string {
	t.Helper()
	v, err := w.Session(ctx, hash)
	must(t, err)
	return v.SID
}

// A refresh token that is made with the grant ends when the family does.
//
// spec: RT-16
func TestAPromisedFamilyEnds(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		short := offline
		short.Absolute = time.Hour
		p, r := promise(t, w, short)
		g, err := w.RedeemPromised(ctx, p, r)
		must(t, err)
		if life := g.RefreshExpiresAt.Sub(g.CreatedAt); life != time.Hour {
			t.Errorf("it is good for %v", life)
		}
		w.move(t, 61*time.Minute)
		refused(t, w, use(p.Grant.ID, 1), store.ErrExpired)
	})
}

// Whatever is wrong about who presents it, the first try uses the code up.
//
// spec: AUTHZ-26, PKCE-06
// attack: TK-04, TK-06, TK-07, TK-11, TK-12
func TestAPromiseIsBoundToEverything(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for name, wrong := range map[string]func(*store.Redemption){
			"client":    func(r *store.Redemption) { r.ClientID = "other" },
			"redirect":  func(r *store.Redemption) { r.RedirectURI = "http://r/" },
			"challenge": func(r *store.Redemption) { r.CodeChallenge = "" },
			"key":       func(r *store.Redemption) { r.Possession.Key = "theirs" },
			"no key":    func(r *store.Redemption) { r.Possession.Key = "" },
		} {
			p, right := promise(t, w, offline)
			p.Grant.KeyThumbprint, right.Possession.Key = "mine", "mine"
			r := right
			wrong(&r)
			g, err := w.RedeemPromised(ctx, p, r)
			if !errors.Is(err, store.ErrMismatch) || g.ID != "" {
				t.Errorf("%s: %v, %v", name, g.ID, err)
			}
			if _, err := w.RedeemPromised(ctx, p, right); !errors.Is(err, store.ErrConsumed) {
				t.Errorf("%s, then right: %v", name, err)
			}
			if !told(t, w, store.ChangeGrantRevoked, string(p.Grant.ID)) {
				t.Errorf("%s: nobody was told", name)
			}
			recorded(t, w, store.Event{Kind: "grant.ended", Actor: string(r.ClientID), ClientID: "app", Patient: "p", GrantID: p.Grant.ID, Outcome: "ok", Detail: "code bound to something else"})
			if g, err := w.Grant(ctx, p.Grant.ID); err != nil || g.RevokedAt.IsZero() || g.Generation != 0 {
				t.Errorf("%s: the grant is %+v, %v", name, g, err)
			}
		}
	})
}

// A grant is not made when anything that it was promised on is over, and leaves no
// trace then; the code stays worthless.
//
// spec: AUTHZ-23, CONS-14, RT-02, REVOKE-15, F-55
// attack: TK-09
func TestAPromiseStandsOnWhatItWasMadeOn(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, w world, p store.PromisedGrant){
		"signed out": func(t *testing.T, w world, p store.PromisedGrant) {
			must(t, w.EndSession(ctx, p.SessionHash, "logout"))
		},
		"signed in anew":               signsInAnew,
		"all signed out":               func(t *testing.T, w world, _ store.PromisedGrant) { must(t, w.EndUserSessions(ctx, "u", nil, "x")) },
		"idle":                         func(t *testing.T, w world, _ store.PromisedGrant) { w.move(t, 31*time.Minute) },
		"too late":                     func(t *testing.T, w world, _ store.PromisedGrant) { w.move(t, time.Minute) },
		"user disabled":                disablesUser,
		"client disabled":              disablesClient,
		"client removed":               removesClient,
		"client changed":               changesClient,
		"client disabled for a moment": disabledForAMoment,
		"decided anew":                 decidesAnew,
		"stopped":                      func(t *testing.T, w world, _ store.PromisedGrant) { stops(t, w) },
		"revoked: user":                revokes(store.Revocation{UserID: "u"}),
		"revoked: client":              revokes(store.Revocation{ClientID: "app"}),
		"revoked: patient":             revokes(store.Revocation{Patient: "p"}),
		"revoked: user and client":     revokes(store.Revocation{UserID: "u", ClientID: "app"}),
		"revoked: patient and client":  revokes(store.Revocation{Patient: "p", ClientID: "app"}),
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				p, r := promise(t, w, offline)
				end(t, w, p)
				for range 2 {
					if g, err := w.RedeemPromised(ctx, p, r); !errors.Is(err, store.ErrRevoked) || g.ID != "" {
						t.Errorf("%v, %v", g.ID, err)
					}
				}
				if _, err := w.Grant(ctx, p.Grant.ID); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("the grant: %v", err)
				}
			})
		})
	}
	t.Run("nothing", func(t *testing.T) {
		both(t, func(t *testing.T, w world) {
			p, r := promise(t, w, offline)
			w.move(t, 59*time.Second)
			wants(t, "after 59 s", second(w.RedeemPromised(ctx, p, r)), nil)
		})
	})
}

func revokes(r store.Revocation) func(*testing.T, world, store.PromisedGrant) {
	return func(t *testing.T, w world, _ store.PromisedGrant) {
		_, err := w.Revoke(ctx, r)
		must(t, err)
	}
}

func stops(t *testing.T, w world) {
	t.Helper()
	_, err := w.StopSharing(ctx, store.Sharing{UserID: "u", ClientID: "app", Patient: "p"}, "stopped", "u")
	must(t, err)
}

func signsInAnew(t *testing.T, w world, p store.PromisedGrant) {
	now := w.now(t)
	must(t, w.ContinueSession(ctx, store.Session{
		IDHash: random(32), UserID: "u", AuthTime: now, CreatedAt: now, LastSeenAt: now, IdleUntil: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour),
	}, p.SessionHash))
}

func disablesUser(t *testing.T, w world, _ store.PromisedGrant) {
	u, err := w.User(ctx, "u")
	must(t, err)
	u.Disabled = true
	must(t, w.PutUser(ctx, u))
}

func disablesClient(t *testing.T, w world, _ store.PromisedGrant) {
	c, err := w.Client(ctx, "app")
	must(t, err)
	c.Disabled = true
	must(t, w.PutClient(ctx, c))
}

func removesClient(t *testing.T, w world, _ store.PromisedGrant) {
	c, err := w.Client(ctx, "app")
	must(t, err)
	must(t, w.RemoveClient(ctx, c, store.Event{Kind: "client.removed"}))
}

func changesClient(t *testing.T, w world, _ store.PromisedGrant) {
	c, err := w.Client(ctx, "app")
	must(t, err)
	c.Name = "another"
	must(t, w.PutClient(ctx, c))
}

// disabledForAMoment: that has ended what there was.
func disabledForAMoment(t *testing.T, w world, p store.PromisedGrant) {
	disablesClient(t, w, p)
	restore(t, w)
}

// restore enables what a test has disabled.
func restore(t *testing.T, w world) {
	t.Helper()
	c, err := w.Client(ctx, "app")
	must(t, err)
	c.Disabled = false
	must(t, w.PutClient(ctx, c))
	u, err := w.User(ctx, "u")
	must(t, err)
	u.Disabled = false
	must(t, w.PutUser(ctx, u))
}

// decidesAnew: what the person chose last counts, though it be the same.
func decidesAnew(t *testing.T, w world, _ store.PromisedGrant) {
	w.move(t, time.Second)
	i := newGrant(offline)
	i.Remember = &store.RememberedConsent{UserID: "u", ClientID: "app", Patient: "p", Approved: i.Grant.Scopes, DoNotAsk: true, DecidedAt: w.now(t)}
	must(t, w.IssueCode(ctx, i))
}

// A session of somebody else, and an approval about somebody else, carry nothing.
//
// spec: CONS-14, LOGIN-18
func TestAPromiseStandsOnItsOwn(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for name, change := range map[string]func(p *store.PromisedGrant){
			"another session": func(p *store.PromisedGrant) { p.SessionHash = random(32) },
			"another user":    func(p *store.PromisedGrant) { p.Grant.UserID = "u2" },
			"another patient": func(p *store.PromisedGrant) { p.ApprovalPatient = "q" },
			"another version": func(p *store.PromisedGrant) { p.ClientVersion++ },
			"another time":    func(p *store.PromisedGrant) { p.ApprovedAt = p.ApprovedAt.Add(time.Millisecond) },
		} {
			p, r := promise(t, w, offline)
			change(&p)
			wants(t, name, second(w.RedeemPromised(ctx, p, r)), store.ErrRevoked)
		}
	})
}

// A replay ends the grant, whoever presents the code, and whether or not it would be
// good otherwise.
//
// spec: AUTHZ-25, REVOKE-16
// attack: TK-01
func TestReplayOfAPromiseEndsEverything(t *testing.T) {
	for name, meanwhile := range map[string]func(t *testing.T, w world, p store.PromisedGrant){
		"at once":  func(*testing.T, world, store.PromisedGrant) {},
		"too late": func(t *testing.T, w world, _ store.PromisedGrant) { w.move(t, time.Hour) },
		"signed out": func(t *testing.T, w world, p store.PromisedGrant) {
			must(t, w.EndSession(ctx, p.SessionHash, "logout"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				p, r := promise(t, w, offline)
				_, err := w.RedeemPromised(ctx, p, r)
				must(t, err)
				refreshed(t, w, use(p.Grant.ID, 1), 2, false)
				meanwhile(t, w, p)
				r.ClientID = "evil"
				_, err = w.RedeemPromised(ctx, p, r)
				var over *store.EndedError
				if !errors.Is(err, store.ErrConsumed) || !errors.As(err, &over) || over.GrantID != p.Grant.ID {
					t.Errorf("replayed: %v", err)
				}
				refused(t, w, use(p.Grant.ID, 2), store.ErrRevoked)
				recorded(t, w, store.Event{Kind: "grant.ended", Actor: "evil", ClientID: "app", Patient: "p", GrantID: p.Grant.ID, Outcome: "ok", Detail: "code replayed"})
			})
		})
	}
}

// What proves the client is spent whatever becomes of the promise, and when it was used
// before nothing else happens.
//
// spec: CAUTH-20, CAUTH-21
// attack: CA-14
func TestAPromiseSpendsTheAssertion(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		used := assertion(t, w)
		must(t, w.UseAssertion(ctx, *used))
		p, r := promise(t, w, offline)
		r.Assertion = used
		wants(t, "a used one", second(w.RedeemPromised(ctx, p, r)), store.ErrReplayed)
		r.Assertion = assertion(t, w)
		wants(t, "the code was not touched", second(w.RedeemPromised(ctx, p, r)), nil)
		wants(t, "it is spent", w.other.UseAssertion(ctx, *r.Assertion), store.ErrReplayed)

		p, r = promise(t, w, offline)
		r.Assertion = assertion(t, w)
		must(t, w.EndSession(ctx, p.SessionHash, "logout"))
		wants(t, "a promise that is over", second(w.RedeemPromised(ctx, p, r)), store.ErrRevoked)
		wants(t, "it is spent all the same", w.other.UseAssertion(ctx, *r.Assertion), store.ErrReplayed)
	})
}

// spec: AUTHZ-24, AUTHZ-25, F-50
// attack: TK-02, TK-03
func TestOneOfFiftyHasThePromise(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for range rounds() {
			p, r := promise(t, w, offline)
			errs := together(50, func(i int) error {
				_, err := w.handle(i).RedeemPromised(ctx, p, r)
				return err
			})
			if n := winners(t, errs, store.ErrConsumed); n != 1 {
				t.Fatalf("%d successes", n)
			}
			refused(t, w, use(p.Grant.ID, 1), store.ErrRevoked)
		}
	})
}

// When what a promise stands on ends while it is redeemed, there is no grant
// afterwards, or one that has ended. The redemption is held up where it has looked at
// everything and has not written yet.
//
// spec: F-51, F-55
func TestNothingOutlivesWhatItWasPromisedOn(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, w world, p store.PromisedGrant){
		"signed out": func(t *testing.T, w world, p store.PromisedGrant) {
			must(t, w.EndSession(ctx, p.SessionHash, "logout"))
		},
		"stopped":         func(t *testing.T, w world, _ store.PromisedGrant) { stops(t, w) },
		"revoked":         revokes(store.Revocation{UserID: "u"}),
		"client disabled": disablesClient,
		"user disabled":   disablesUser,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := worldOf(t, "postgres")
			p, r := promise(t, w, online)
			release := occupy(t, w, p.Grant.ID)
			var done sync.WaitGroup
			done.Go(func() { _, _ = w.other.RedeemPromised(ctx, p, r) })
			waiting(t, w, 1)
			ended := make(chan struct{})
			done.Go(func() { defer close(ended); end(t, w, p) })
			until(t, func() bool {
				select {
				case <-ended:
					return true
				default:
					return lockWaits(t, w) == 2
				}
			})
			release()
			done.Wait()
			if g, err := w.Grant(ctx, p.Grant.ID); !errors.Is(err, store.ErrNotFound) && (err != nil || g.RevokedAt.IsZero()) {
				t.Errorf("it outlives: %+v, %v", g, err)
			}
		})
	}
}

// occupy holds the place of a grant, until it is released and was never there.
func occupy(t *testing.T, w world, id store.GrantID) (release func()) {
	t.Helper()
	held, let, never := make(chan struct{}), make(chan struct{}), errors.New("never was")
	go func() {
		err := w.db.Write(ctx, func(ctx context.Context, tx *db.Tx) error {
			if _, err := tx.Exec(ctx, `INSERT INTO authorization_grant (id, client_id, user_id, patient, body, session_hash, created, code_hash,
  redirect_uri, code_challenge, code_expires, refresh_kind, refresh_idle, refresh_absolute, refresh_rotate)
VALUES ($1, '', '', '', '', $2, 0, $2, '', '', 0, '', 0, 0, 0)`, string(id), random(32)); err != nil {
				return err
			}
			close(held)
			<-let
			return never
		})
		if !errors.Is(err, never) {
			t.Error(err)
		}
	}()
	<-held
	return func() { close(let) }
}

// lockWaits is how many statements of the schema wait for a lock.
func lockWaits(t *testing.T, w world) int64 {
	t.Helper()
	var n int64
	must(t, w.db.Find(ctx, `SELECT count(DISTINCT a.pid) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
WHERE a.wait_event_type = 'Lock' AND l.relation IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)`).Scan(&n))
	return n
}

func waiting(t *testing.T, w world, n int64) {
	t.Helper()
	until(t, func() bool { return lockWaits(t, w) == n })
}

// until waits for something that is about to be so.
func until(t *testing.T, so func() bool) {
	t.Helper()
	for range 1000 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it never came to that")
}
