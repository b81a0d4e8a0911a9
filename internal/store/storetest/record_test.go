package storetest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/store"
)

// filled is a value with something in every field, so that a field which is not
// stored is missed. Times have nanoseconds and a zone; odd has what joins and
// quotes could break.
func filled[T any](name string) T {
	var v T
	fill(reflect.ValueOf(&v).Elem(), name)
	return v
}

const odd = ` <&> " ' \ | , ? % é e` + "\u0301 𝒳 日本 \u2028"

var elsewhere = time.FixedZone("elsewhere", 5*3600+1800)

func fill(v reflect.Value, name string) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Date(2027, 8, 9, 10, 11, 12, 123_987_654, elsewhere)
		return
	case *time.Duration:
		*x = 7*time.Hour + time.Millisecond
		return
	case *json.RawMessage:
		*x = json.RawMessage(`{"keys":[]}`)
		return
	case *[]byte:
		*x = append([]byte{0, 0xff}, random(16)...)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(name + odd)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 << 40)
	case reflect.Uint32:
		v.SetUint(7)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), name+".0")
		fill(v.Index(1), name+".1")
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), name+"."+v.Type().Field(i).Name)
		}
	default:
		panic("fill: " + v.Type().String())
	}
}

// same compares what came back; times are as the contract says: UTC, in
// milliseconds.
func same(t testing.TB, want, got any) {
	t.Helper()
	times := cmp.Transformer("millis", func(v time.Time) string { return v.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) })
	if diff := cmp.Diff(want, got, times); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	inUTC(t, reflect.ValueOf(got))
}

func inUTC(t testing.TB, v reflect.Value) {
	t.Helper()
	if at, ok := v.Interface().(time.Time); ok {
		if at.Location() != time.UTC || at.Nanosecond()%1e6 != 0 {
			t.Errorf("%v is not in UTC and milliseconds", at)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			inUTC(t, v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			inUTC(t, v.Index(i))
		}
	default:
	}
}

func TestClients(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		c := filled[store.Client]("client")
		c.Disabled = false
		must(t, w.CreateClient(ctx, c))
		got, err := w.Client(ctx, c.ID)
		must(t, err)
		c.Version = 1 // the store's own
		same(t, c, got)
		if err := w.CreateClient(ctx, c); !errors.Is(err, store.ErrConflict) {
			t.Errorf("the same id again: %v", err)
		}
		c.Disabled, c.Name, c.Scope = true, "another", ""
		must(t, w.PutClient(ctx, c))
		got, err = w.Client(ctx, c.ID)
		must(t, err)
		c.Version = 2
		same(t, c, got)
		if !told(t, w, store.ChangeClient, string(c.ID)) {
			t.Error("the feed was not told")
		}
		c.ID = "unknown"
		if err := w.PutClient(ctx, c); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("replacing an unknown one: %v", err)
		}
		if _, err := w.Client(ctx, "APP"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("another case of an id: %v", err)
		}
	})
}

// Both databases order by the bytes of the key.
func TestListsAreOrderedByBytes(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for _, key := range []string{"é", "B", "a", "_", "Z", "e\u0301", "b", "10", "9", "ß", "\U00010000", "\uffee"} {
			must(t, w.CreateClient(ctx, store.Client{ID: store.ClientID("k" + key)}))
			must(t, w.CreateUser(ctx, store.User{ID: store.UserID("k" + key), UsernameKey: "k" + key}))
		}
		want := []string{"k10", "k9", "kB", "kZ", "k_", "ka", "kb", "ke\u0301", "kß", "ké", "k\uffee", "k\U00010000"}
		clients, err := w.ListClients(ctx)
		must(t, err)
		users, err := w.ListUsers(ctx)
		must(t, err)
		var ids, keys []string
		for _, c := range clients[2:] { // app, evil
			ids = append(ids, string(c.ID))
		}
		for _, u := range users[:len(users)-1] { // u
			keys = append(keys, u.UsernameKey)
		}
		same(t, want, ids)
		same(t, want, keys)
	})
}

// spec: LOGIN-07
func TestUsers(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		u := filled[store.User]("user")
		u.Disabled, u.Role = false, store.RolePatient
		must(t, w.CreateUser(ctx, u))
		u.FactorAt = time.Time{} // an account begins without
		got, err := w.User(ctx, u.ID)
		must(t, err)
		same(t, u, got)
		got, err = w.UserByName(ctx, u.UsernameKey)
		must(t, err)
		same(t, u, got)
		if !told(t, w, store.ChangeUser, string(u.ID)) {
			t.Error("the feed was not told")
		}
		u.Display, u.Represents = "another", nil
		must(t, w.PutUser(ctx, u))
		must(t, w.SetPasswordHash(ctx, u.ID, "stronger"))
		must(t, w.PutUser(ctx, u)) // read before that: the password stays the new one
		u.PasswordHash = "stronger"
		got, err = w.User(ctx, u.ID)
		must(t, err)
		same(t, u, got)
		for name, err := range map[string]error{
			"unknown id": second(w.User(ctx, "nobody")), "unknown name": second(w.UserByName(ctx, "nobody")),
			"unknown account":  w.PutUser(ctx, store.User{ID: "nobody", UsernameKey: "nobody"}),
			"unknown password": w.SetPasswordHash(ctx, "nobody", "x"),
		} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

// spec: LOGIN-07
func TestNamesAndPatientsAreTakenOnce(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for _, row := range []struct {
			name     string
			user     store.User
			conflict bool
		}{
			{"the name", store.User{ID: "1", UsernameKey: "u", Role: store.RolePatient, FHIRUser: "Patient/1"}, true},
			{"the id", store.User{ID: "u", UsernameKey: "2", Role: store.RolePatient, FHIRUser: "Patient/2"}, true},
			{"the patient", store.User{ID: "3", UsernameKey: "3", Role: store.RolePatient, FHIRUser: "Patient/p"}, true},
			{"the patient by another role", store.User{ID: "4", UsernameKey: "4", Role: store.RoleRepresentative, FHIRUser: "Patient/p"}, false},
			{"another case of the patient", store.User{ID: "5", UsernameKey: "5", Role: store.RolePatient, FHIRUser: "Patient/P"}, false},
			{"no record", store.User{ID: "6", UsernameKey: "6", Role: store.RolePatient}, false},
			{"no record either", store.User{ID: "7", UsernameKey: "7", Role: store.RolePatient}, false},
			{"composed", store.User{ID: "8", UsernameKey: "é"}, false},
			{"decomposed", store.User{ID: "9", UsernameKey: "e\u0301"}, false},
		} {
			if err := w.CreateUser(ctx, row.user); errors.Is(err, store.ErrConflict) != row.conflict || !row.conflict && err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
		}
		if err := w.PutUser(ctx, store.User{ID: "6", UsernameKey: "u"}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("taking a name later: %v", err)
		}
		if err := w.PutUser(ctx, store.User{ID: "6", UsernameKey: "6", Role: store.RolePatient, FHIRUser: "Patient/p"}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("taking a patient later: %v", err)
		}
	})
}

func TestInvitations(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		i := filled[store.Invitation]("invitation")
		i.Tries, i.UsedAt = 0, time.Time{}
		must(t, w.CreateInvitation(ctx, i))
		got, err := w.TryInvitation(ctx, i.CodeHash, 2)
		must(t, err)
		i.Tries = 1
		same(t, i, got)
		_, err = w.TryInvitation(ctx, i.CodeHash, 2)
		must(t, err)
		if _, err := w.TryInvitation(ctx, i.CodeHash, 2); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("tried too often: %v", err)
		}
		fresh := store.Invitation{CodeHash: random(32), Patient: "n", CreatedAt: w.now(t), ExpiresAt: w.now(t).Add(time.Hour)}
		must(t, w.CreateInvitation(ctx, fresh))
		user := func(key, fhirUser string) store.User {
			return store.User{ID: store.UserID(key), UsernameKey: key, Role: store.RolePatient, FHIRUser: fhirUser}
		}
		for name, taken := range map[string]store.User{"name": user("u", "Patient/n"), "patient": user("n", "Patient/p")} {
			if err := w.Enrol(ctx, fresh.CodeHash, taken); !errors.Is(err, store.ErrConflict) {
				t.Errorf("a taken %s: %v", name, err)
			}
		}
		must(t, w.Enrol(ctx, fresh.CodeHash, user("n", "Patient/n"))) // it stayed good
		if err := w.Enrol(ctx, fresh.CodeHash, user("m", "Patient/m")); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("used twice: %v", err)
		}
		late := store.Invitation{CodeHash: random(32), Patient: "m", CreatedAt: w.now(t), ExpiresAt: w.now(t).Add(time.Hour)}
		must(t, w.CreateInvitation(ctx, late))
		w.move(t, time.Hour+time.Second)
		if err := w.Enrol(ctx, late.CodeHash, user("m", "Patient/m")); !errors.Is(err, store.ErrConsumed) {
			t.Errorf("expired: %v", err)
		}
		for name, code := range map[string][]byte{"used": fresh.CodeHash, "expired": late.CodeHash, "unknown": random(32), "none": nil} {
			if _, err := w.TryInvitation(ctx, code, 5); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// spec: CONS-14, CONS-24
func TestApprovals(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		d, r := filled[store.ConsentDecision]("decision"), filled[store.RememberedConsent]("remembered")
		i := newGrant(offline)
		i.Decision, i.Remember = &d, &r
		must(t, w.IssueCode(ctx, i))
		got, err := w.Remembered(ctx, r.UserID, r.ClientID, r.Patient)
		must(t, err)
		same(t, r, got)
		refused := d
		refused.ID, refused.At, refused.Allowed, refused.Approved = "later", d.At.Add(time.Minute), false, []string{}
		q := request(t, w)
		must(t, w.AnswerRequest(ctx, q.HandleHash, &refused))
		all, err := w.ListDecisions(ctx, d.UserID)
		must(t, err)
		same(t, []store.ConsentDecision{refused, d}, all)

		r.Approved, r.DoNotAsk = nil, false // nil and empty are kept apart
		again := newGrant(offline)
		again.Remember = &r
		must(t, w.IssueCode(ctx, again))
		got, err = w.Remembered(ctx, r.UserID, r.ClientID, r.Patient)
		must(t, err)
		same(t, r, got)
		for name, err := range map[string]error{
			"patient": second(w.Remembered(ctx, r.UserID, r.ClientID, "")), "client": second(w.Remembered(ctx, r.UserID, "app", r.Patient)),
			"user": second(w.Remembered(ctx, "u", r.ClientID, r.Patient)),
		} {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another %s: %v", name, err)
			}
		}
		if all, err := w.ListDecisions(ctx, "u"); err != nil || all == nil || len(all) != 0 {
			t.Errorf("decisions of another user: %v, %v", all, err)
		}
	})
}

// What PostgreSQL cannot hold is refused by both.
func TestTextThatCannotBeStored(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		for _, bad := range []string{"a\x00b", "\xff\xfe"} {
			if err := w.CreateUser(ctx, store.User{ID: "x", UsernameKey: bad}); !errors.Is(err, db.ErrText) {
				t.Errorf("%q as a name: %v", bad, err)
			}
			if err := w.CreateClient(ctx, store.Client{ID: store.ClientID(bad)}); !errors.Is(err, db.ErrText) {
				t.Errorf("%q as a client id: %v", bad, err)
			}
			if _, _, err := w.Count(ctx, bad, time.Minute); !errors.Is(err, db.ErrText) {
				t.Errorf("%q as a key: %v", bad, err)
			}
		}
		if fmt.Sprint(second(w.User(ctx, "x"))) != fmt.Sprint(store.ErrNotFound) {
			t.Error("a refused account is there")
		}
	})
}
