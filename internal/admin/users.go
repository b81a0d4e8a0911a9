package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// NewUser is the input of `emberlatch user add`.
type NewUser struct {
	Username   string     `json:"username"`
	Password   string     `json:"password"`
	Role       store.Role `json:"role"`
	Display    string     `json:"display"`
	FHIRUser   string     `json:"fhirUser"`
	Represents []Stands   `json:"represents"`
}

// allowedFHIRUser says which record a role may be (SMART App Launch 2.2,
// scopes: fhirUser).
var allowedFHIRUser = map[store.Role][]fhir.ResourceType{
	store.RolePatient:        {"Patient"},
	store.RoleRepresentative: {"RelatedPerson", "Patient"},
	store.RolePractitioner:   {"Practitioner"},
	store.RoleAdministrator:  {"Practitioner", "Person"},
}

// addUser makes an account that is tied to records by the operator. They are there
// already, so that nobody becomes, or stands for, whoever is loaded under a mistyped
// id; with ?record-later they may be loaded afterwards.
func (d *Door) addUser(r *http.Request) (int, any, error) {
	var in NewUser
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	user, err := d.account(r, in)
	if err != nil {
		return 0, nil, err
	}
	if err := d.checkRecord(r, "fhirUser", user.FHIRUser); err != nil {
		return 0, nil, err
	}
	for _, stands := range user.Represents {
		if err := d.checkRecord(r, "represents", "Patient/"+stands.Patient); err != nil {
			return 0, nil, err
		}
	}
	err = d.deps.Store.CreateUser(r.Context(), user)
	if errors.Is(err, store.ErrConflict) { // LOGIN-07: one login for one patient
		return 0, nil, conflict("the username %q is taken, or %s has a login already", user.Username, cmp.Or(user.FHIRUser, "that person"))
	}
	if err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), "user.added", store.Event{Detail: string(user.Role)}); err != nil {
		return 0, nil, err
	}
	out := map[string]any{"sub": user.ID, "username": user.Username, "role": user.Role, "display": user.Display}
	if user.FHIRUser != "" {
		out["fhirUser"] = user.FHIRUser
	}
	if len(in.Represents) > 0 {
		out["represents"] = told(user.Represents)
	}
	return http.StatusCreated, out, d.deps.Refresh(r.Context())
}

// named is the account of a user name.
func (d *Door) named(ctx context.Context, name string) (store.User, error) {
	key, err := d.deps.Accounts.UsernameKey(name)
	if err != nil {
		return store.User{}, bad("user: %v", err)
	}
	user, err := d.deps.Store.UserByName(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return user, absent{fmt.Sprintf("the user %q: not found", name)}
	}
	return user, err
}

// disableUser ends an account: its sessions and what it has given away end in the
// same transaction. The name stays taken, so that nobody inherits anything (LG-28).
func (d *Door) disableUser(r *http.Request) (int, any, error) {
	user, err := d.named(r.Context(), r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	user.Disabled = true
	if err := d.deps.Store.PutUser(r.Context(), user); err != nil {
		return 0, nil, err
	}
	if err := d.record(r.Context(), "user.disabled", store.Event{Detail: string(user.Role)}); err != nil {
		return 0, nil, err
	}
	out := map[string]any{"sub": user.ID, "username": user.Username, "role": user.Role, "disabled": true}
	return http.StatusOK, out, d.deps.Refresh(r.Context())
}

// checkRecord makes sure that a record which a member of the input names is there.
func (d *Door) checkRecord(r *http.Request, member, record string) error {
	ref, named := fhir.ParseReference(record, "")
	if !named || r.URL.Query().Has("record-later") {
		return nil
	}
	there, err := d.deps.HasRecord(r.Context(), ref)
	if err != nil {
		return err
	}
	if !there {
		return bad("%s: there is no %s in the FHIR store; load it first (emberlatch data load), or say --record-later", member, record)
	}
	return nil
}

// account checks the input and makes the account of it.
func (d *Door) account(r *http.Request, in NewUser) (store.User, error) {
	key, err := d.deps.Accounts.UsernameKey(in.Username)
	if err != nil {
		return store.User{}, bad("username: %v", err)
	}
	types, known := allowedFHIRUser[in.Role]
	if !known {
		return store.User{}, bad("role: %q is none of patient, representative, practitioner, administrator", in.Role)
	}
	if err := checkFHIRUser(in, types); err != nil {
		return store.User{}, err
	}
	represents := make([]store.Representation, 0, len(in.Represents))
	for _, one := range in.Represents {
		stands, err := d.representation(r.Context(), one)
		if err != nil {
			return store.User{}, err
		}
		represents = append(represents, stands)
	}
	if len(in.Password) < 8 {
		return store.User{}, bad("password: at least 8 characters")
	}
	hash, err := d.deps.Accounts.HashPassword(r.Context(), in.Password)
	if err != nil {
		return store.User{}, bad("password: %v", err)
	}
	display := in.Display
	if display == "" {
		display = in.Username
	}
	return store.User{
		ID: store.UserID(d.deps.NewID()), Username: in.Username, UsernameKey: key, Display: display,
		Role: in.Role, FHIRUser: in.FHIRUser, PasswordHash: hash, Represents: represents, CreatedAt: d.deps.Now(),
	}, nil
}

func checkFHIRUser(in NewUser, types []fhir.ResourceType) error {
	if in.FHIRUser == "" {
		if in.Role == store.RoleAdministrator || in.Role == store.RoleRepresentative {
			return nil
		}
		return bad("fhirUser: a %s needs the record that is theirs", in.Role)
	}
	ref, ok := fhir.ParseReference(in.FHIRUser, "")
	if !ok || ref.Version != "" {
		return bad("fhirUser: %q is not Type/id", in.FHIRUser)
	}
	var names []string
	for _, t := range types {
		if ref.Type == t {
			return nil
		}
		names = append(names, string(t))
	}
	return bad("fhirUser: a %s is a %s, not a %s", in.Role, strings.Join(names, " or a "), ref.Type)
}
