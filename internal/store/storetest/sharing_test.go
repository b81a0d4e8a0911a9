package storetest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
)

// given redeems a grant of a user to a client about a patient.
func given(t testing.TB, w world, user store.UserID, client store.ClientID, patient string, p store.RefreshPolicy) store.GrantID {
	t.Helper()
	i := newGrant(p)
	i.Grant.UserID, i.Grant.ClientID, i.Grant.Patient = user, client, patient
	if p.Kind == store.RefreshOnline {
		i.Grant.SessionHash = session(t, w)
	}
	must(t, w.IssueCode(ctx, i))
	_, err := w.RedeemCode(ctx, redemption(i))
	must(t, err)
	return i.Grant.ID
}

// others are people beside u, who is the patient p.
func others(t testing.TB, w world) {
	t.Helper()
	must(t, w.CreateUser(ctx, store.User{ID: "son", Username: "son", UsernameKey: "son", Display: "A son", Role: store.RoleRepresentative, PasswordHash: "secret"}))
	must(t, w.CreateUser(ctx, store.User{ID: "doc", Username: "doc", UsernameKey: "doc", Role: store.RolePractitioner, FHIRUser: "Practitioner/d"}))
}

func asked() store.SharingQuery {
	return store.SharingQuery{UserID: "u", Record: "p", AccessLife: 20 * time.Minute, Limit: 50}
}

func idsOf(list []store.SharedGrant) []store.GrantID {
	var ids []store.GrantID
	for _, g := range list {
		ids = append(ids, g.Grant.ID)
	}
	slices.Sort(ids)
	return ids
}

func sorted(ids ...store.GrantID) []store.GrantID { slices.Sort(ids); return ids }

// What a person has given, and what others have given about the record that is theirs;
// nobody else's, and nothing that has run out.
//
// spec: CONS-18
func TestLivingGrants(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		others(t, w)
		own := given(t, w, "u", "app", "p", offline)
		child := given(t, w, "u", "app", "child", offline)
		short := given(t, w, "u", "app", "", store.RefreshPolicy{})
		signedIn := given(t, w, "u", "app", "p", online)
		sons, docs := given(t, w, "son", "app", "p", offline), given(t, w, "doc", "app", "p", offline)
		given(t, w, "son", "app", "child", offline) // whom u stands for as well: not u's record
		given(t, w, "doc", "app", "", offline)
		issue(t, w, offline) // a code that nobody has redeemed

		all, err := w.LivingGrants(ctx, asked())
		must(t, err)
		same(t, sorted(own, child, short, signedIn, sons, docs), idsOf(all))
		for _, g := range all {
			if g.Grant.ID == sons && (g.GivenBy.Display != "A son" || g.GivenBy.Role != store.RoleRepresentative || g.GivenBy.PasswordHash != "") {
				t.Errorf("given by %+v", g.GivenBy)
			}
			if g.TokenAt.Sub(w.now(t)).Abs() > time.Minute || !g.UsedAt.IsZero() || len(g.Grant.Scopes) != 1 {
				t.Errorf("%+v", g)
			}
		}
		few := asked()
		few.Limit = 2
		if list, err := w.LivingGrants(ctx, few); err != nil || len(list) != 2 {
			t.Errorf("limited: %d, %v", len(list), err)
		}
		without := asked()
		without.Record = ""
		list, err := w.LivingGrants(ctx, without)
		must(t, err)
		same(t, sorted(own, child, short, signedIn), idsOf(list))

		w.move(t, 21*time.Minute) // past the life of access tokens, not past that of the session
		list, err = w.LivingGrants(ctx, asked())
		must(t, err)
		same(t, sorted(own, child, signedIn, sons, docs), idsOf(list))
		w.move(t, 10*time.Minute) // the session has been idle for too long
		list, err = w.LivingGrants(ctx, asked())
		must(t, err)
		same(t, sorted(own, child, sons, docs), idsOf(list))
		w.move(t, 91*24*time.Hour)
		list, err = w.LivingGrants(ctx, asked())
		must(t, err)
		same(t, 0, len(list))
	})
}

// An app that has refreshed has an access token for a while longer.
func TestLivingGrantsByTheLastToken(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id := given(t, w, "u", "app", "p", store.RefreshPolicy{Kind: store.RefreshOffline, Idle: time.Hour, Absolute: time.Hour, Rotate: true})
		w.move(t, 50*time.Minute)
		_, err := w.RefreshGrant(ctx, use(id, 1))
		must(t, err)
		w.move(t, 15*time.Minute) // the family is over, the last access token is not
		list, err := w.LivingGrants(ctx, asked())
		must(t, err)
		same(t, []store.GrantID{id}, idsOf(list))
		if got := w.now(t).Sub(list[0].TokenAt).Round(time.Minute); got != 15*time.Minute {
			t.Errorf("the last token was got %v ago", got)
		}
		w.move(t, 6*time.Minute)
		list, err = w.LivingGrants(ctx, asked())
		must(t, err)
		same(t, 0, len(list))
	})
}

// Stopping ends what was given to one app for one patient, at once and for all
// processes; codes under way and what is remembered end with it, and nothing else.
//
// spec: CONS-18, REVOKE-15, REVOKE-09
func TestStopSharing(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		others(t, w)
		stopped := given(t, w, "u", "app", "p", offline)
		again := given(t, w, "u", "app", "p", offline)
		underWay, code := issue(t, w, offline)
		kept := []store.GrantID{
			given(t, w, "u", "app", "child", offline), given(t, w, "u", "app", "", offline), given(t, w, "u", "evil", "p", offline), given(t, w, "son", "app", "p", offline),
		}
		i := newGrant(offline)
		i.Remember = &store.RememberedConsent{UserID: "u", ClientID: "app", Patient: "child", DoNotAsk: true}
		must(t, w.IssueCode(ctx, i))

		n, err := w.StopSharing(ctx, store.Sharing{UserID: "u", ClientID: "app", Patient: "p"}, "stopped on the page", "u")
		must(t, err)
		same(t, 4, n) // the two, the code, and the grant that brought the memory
		for _, id := range []store.GrantID{stopped, again, underWay} {
			if g, err := w.other.Grant(ctx, id); err != nil || g.RevokedAt.IsZero() || g.RevokedFor != "stopped on the page" || !told(t, w, store.ChangeGrantRevoked, string(id)) {
				t.Errorf("%s: %+v, %v", id, g, err)
			}
		}
		if _, err := w.RefreshGrant(ctx, use(stopped, 1)); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("refreshed: %v", err)
		}
		if _, err := w.RedeemCode(ctx, code); !errors.Is(err, store.ErrRevoked) {
			t.Errorf("redeemed: %v", err)
		}
		if _, err := w.Remembered(ctx, "u", "app", "child"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("remembered: %v", err)
		}
		for _, id := range kept {
			if g, err := w.Grant(ctx, id); err != nil || !g.RevokedAt.IsZero() {
				t.Errorf("%s ended as well: %+v, %v", id, g, err)
			}
		}
		n, err = w.StopSharing(ctx, store.Sharing{UserID: "u", ClientID: "app"}, "x", "u")
		must(t, err)
		same(t, 1, n) // without a patient: the grant without one, not all
		for _, nobody := range []store.Sharing{{}, {UserID: "u"}, {ClientID: "app"}, {Patient: "p"}} {
			if n, err := w.StopSharing(ctx, nobody, "x", "u"); !errors.Is(err, store.ErrNotFound) || n != 0 {
				t.Errorf("%+v: %d, %v", nobody, n, err)
			}
		}
	})
}

// What was stopped is listed with who did it and when, as long as was asked; what
// ended with a session is not, and of others only what those who stand for the
// person gave.
//
// spec: CONS-18
func TestStoppedGrants(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		others(t, w)
		before := w.now(t).Add(-time.Second)
		mine, sons := given(t, w, "u", "app", "p", offline), given(t, w, "son", "app", "p", offline)
		given(t, w, "u", "app", "living", offline)
		docs := given(t, w, "doc", "app", "p", offline)
		withSession := given(t, w, "u", "app", "p", online)
		g, err := w.Grant(ctx, withSession)
		must(t, err)
		must(t, w.EndSession(ctx, g.SessionHash, "signed out"))
		for user, actor := range map[store.UserID]string{"u": "u", "son": "u", "doc": "operator"} {
			_, err := w.StopSharing(ctx, store.Sharing{UserID: user, ClientID: "app", Patient: "p"}, "why", actor)
			must(t, err)
		}
		issue(t, w, offline)
		_, err = w.Revoke(ctx, store.Revocation{GrantID: docs})
		must(t, err)

		list, err := w.StoppedGrants(ctx, asked(), before)
		must(t, err)
		same(t, sorted(mine, sons), idsOf(list))
		for _, v := range list {
			if v.RevokedBy != "u" || v.Grant.RevokedFor != "why" || v.Grant.RevokedAt.Before(before) {
				t.Errorf("%+v", v)
			}
		}
		if list, err := w.StoppedGrants(ctx, asked(), w.now(t).Add(time.Second)); err != nil || len(list) != 0 {
			t.Errorf("since later: %d, %v", len(list), err)
		}
		one := asked()
		one.Limit = 1
		if list, err := w.StoppedGrants(ctx, one, before); err != nil || len(list) != 1 {
			t.Errorf("limited: %d, %v", len(list), err)
		}
	})
}

// Uses only move forward, however many come at once and in which order; two processes
// may note the same grants.
//
// spec: CONS-18
func TestNoteUses(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		id := given(t, w, "u", "app", "p", offline)
		at := w.now(t).Truncate(time.Second)
		usedAt := func() time.Time {
			list, err := w.LivingGrants(ctx, asked())
			must(t, err)
			return list[0].UsedAt
		}
		must(t, w.NoteUses(ctx, nil))
		must(t, w.NoteUses(ctx, []store.GrantUse{{GrantID: id, At: at}, {GrantID: "unknown", At: at}}))
		same(t, at, usedAt())
		must(t, w.NoteUses(ctx, []store.GrantUse{{GrantID: id, At: at.Add(-time.Minute)}}))
		same(t, at, usedAt())
		must(t, w.NoteUses(ctx, []store.GrantUse{{GrantID: id, At: at.Add(time.Minute)}, {GrantID: id, At: at.Add(2 * time.Minute)}, {GrantID: id, At: at}}))
		same(t, at.Add(2*time.Minute), usedAt())

		var many, reversed []store.GrantUse
		for range 3 * 200 {
			many = append(many, store.GrantUse{GrantID: newGrant(offline).Grant.ID, At: at})
		}
		reversed = slices.Clone(many)
		slices.Reverse(reversed)
		for i, err := range together(8, func(i int) error {
			if i%2 == 0 {
				return w.NoteUses(ctx, many)
			}
			return w.other.NoteUses(ctx, reversed)
		}) {
			if err != nil {
				t.Errorf("%d: %v", i, err)
			}
		}
	})
}

// A changed password ends every session but one; of two changes that knew the same old
// password one wins, and a refused one ends nothing.
//
// spec: LOGIN-14
// attack: LG-12
func TestChangePassword(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		must(t, w.SetPasswordHash(ctx, "u", "old"))
		kept, ended := session(t, w), session(t, w)
		i := newGrant(online)
		i.Grant.SessionHash = ended
		must(t, w.IssueCode(ctx, i))
		_, err := w.RedeemCode(ctx, redemption(i))
		must(t, err)
		change := store.PasswordChange{UserID: "u", Was: "other", Hash: "new", Keep: kept, Event: store.Event{At: w.now(t), Kind: "password.changed", Actor: "u", Outcome: "ok"}}
		if err := w.ChangePassword(ctx, change); !errors.Is(err, store.ErrConflict) {
			t.Errorf("another was there: %v", err)
		}
		if _, err := w.Session(ctx, ended); err != nil {
			t.Errorf("a refused change ended a session: %v", err)
		}
		change.UserID = "nobody"
		if err := w.ChangePassword(ctx, change); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		change.UserID, change.Was = "u", "old"
		won := 0
		for _, err := range together(2, func(i int) error {
			c := change
			c.Hash += string(rune('0' + i))
			return w.ChangePassword(ctx, c)
		}) {
			if err == nil {
				won++
			} else if !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		}
		if won != 1 {
			t.Errorf("%d of two changes have won", won)
		}
		gone(t, w, ended, "password changed")
		if _, err := w.Session(ctx, kept); err != nil {
			t.Errorf("the kept session: %v", err)
		}
		if g, err := w.Grant(ctx, i.Grant.ID); err != nil || g.RevokedAt.IsZero() {
			t.Errorf("what lived by the ended session: %+v, %v", g, err)
		}
		events, err := w.ListEvents(ctx, 10)
		must(t, err)
		count := 0
		for _, e := range events {
			if e.Kind == "password.changed" {
				count++
			}
		}
		same(t, 1, count)
	})
}

// The live sessions of one person, the last seen first.
func TestListSessions(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		first := session(t, w)
		w.move(t, 10*time.Minute)
		second, ended := session(t, w), session(t, w)
		must(t, w.EndSession(ctx, ended, "signed out"))
		list, err := w.ListSessions(ctx, "u", 10)
		must(t, err)
		if len(list) != 2 || !slices.Equal(list[0].IDHash, second) || !slices.Equal(list[1].IDHash, first) {
			t.Fatalf("%+v", list)
		}
		whole, err := w.Session(ctx, second)
		must(t, err)
		whole.ReadAt = list[0].ReadAt
		same(t, whole, list[0])
		if list, err := w.ListSessions(ctx, "u", 1); err != nil || len(list) != 1 {
			t.Errorf("limited: %d, %v", len(list), err)
		}
		if list, err := w.ListSessions(ctx, "nobody", 10); err != nil || len(list) != 0 {
			t.Errorf("nobody: %d, %v", len(list), err)
		}
		w.move(t, 25*time.Minute)
		list, err = w.ListSessions(ctx, "u", 10)
		must(t, err)
		same(t, 1, len(list))
	})
}
