package storetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// initialToken stores a token that lets so many clients register within an hour.
func initialToken(t testing.TB, w world, id string, uses int) store.InitialAccessToken {
	t.Helper()
	now := w.now(t)
	token := store.InitialAccessToken{ID: id, Hash: random(32), Note: "for" + odd, Uses: uses, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}
	must(t, w.CreateInitialAccessToken(ctx, token))
	return token
}

// registration is of a client that registers itself.
func registration(w world, t testing.TB, id string, token []byte) store.Registration {
	t.Helper()
	return store.Registration{
		Client:    store.Client{ID: store.ClientID(id), SelfRegistered: true, CreatedAt: w.now(t), RegistrationHash: random(32)},
		TokenHash: token, Limit: 100, Event: store.Event{At: w.now(t), Kind: "client.registered", ClientID: store.ClientID(id), Outcome: "ok"},
	}
}

// events counts the events of a kind about a client.
func events(t testing.TB, w world, kind string, id store.ClientID) int {
	t.Helper()
	all, err := w.ListEvents(ctx, 1000)
	must(t, err)
	return len(slices.DeleteFunc(all, func(e store.Event) bool { return e.Kind != kind || e.ClientID != id }))
}

// spec: REG-11
// attack: DC-01
func TestInitialAccessTokens(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		token := initialToken(t, w, "t1", 2)
		got, err := w.InitialAccessToken(ctx, token.Hash)
		must(t, err)
		same(t, token, got)
		must(t, w.RegisterClient(ctx, registration(w, t, "c1", token.Hash)))
		must(t, w.RegisterClient(ctx, registration(w, t, "c2", token.Hash)))
		client, err := w.Client(ctx, "c2")
		must(t, err)
		if !client.SelfRegistered || len(client.RegistrationHash) != 32 || events(t, w, "client.registered", "c2") != 1 || !told(t, w, store.ChangeClient, "c2") {
			t.Errorf("what was registered: %+v", client)
		}
		refused := func(name, id string, hash []byte) {
			t.Helper()
			if err := w.RegisterClient(ctx, registration(w, t, id, hash)); !errors.Is(err, store.ErrConsumed) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := w.InitialAccessToken(ctx, hash); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s is still good: %v", name, err)
			}
			if _, err := w.Client(ctx, store.ClientID(id)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s left a client: %v", name, err)
			}
			if events(t, w, "client.registered", store.ClientID(id)) != 0 {
				t.Errorf("%s left an event", name)
			}
		}
		refused("used up", "c3", token.Hash)
		refused("unknown", "c4", random(32))
		refused("no bytes", "c5", []byte{})
		late := initialToken(t, w, "t2", 2)
		w.move(t, time.Hour)
		refused("expired", "c6", late.Hash)
		all, err := w.ListInitialAccessTokens(ctx)
		must(t, err)
		if len(all) != 2 || all[0].ID != "t2" || all[1].Uses != 0 {
			t.Errorf("listed: %+v", all)
		}
		must(t, w.RemoveInitialAccessToken(ctx, "t2"))
		if err := w.RemoveInitialAccessToken(ctx, "t2"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("removed twice: %v", err)
		}
	})
}

// A registration that fails gives its use back; an open one needs no token; there
// is an end to how many there may be.
//
// attack: DC-18
func TestRegistrationIsAllOrNothing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		token := initialToken(t, w, "t", 1)
		if err := w.RegisterClient(ctx, registration(w, t, "app", token.Hash)); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an id that is taken: %v", err)
		}
		full := registration(w, t, "c1", token.Hash)
		full.Limit = 0
		if err := w.RegisterClient(ctx, full); !errors.Is(err, store.ErrFull) {
			t.Errorf("no room: %v", err)
		}
		if got, err := w.InitialAccessToken(ctx, token.Hash); err != nil || got.Uses != 1 {
			t.Errorf("the use is gone: %+v, %v", got, err)
		}
		must(t, w.RegisterClient(ctx, registration(w, t, "c1", nil)))
		last := registration(w, t, "c2", nil)
		last.Limit = 1
		if err := w.RegisterClient(ctx, last); !errors.Is(err, store.ErrFull) {
			t.Errorf("one more than may be: %v", err)
		}
	})
}

// What an operator set and how far the review is comes back as it was written.
//
// spec: REG-06
func TestReviewsAreKept(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		at := w.now(t)
		r := registration(w, t, "new", nil)
		r.Client.Review, r.Client.RegisteredWith, r.WaitingLimit = store.Review{RegisteredAt: at}, store.RegisteredByForm, 1
		must(t, w.RegisterClient(ctx, r))
		got, err := w.Client(ctx, "new")
		must(t, err)
		same(t, r.Client.Review, got.Review)
		if got.MayAsk() || got.OperatorSet || got.RegisteredWith != store.RegisteredByForm {
			t.Errorf("%+v", got)
		}
		got.Review = store.Review{
			RegisteredAt: at, AskedAt: at.Add(time.Hour), Question: "Who" + odd, VerifiedAt: at.Add(2 * time.Hour), EnabledAt: at.Add(3 * time.Hour),
			DeclinedAt: at.Add(4 * time.Hour), SuspendedAt: at.Add(5 * time.Hour), Reason: "Why" + odd,
		}
		got.Ceiling, got.OperatorSet = store.Ceiling{Scope: "openid" + odd, RequirePushed: true, DPoPBound: true}, true
		must(t, w.ChangeClient(ctx, got, store.Event{ClientID: "new"}))
		again, err := w.Client(ctx, "new")
		must(t, err)
		got.Version = again.Version
		same(t, got, again)
	})
}

// Those that wait for an operator have a limit of their own, and stay while they wait.
//
// spec: REG-06
// attack: DC-18
func TestThoseWhoWait(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		waiting := func(id string, review store.Review) error {
			r := registration(w, t, id, nil)
			r.Client.Review, r.WaitingLimit = review, 3
			return w.RegisterClient(ctx, r)
		}
		at := w.now(t)
		must(t, waiting("registered", store.Review{RegisteredAt: at}))
		must(t, waiting("asked", store.Review{RegisteredAt: at, AskedAt: at}))
		must(t, waiting("verified", store.Review{RegisteredAt: at, VerifiedAt: at}))
		if err := waiting("fourth", store.Review{RegisteredAt: at}); !errors.Is(err, store.ErrFull) {
			t.Errorf("one more: %v", err)
		}
		must(t, waiting("enabled", store.Review{RegisteredAt: at, EnabledAt: at})) // waits for nobody
		declined, err := w.Client(ctx, "asked")
		must(t, err)
		declined.Review.DeclinedAt = at
		must(t, w.ChangeClient(ctx, declined, store.Event{ClientID: "asked"}))
		must(t, waiting("fifth", store.Review{RegisteredAt: at}))
		removed, err := w.Client(ctx, "fifth")
		must(t, err)
		must(t, w.RemoveClient(ctx, removed, store.Event{ClientID: "fifth"}))
		must(t, waiting("sixth", store.Review{RegisteredAt: at}))
		w.move(t, 91*24*time.Hour)
		must(t, w.Sweep(ctx))
		all, err := w.ListClients(ctx)
		must(t, err)
		var ids []string
		for _, c := range all {
			ids = append(ids, string(c.ID))
		}
		if !slices.Equal(ids, []string{"app", "evil", "registered", "sixth", "verified"}) {
			t.Errorf("after 91 days: %v", ids)
		}
	})
}

// There are exactly as many as may be, whoever else registers at the same moment.
//
// attack: DC-18
func TestFiftyRegistrationsForTenPlaces(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		won := 0
		for _, err := range together(50, func(i int) error {
			s := w.Store
			if i%2 == 1 {
				s = w.other
			}
			r := registration(w, t, "c"+string(rune('A'+i)), nil)
			r.Limit = 10
			return s.RegisterClient(ctx, r)
		}) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, store.ErrFull):
				t.Error(err)
			}
		}
		clients, err := w.ListClients(ctx)
		must(t, err)
		if won != 10 || len(clients) != 12 { // app, evil
			t.Errorf("%d won, %d clients", won, len(clients))
		}
	})
}

// One use makes one client, whoever else tries at the same moment.
//
// attack: DC-01, E-01
func TestFiftyRegistrationsWithOneUse(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		token := initialToken(t, w, "t", 1)
		won := 0
		for _, err := range together(50, func(i int) error {
			s := w.Store
			if i%2 == 1 {
				s = w.other
			}
			return s.RegisterClient(ctx, registration(w, t, "c"+string(rune('a'+i)), token.Hash))
		}) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, store.ErrConsumed):
				t.Error(err)
			}
		}
		clients, err := w.ListClients(ctx)
		must(t, err)
		if won != 1 || len(clients) != 3 { // app, evil
			t.Errorf("%d won, %d clients", won, len(clients))
		}
	})
}

// A change is written over what was read, or not at all.
//
// spec: REG-17
func TestChangesOfClientsCompare(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		first, err := w.Client(ctx, "app")
		must(t, err)
		second := first
		first.Disabled = true
		must(t, w.ChangeClient(ctx, first, store.Event{Kind: "client.disabled", ClientID: "app"}))
		second.Scope = "openid"
		if err := w.ChangeClient(ctx, second, store.Event{Kind: "client.changed", ClientID: "app"}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an older state came back: %v", err)
		}
		got, err := w.Client(ctx, "app")
		must(t, err)
		if !got.Disabled || got.Scope != "" || events(t, w, "client.disabled", "app") != 1 || events(t, w, "client.changed", "app") != 0 {
			t.Errorf("%+v", got)
		}
		second.ID = "nobody"
		if err := w.ChangeClient(ctx, second, store.Event{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an unknown client: %v", err)
		}
	})
}

// Of fifty changes of one state, one is written.
func TestFiftyChangesOfOneState(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		c, err := w.Client(ctx, "app")
		must(t, err)
		won := 0
		for _, err := range together(50, func(i int) error {
			mine := c
			mine.Scope = string(rune('a' + i))
			return w.other.ChangeClient(ctx, mine, store.Event{Kind: "client.changed", ClientID: "app"})
		}) {
			switch {
			case err == nil:
				won++
			case !errors.Is(err, store.ErrConflict):
				t.Error(err)
			}
		}
		if n := events(t, w, "client.changed", "app"); won != 1 || n != 1 {
			t.Errorf("%d won, %d events", won, n)
		}
	})
}

// A client that goes takes with it what was given to it, and its id.
//
// spec: REG-16
// attack: DC-17, E-48
func TestRemovedClients(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		i := newGrant(offline)
		i.Remember = &store.RememberedConsent{UserID: "u", ClientID: "app", Patient: "p"}
		must(t, w.IssueCode(ctx, i))
		_, err := w.RedeemCode(ctx, redemption(i))
		must(t, err)
		_, unused := issue(t, w, offline)
		c, err := w.Client(ctx, "app")
		must(t, err)
		old := c
		old.Version--
		if err := w.RemoveClient(ctx, old, store.Event{}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("removed by somebody who saw an older state: %v", err)
		}
		must(t, w.RemoveClient(ctx, c, store.Event{Kind: "client.removed", Actor: "app", ClientID: "app"}))
		if _, err := w.Client(ctx, "app"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("it is there: %v", err)
		}
		all, err := w.ListClients(ctx)
		must(t, err)
		if len(all) != 1 {
			t.Errorf("it is listed: %v", all)
		}
		if _, err := w.RefreshGrant(ctx, use(i.Grant.ID, 1)); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("its refresh token: %v", err)
		}
		if _, err := w.RedeemCode(ctx, unused); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("its code: %v", err)
		}
		if _, err := w.Remembered(ctx, "u", "app", "p"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("what was chosen for it: %v", err)
		}
		if !told(t, w, store.ChangeGrantRevoked, string(i.Grant.ID)) || !told(t, w, store.ChangeClient, "app") || events(t, w, "client.removed", "app") != 1 {
			t.Error("the feed or the record does not know")
		}
		for name, err := range map[string]error{
			"made again": w.CreateClient(ctx, store.Client{ID: "app"}), "imported": w.ImportClients(ctx, []store.Client{{ID: "app"}}, store.Event{}),
			"registered": w.RegisterClient(ctx, registration(w, t, "app", nil)),
		} {
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("%s under the same id: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"replaced": w.PutClient(ctx, c), "changed": w.ChangeClient(ctx, c, store.Event{}), "removed": w.RemoveClient(ctx, c, store.Event{}),
		} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s afterwards: %v", name, err)
			}
		}
	})
}

// All of a list come in, or none.
func TestImportOfClients(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		err := w.ImportClients(ctx, []store.Client{{ID: "x"}, {ID: "app"}}, store.Event{Kind: "client.imported"})
		if _, missing := w.Client(ctx, "x"); !errors.Is(err, store.ErrConflict) || !errors.Is(missing, store.ErrNotFound) || events(t, w, "client.imported", "x") != 0 {
			t.Errorf("%v, %v", err, missing)
		}
		must(t, w.ImportClients(ctx, []store.Client{{ID: "x"}, {ID: "y", Disabled: true}}, store.Event{Kind: "client.imported"}))
		if got, err := w.Client(ctx, "y"); err != nil || !got.Disabled || events(t, w, "client.imported", "y") != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Who registered and was never used goes after a time; who was given something,
// and whom the operator made, stays.
//
// attack: DC-18
func TestUnusedClientsAreSwept(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for _, id := range []string{"unused", "used", "gone"} {
			must(t, w.RegisterClient(ctx, registration(w, t, id, nil)))
		}
		must(t, w.CreateClient(ctx, store.Client{ID: "operator's", CreatedAt: w.now(t)}))
		gone, err := w.Client(ctx, "gone")
		must(t, err)
		must(t, w.RemoveClient(ctx, gone, store.Event{}))
		i := newGrant(offline)
		i.Grant.ClientID = "used"
		must(t, w.IssueCode(ctx, i))
		initialToken(t, w, "t", 1)
		// A resource server introspects and an EHR launches: neither has grants.
		trusted := registration(w, t, "trusted", nil)
		must(t, w.RegisterClient(ctx, trusted))
		set, err := w.Client(ctx, "trusted")
		must(t, err)
		set.MayIntrospect, set.OperatorSet = true, true
		must(t, w.ChangeClient(ctx, set, store.Event{Kind: "client.changed", Actor: "operator", ClientID: "trusted"}))
		itself, err := w.Client(ctx, "trusted") // what it says later does not undo that
		must(t, err)
		must(t, w.ChangeClient(ctx, itself, store.Event{Kind: "client.changed", Actor: "trusted", ClientID: "trusted"}))
		changed, err := w.Client(ctx, "unused") // an app that changes itself is not used for that
		must(t, err)
		must(t, w.ChangeClient(ctx, changed, store.Event{Kind: "client.changed", Actor: "unused", ClientID: "unused"}))
		kept := func() []string {
			must(t, w.Sweep(ctx))
			all, err := w.ListClients(context.Background())
			must(t, err)
			var ids []string
			for _, c := range all {
				ids = append(ids, string(c.ID))
			}
			return ids
		}
		w.move(t, 89*24*time.Hour)
		if got := kept(); !slices.Equal(got, []string{"app", "evil", "operator's", "trusted", "unused", "used"}) {
			t.Errorf("after 89 days: %v", got)
		}
		w.move(t, 2*24*time.Hour)
		if got := kept(); !slices.Equal(got, []string{"app", "evil", "operator's", "trusted", "used"}) {
			t.Errorf("after 91 days: %v", got)
		}
		if !told(t, w, store.ChangeClient, "") {
			t.Error("the feed was not told")
		}
		tokens, err := w.ListInitialAccessTokens(ctx)
		must(t, err)
		if len(tokens) != 0 {
			t.Errorf("kept tokens: %v", tokens)
		}
	})
}
