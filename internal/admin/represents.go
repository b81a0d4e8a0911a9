package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Stands is for whom an account stands: a text "Patient/x", or an object that says more.
type Stands struct {
	Patient      string `json:"patient"`                // Patient/x
	Relationship string `json:"relationship,omitempty"` // one of relationships
	Until        string `json:"until,omitempty"`        // YYYY-MM-DD: the first day without; or a moment
}

// child is the relationship that ends when the child comes of age.
const child = "child"

// relationships are those that people are told in words.
var relationships = []string{child, "parent", "spouse", "guardian", "power-of-attorney"}

// UnmarshalJSON reads both forms; unknown members are mistakes.
func (s *Stands) UnmarshalJSON(raw []byte) error {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &s.Patient)
	}
	type plain Stands
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode((*plain)(s))
}

// MarshalJSON writes the short form where it says all.
func (s Stands) MarshalJSON() ([]byte, error) {
	if s.Relationship == "" && s.Until == "" {
		return json.Marshal(s.Patient)
	}
	type plain Stands
	return json.Marshal(plain(s))
}

// representation checks what an operator says of for whom an account stands, and until
// when: who stands for a child does so until it comes of age (C.8 of the design).
func (d *Door) representation(ctx context.Context, in Stands) (store.Representation, error) {
	ref, ok := fhir.ParseReference(in.Patient, "")
	if !ok || ref.Type != "Patient" || ref.Version != "" {
		return store.Representation{}, bad("represents: %q is not Patient/<id>", in.Patient)
	}
	if in.Relationship != "" && !slices.Contains(relationships, in.Relationship) {
		return store.Representation{}, bad("represents: the relationship %q is none of %s", in.Relationship, strings.Join(relationships, ", "))
	}
	r := store.Representation{Patient: ref.ID, Relationship: in.Relationship}
	var err error
	if r.Until, err = endOf(in.Until); err != nil {
		return store.Representation{}, err
	}
	if in.Relationship == child && d.deps.Majority > 0 {
		if r.Until, err = d.ofAge(ctx, r); err != nil {
			return store.Representation{}, err
		}
	}
	if !r.Until.IsZero() && !r.Until.After(d.deps.Now()) {
		return store.Representation{}, bad("represents: %s would end at %s, which is over", in.Patient, r.Until.Format(time.RFC3339))
	}
	return r, nil
}

// endOf reads an end: the beginning of a day, or a moment; zero: none was said.
func endOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, bad("represents: until %q is neither a day, as 2031-04-02, nor a moment, as 2031-04-02T08:00:00Z", text)
}

// ofAge is until when somebody stands for a child: its coming of age, or the end that was
// said, which is not later.
func (d *Door) ofAge(ctx context.Context, r store.Representation) (time.Time, error) {
	born, err := d.deps.BirthDate(ctx, r.Patient)
	if err != nil {
		return time.Time{}, err
	}
	day, known := firstDay(born)
	switch {
	case !known && r.Until.IsZero():
		return time.Time{}, bad("represents: the birth date of Patient/%s is not known, so until has to say when they come of age", r.Patient)
	case !known:
		return r.Until, nil
	}
	of := day.AddDate(d.deps.Majority, 0, 0)
	switch {
	case r.Until.IsZero():
		return of, nil
	case r.Until.After(of):
		return time.Time{}, bad("represents: Patient/%s comes of age on %s; a child is stood for until then, and later as a guardian or by power-of-attorney", r.Patient, of.Format(time.DateOnly))
	}
	return r.Until, nil
}

// firstDay is the first day that a birth date can mean.
func firstDay(born string) (time.Time, bool) {
	for _, layout := range []string{"2006", "2006-01", time.DateOnly} {
		if t, err := time.Parse(layout, born); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// represent says for whom an account stands from now on.
func (d *Door) represent(r *http.Request) (int, any, error) {
	var in Stands
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	stands, err := d.representation(r.Context(), in)
	if err != nil {
		return 0, nil, err
	}
	if err := d.checkRecord(r, "represents", "Patient/"+stands.Patient); err != nil {
		return 0, nil, err
	}
	return d.standing(r, store.RepresentationChange{Representation: stands}, "user.represents")
}

// representNoMore ends it; the next request of an app feels it.
func (d *Door) representNoMore(r *http.Request) (int, any, error) {
	patient := r.PathValue("patient")
	return d.standing(r, store.RepresentationChange{Representation: store.Representation{Patient: patient}, End: true}, "user.represents-no-more")
}

func (d *Door) standing(r *http.Request, c store.RepresentationChange, kind string) (int, any, error) {
	user, err := d.named(r.Context(), r.PathValue("name"))
	if err != nil {
		return 0, nil, err
	}
	if user.Role != store.RolePatient && user.Role != store.RoleRepresentative {
		return 0, nil, bad("user: a %s stands for nobody", user.Role)
	}
	c.UserID = user.ID
	c.Event = store.Event{At: d.deps.Now(), Kind: kind, Actor: "operator", Outcome: "ok", Patient: c.Representation.Patient, Detail: c.Representation.Relationship}
	err = d.deps.Store.Represent(r.Context(), c)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil, bad("user: %q does not stand for Patient/%s", user.Username, c.Representation.Patient)
	}
	if err != nil {
		return 0, nil, err
	}
	if user, err = d.deps.Store.User(r.Context(), user.ID); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"sub": user.ID, "username": user.Username, "role": user.Role, "represents": told(user.Represents)}, d.deps.Refresh(r.Context())
}

// told is what an operator is shown of representations.
func told(list []store.Representation) []Stands {
	all := make([]Stands, 0, len(list))
	for _, r := range list {
		s := Stands{Patient: "Patient/" + r.Patient, Relationship: r.Relationship}
		if !r.Until.IsZero() {
			s.Until = r.Until.Format(time.RFC3339)
		}
		all = append(all, s)
	}
	return all
}
