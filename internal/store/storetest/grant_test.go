package storetest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

func TestGrantsComeBackWhole(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		i := newGrant(offline)
		code := i.Code
		i.Grant = filled[store.Grant]("grant")
		i.Code = code
		i.Grant.ClientID, i.Grant.UserID, i.Grant.Refresh.Kind = "app", "u", store.RefreshOffline
		i.IDSessionHash = named(t, w, i.Grant.SID)
		before := w.now(t)
		must(t, w.IssueCode(ctx, i))
		r := redemption(i)
		r.Possession = store.Possession{Key: i.Grant.KeyThumbprint, Bind: true}
		got, err := w.RedeemCode(ctx, r)
		must(t, err)
		want := i.Grant
		want.Generation, want.RevokedAt, want.RevokedFor = 1, time.Time{}, ""
		want.CreatedAt, want.RefreshExpiresAt = got.CreatedAt, got.RefreshExpiresAt
		same(t, want, got)
		for name, at := range map[string]time.Time{"created": got.CreatedAt, "refresh end": got.RefreshExpiresAt.Add(-want.Refresh.Idle)} {
			if off := at.Sub(before); off < 0 || off > time.Minute {
				t.Errorf("%s is %v after the start", name, off)
			}
		}
		again, err := w.Grant(ctx, i.Grant.ID)
		must(t, err)
		same(t, got, again)
		if _, err := w.Grant(ctx, "unknown"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("unknown: %v", err)
		}
	})
}

// Every combination of right and wrong: only all right is right, and one wrong
// try burns the code.
//
// spec: AUTHZ-26
// attack: TK-04, TK-06, TK-07, TK-11, TK-12
func TestCodeIsBoundToEverything(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for wrong := range 8 {
			id, right := issue(t, w, offline)
			r := right
			if wrong&1 != 0 {
				r.ClientID = "evil"
			}
			if wrong&2 != 0 {
				r.RedirectURI = "http://r/"
			}
			if wrong&4 != 0 {
				r.CodeChallenge = ""
			}
			g, err := w.RedeemCode(ctx, r)
			if wrong == 0 {
				if err != nil || g.ID != id || g.Generation != 1 {
					t.Errorf("all right: %+v, %v", g, err)
				}
				continue
			}
			if !errors.Is(err, store.ErrMismatch) || g.ID != "" {
				t.Errorf("wrong %03b: %v, %v", wrong, g.ID, err)
			}
			if _, err := w.RedeemCode(ctx, right); !errors.Is(err, store.ErrConsumed) {
				t.Errorf("wrong %03b, then right: %v", wrong, err)
			}
			if !told(t, w, store.ChangeGrantRevoked, string(id)) {
				t.Errorf("wrong %03b: the grant lives", wrong)
			}
		}
		bare := newGrant(offline) // PKCE was optional for this client
		bare.Code.CodeChallenge = ""
		must(t, w.IssueCode(ctx, bare))
		with := redemption(bare)
		with.CodeChallenge = "c" // RFC 9700 §2.1.1: a verifier without a challenge is refused
		if _, err := w.RedeemCode(ctx, with); !errors.Is(err, store.ErrMismatch) {
			t.Errorf("a verifier for a code without a challenge: %v", err)
		}
		for name, hash := range map[string][]byte{"unknown": random(32), "none": nil, "an id": []byte(bare.Grant.ID)} {
			if _, err := w.RedeemCode(ctx, store.Redemption{CodeHash: hash, ClientID: "app"}); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// spec: AUTHZ-23, TOK-26, E-41
// attack: TK-09
func TestCodeLivesByTheDatabaseClock(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		_, young := issue(t, w, offline)
		w.move(t, 55*time.Second)
		if _, err := w.RedeemCode(ctx, young); err != nil {
			t.Errorf("after 55 s: %v", err)
		}
		_, old := issue(t, w, offline)
		w.move(t, 61*time.Second)
		if _, err := w.RedeemCode(ctx, old); !errors.Is(err, store.ErrExpired) {
			t.Errorf("after 61 s: %v", err)
		}
		w.move(t, -30*time.Second) // a clock that is set back does not make it good again
		if _, err := w.RedeemCode(ctx, old); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("with the clock set back: %v", err)
		}
	})
}

// spec: AUTHZ-25, REVOKE-16
// attack: TK-01
func TestReplayOfACodeEndsEverything(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id, r := issue(t, w, offline)
		_, err := w.RedeemCode(ctx, r)
		must(t, err)
		_, err = w.RefreshGrant(ctx, use(id, 1))
		must(t, err)
		r.ClientID, r.CodeChallenge = "evil", "guess" // whoever presents it
		if _, err := w.RedeemCode(ctx, r); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("replayed: %v", err)
		}
		if _, err := w.RefreshGrant(ctx, use(id, 2)); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("its refresh token: %v", err)
		}
		recorded(t, w, store.Event{Kind: "grant.ended", Actor: "evil", ClientID: "app", Patient: "p", GrantID: id, Outcome: "ok", Detail: "code replayed"})
		if _, err := w.RedeemCode(ctx, r); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("replayed again: %v", err)
		}
	})
}

// recorded looks for an event, whenever it was.
func recorded(t *testing.T, w world, want store.Event) {
	t.Helper()
	events, err := w.ListEvents(ctx, 100)
	must(t, err)
	for _, e := range events {
		if want.At = e.At; e == want {
			return
		}
	}
	t.Errorf("not recorded: %+v in %+v", want, events)
}

// spec: RT-32, REVOKE-02, REVOKE-13, REVOKE-15, REVOKE-16
// attack: TK-27, RT-11
func TestRevocation(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		must(t, w.CreateUser(ctx, store.User{ID: "v", UsernameKey: "v"}))
		grant := func(user store.UserID, client store.ClientID, patient string) store.Issue {
			i := newGrant(offline)
			i.Grant.UserID, i.Grant.ClientID, i.Grant.Patient = user, client, patient
			i.Remember = &store.RememberedConsent{UserID: user, ClientID: client, Patient: patient, DoNotAsk: true}
			must(t, w.IssueCode(ctx, i))
			return i
		}
		all := func() []store.Issue {
			return []store.Issue{grant("u", "app", "p"), grant("u", "app", "q"), grant("u", "evil", "p"), grant("v", "app", "p")}
		}
		for name, row := range map[string]struct {
			selector   func(all []store.Issue) store.Revocation
			ended      []bool
			remembered []bool
		}{
			"grant":              {func(a []store.Issue) store.Revocation { return store.Revocation{GrantID: a[0].Grant.ID} }, []bool{true, false, false, false}, []bool{false, false, true, true}},
			"user":               {func([]store.Issue) store.Revocation { return store.Revocation{UserID: "u"} }, []bool{true, true, true, false}, []bool{false, false, false, true}},
			"client":             {func([]store.Issue) store.Revocation { return store.Revocation{ClientID: "app"} }, []bool{true, true, false, true}, []bool{false, false, true, false}},
			"patient":            {func([]store.Issue) store.Revocation { return store.Revocation{Patient: "p"} }, []bool{true, false, true, true}, []bool{false, false, false, false}},
			"user and client":    {func([]store.Issue) store.Revocation { return store.Revocation{UserID: "u", ClientID: "app"} }, []bool{true, true, false, false}, []bool{false, false, true, true}},
			"patient and client": {func([]store.Issue) store.Revocation { return store.Revocation{Patient: "p", ClientID: "app"} }, []bool{true, false, false, true}, []bool{false, true, true, false}},
		} {
			issued := all()
			want := 0
			what := row.selector(issued)
			what.Reason, what.Actor = "because "+name, "somebody"
			n, err := w.Revoke(ctx, what)
			must(t, err)
			for i, one := range issued {
				ended := row.ended[i]
				if ended {
					want++
					recorded(t, w, store.Event{Kind: "grant.ended", Actor: "somebody", ClientID: one.Grant.ClientID, Patient: one.Grant.Patient, GrantID: one.Grant.ID, Outcome: "ok", Detail: what.Reason})
				}
				if told(t, w, store.ChangeGrantRevoked, string(one.Grant.ID)) != ended {
					t.Errorf("%s: grant %d: the feed says otherwise", name, i)
				}
				if _, err := w.RedeemCode(ctx, redemption(one)); errors.Is(err, store.ErrRevoked) != ended || !ended && err != nil {
					t.Errorf("%s: grant %d: %v", name, i, err)
				}
				_, err := w.Remembered(ctx, one.Grant.UserID, one.Grant.ClientID, one.Grant.Patient)
				if (err == nil) != row.remembered[i] {
					t.Errorf("%s: what is remembered of %d: %v", name, i, err)
				}
			}
			if n != want {
				t.Errorf("%s: %d ended, want %d", name, n, want)
			}
			for _, one := range issued { // the next row starts anew
				_, err := w.Revoke(ctx, store.Revocation{UserID: one.Grant.UserID})
				must(t, err)
			}
		}
		for name, r := range map[string]store.Revocation{
			"nobody": {Reason: "x"}, "grant and user": {GrantID: "g", UserID: "u"}, "user and patient": {UserID: "u", Patient: "p"},
			"all": {GrantID: "g", UserID: "u", ClientID: "c", Patient: "p"},
		} {
			if n, err := w.Revoke(ctx, r); err == nil || n != 0 {
				t.Errorf("%s: %d, %v", name, n, err)
			}
		}
	})
}

// The choice of a user for an app is forgotten also when no grant is alive.
//
// spec: REVOKE-15
func TestRevokingAnAppForgetsTheChoice(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		i := newGrant(online)
		i.Grant.SessionHash = session(t, w)
		i.Remember = &store.RememberedConsent{UserID: "u", ClientID: "app", Patient: "p", DoNotAsk: true}
		must(t, w.IssueCode(ctx, i))
		must(t, w.EndSession(ctx, i.Grant.SessionHash, "logout"))
		if _, err := w.Remembered(ctx, "u", "app", "p"); err != nil {
			t.Fatalf("logout forgot it: %v", err)
		}
		if n, err := w.Revoke(ctx, store.Revocation{UserID: "u", ClientID: "app"}); err != nil || n != 0 {
			t.Errorf("%d ended, %v", n, err)
		}
		if _, err := w.Remembered(ctx, "u", "app", "p"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("remembered: %v", err)
		}
	})
}

func TestListGrants(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		var want []store.GrantID
		for range 3 {
			want = append([]store.GrantID{redeemed(t, w, offline)}, want...)
			w.move(t, time.Second)
		}
		issue(t, w, offline) // never redeemed
		revoked := redeemed(t, w, offline)
		_, err := w.Revoke(ctx, store.Revocation{GrantID: revoked})
		must(t, err)
		grants, err := w.ListGrants(ctx, "u")
		must(t, err)
		var got []store.GrantID
		for _, g := range grants {
			got = append(got, g.ID)
		}
		same(t, want, got)
	})
}

// Whoever is disabled between the steps gets nothing more, and being enabled
// again brings nothing back.
//
// spec: RT-27, REVOKE-14
// attack: TK-27, RT-11
func TestDisabledUserOrClient(t *testing.T) {
	user := store.User{ID: "u", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/p"}
	for name, put := range map[string]func(w world, disabled bool) error{
		"client": func(w world, disabled bool) error {
			return w.PutClient(ctx, store.Client{ID: "app", Disabled: disabled})
		},
		"user": func(w world, disabled bool) error {
			u := user
			u.Disabled = disabled
			return w.PutUser(ctx, u)
		},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, w world) {
				family, browser := redeemed(t, w, offline), session(t, w)
				_, early := issue(t, w, offline)
				must(t, put(w, true))
				_, late := issue(t, w, offline)
				for when, r := range map[string]store.Redemption{"before": early, "after": late} {
					if _, err := w.RedeemCode(ctx, r); !errors.Is(err, store.ErrRevoked) {
						t.Errorf("a code from %s: %v", when, err)
					}
				}
				if _, err := w.RefreshGrant(ctx, use(family, 1)); !errors.Is(err, store.ErrRevoked) {
					t.Errorf("a refresh token: %v", err)
				}
				if !told(t, w, store.ChangeGrantRevoked, string(family)) {
					t.Error("the feed was not told")
				}
				if _, err := w.Session(ctx, browser); (err == nil) != (name == "client") {
					t.Errorf("a session: %v", err)
				}
				must(t, put(w, false))
				if _, err := w.RefreshGrant(ctx, use(family, 1)); !errors.Is(err, store.ErrRevoked) {
					t.Errorf("enabled again, a refresh token: %v", err)
				}
				if _, err := w.RedeemCode(ctx, late); !errors.Is(err, store.ErrConsumed) {
					t.Errorf("enabled again, a code: %v", err)
				}
				if _, err := w.Session(ctx, browser); (err == nil) != (name == "client") {
					t.Errorf("enabled again, a session: %v", err)
				}
			})
		})
	}
}

// Nobody and nothing that is not stored counts as active.
//
// spec: E-20
func TestGrantOfNobody(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for name, change := range map[string]func(*store.Grant){
			"client": func(g *store.Grant) { g.ClientID = "nobody" }, "user": func(g *store.Grant) { g.UserID = "nobody" },
			"session": func(g *store.Grant) { g.Refresh = online },
		} {
			i := newGrant(offline)
			change(&i.Grant)
			must(t, w.IssueCode(ctx, i))
			if _, err := w.RedeemCode(ctx, redemption(i)); !errors.Is(err, store.ErrRevoked) {
				t.Errorf("no %s: %v", name, err)
			}
		}
	})
}

func TestTokensAreRevokedOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		token := store.RevokedToken{TokenID: "jti", ExpiresAt: w.now(t).Add(20 * time.Minute)}
		start := w.now(t).Add(-time.Minute)
		must(t, w.RevokeToken(ctx, token))
		must(t, w.RevokeToken(ctx, token))
		must(t, w.RevokeToken(ctx, store.RevokedToken{TokenID: "over", ExpiresAt: w.now(t).Add(-time.Second)}))
		id := redeemed(t, w, offline)
		_, err := w.Revoke(ctx, store.Revocation{GrantID: id})
		must(t, err)
		redeemed(t, w, offline)
		changes, err := w.Changes(ctx, time.Hour)
		must(t, err)
		n := 0
		for _, c := range changes {
			if c.Kind == store.ChangeTokenRevoked && c.ID == "jti" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("told %d times", n)
		}
		grants, tokens, err := w.RevokedSince(ctx, start)
		must(t, err)
		same(t, []store.GrantID{id}, grants)
		same(t, []store.RevokedToken{token}, tokens)
		if grants, _, err = w.RevokedSince(ctx, w.now(t).Add(time.Minute)); err != nil || len(grants) != 0 {
			t.Errorf("since later: %v, %v", grants, err)
		}
	})
}
