package fhirsql_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
)

// writeScopes are those of apps that write.
var writeScopes = []string{"patient/*.cruds", "patient/*.cud", "patient/Observation.cud?category=" + lab + "|laboratory", "patient/Observation.u?status=final",
	"patient/Observation.rus", "user/*.cud", "user/*.cruds", "user/Observation.cruds", "user/Condition.d", "user/DocumentReference.cruds", "user/Binary.cruds",
	"patient/Provenance.cruds", "user/Provenance.cu", "patient/Patient.u", "user/Patient.cruds", "patient/Coverage.write", "user/*.rs", "patient/Device.c"}

var writeSystemScopes = []string{"system/*.cruds", "system/Observation.cud", "system/Patient.cruds", "system/*.write", "system/Condition.rs"}

func drawWriter(t *rapid.T) grant {
	g := drawGrant(t)
	g.AgeLeads = rapid.Bool().Draw(t, "ages lead")
	if !g.HasUser && g.Patient == "" {
		g.Scopes = rapid.SliceOfNDistinct(rapid.SampledFrom(writeSystemScopes), 1, 2, rapid.ID).Draw(t, "scopes")
		return g
	}
	g.Scopes = rapid.SliceOfNDistinct(rapid.SampledFrom(writeScopes), 1, 4, rapid.ID).Draw(t, "scopes")
	return g
}

// attempt is one write that somebody tries.
type attempt struct {
	code    fhir.InteractionCode
	kind    string
	id      string // of update and delete
	content object
}

func drawAttempt(t *rapid.T, u *universe) attempt {
	r := rapid.SampledFrom(u.things).Draw(t, "of what")
	a := attempt{code: rapid.SampledFrom([]fhir.InteractionCode{fhir.Create, fhir.Update, fhir.Update, fhir.Delete}).Draw(t, "write"), kind: r.kind, id: r.id}
	if a.code == fhir.Delete {
		return a
	}
	a.content = made(r.kind, r.id, fresh[r.kind](t)).content
	same := []string{aboutElement[r.kind]}
	if r.kind == "Patient" {
		same = slices.Concat(tying, lasting)
	}
	if same[0] != "" && rapid.Bool().Draw(t, "about the same") {
		for _, name := range same {
			delete(a.content, name)
			if v, ok := r.content[name]; ok {
				a.content[name] = v
			}
		}
	}
	if a.code == fhir.Create {
		a.id = ""
	}
	return a
}

// try makes the attempt in a store.
func (a attempt) try(t *rapid.T, s *fhirsql.Store, g grant) (fhirstore.Written, error) {
	kind := fhir.ResourceType(a.kind)
	w := fhirstore.Write{
		Decision: access.Decide(g.subject(), fhir.Interaction{Code: a.code, Type: kind, ID: a.id}),
		Code:     a.code, Ref: fhir.Reference{Type: kind, ID: a.id},
	}
	if a.content != nil {
		b, err := json.Marshal(a.content)
		if err == nil {
			w.Content, err = fhir.ParseResource(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	done, err := s.Write(context.Background(), []fhirstore.Write{w})
	if err != nil {
		return fhirstore.Written{}, err
	}
	return done[0], nil
}

// writable: no app writes what says who reaches whom (row 73 of the leak catalogue).
func writable(g grant, kind, letter string) bool {
	switch kind {
	case "Encounter":
		return false
	case "Patient":
		return letter == "u" || letter == "c" && g.OwnAll && !g.HasUser && g.Patient == ""
	}
	return !slices.Contains(sharedKinds, kind)
}

// wants says whether the attempt is permitted: both states are in the view, whom it
// is about stays, new references are to what can be seen, and nothing else moves.
func (u *universe) wants(g grant, a attempt) bool {
	letter := map[fhir.InteractionCode]string{fhir.Create: "c", fhir.Update: "u", fhir.Delete: "d"}[a.code]
	before := u.find(a.kind + "/" + a.id)
	switch {
	case !writable(g, a.kind, letter), before != nil && !u.sees(g, before, letter):
		return false
	case a.code == fhir.Delete:
		return true
	case before != nil && before.gone:
		return false
	case a.kind == "Patient" && g.AgeLeads && before != nil && slices.ContainsFunc(lasting, func(name string) bool { return !cmp.Equal(elementOf(before, name), a.content[name]) }):
		return false
	case a.kind == "Patient" && slices.ContainsFunc(tying, func(name string) bool { return !cmp.Equal(elementOf(before, name), a.content[name]) }):
		return false
	}
	after := &thing{kind: a.kind, id: a.id, content: keepingLabels(before, a.content)}
	if before == nil {
		after.id = "new"
	}
	next := u.with(before, after)
	if before != nil && !cmp.Equal(setOf(u.owners(before)), setOf(next.owners(after))) || !next.sees(g, after, letter) {
		return false
	}
	var known []string
	if before != nil {
		known = append(refsIn(before.content), before.ref())
	}
	for _, ref := range refsIn(a.content) {
		target := u.find(ref)
		about := slices.Contains(next.owners(after), strings.TrimPrefix(ref, "Patient/"))
		if !slices.Contains(known, ref) && !about && (target == nil || target.gone || !u.sees(g, target, "rs")) {
			return false
		}
	}
	return !slices.ContainsFunc(u.things, func(r *thing) bool {
		return r != before && !cmp.Equal(setOf(u.owners(r)), setOf(next.owners(r)))
	})
}

// tying are the elements of a Patient that say who reaches them.
var tying = []string{"link", "generalPractitioner", "managingOrganization"}

// lasting are those that say how long, where ages lead, and are set with the Patient.
var lasting = []string{"birthDate"}

func elementOf(r *thing, name string) any {
	if r == nil {
		return nil
	}
	return r.content[name]
}

func setOf(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

// with is the universe after a write; before stays a source of what derived from it.
func (u *universe) with(before, after *thing) *universe {
	next := &universe{defs: u.defs, things: slices.Clone(u.things)}
	if before == nil {
		next.things = append(next.things, after)
		return next
	}
	after.was = append(slices.Clone(before.was), before.content)
	next.things[slices.Index(u.things, before)] = after
	return next
}

// refsIn are the local references of content, and the files that it attaches.
func refsIn(v any) []string {
	var all []string
	switch v := v.(type) {
	case object:
		for name, value := range v {
			if s, ok := value.(string); ok && (name == "reference" || name == "url") {
				if kind, id, local := local(s); local && kind != "urn:" {
					all = append(all, kind+"/"+id)
				}
			}
			all = append(all, refsIn(value)...)
		}
	case []any:
		for _, item := range v {
			all = append(all, refsIn(item)...)
		}
	}
	return all
}

// dump is every row of every resource and version: by Type/id.
func dump(t *rapid.T, d *db.DB) map[string]string {
	all := map[string]string{}
	for _, statement := range []string{
		`SELECT type, id, version, updated, deleted, owner, body FROM fhir_resource`,
		`SELECT type, id, version, updated, deleted, owners, body FROM fhir_version ORDER BY type, id, version`,
		`SELECT r.type, r.id, 0, 0, 0, o.patient, r.body FROM fhir_owner o JOIN fhir_resource r ON r.rid = o.rid ORDER BY o.patient`,
	} {
		rows, err := d.Query(context.Background(), statement)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var (
				kind, id, owner           string
				version, updated, deleted int64
				body                      []byte
			)
			if err := rows.Scan(&kind, &id, &version, &updated, &deleted, &owner, &body); err != nil {
				t.Fatal(err)
			}
			all[kind+"/"+id] += fmt.Sprintln(version, updated, deleted, owner, string(body))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return all
}

// Whatever apps try: what is permitted happens, and all else in the store is byte
// for byte as it was.
//
// spec: RSP-20, RSX-23, RSX-24, RSX-25, RSP-07
// attack: B.60, B.61, B.62, B.63, B.64, B.66, B.73
func TestWritesChangeOnlyWhatTheyMay(t *testing.T) {
	inEachWorld(t, func(t *testing.T, open func(t *testing.T) world) { changesOnlyWhatItMay(t, open(t)) })
}

func changesOnlyWhatItMay(t *testing.T, w world) {
	defs := readDefinitions(t)
	permitted := 0
	rapid.Check(t, func(t *rapid.T) {
		u := &universe{defs: defs}
		u.draw(t)
		d, s, done := w.open(t, u)
		defer done()
		before := dump(t, d)
		for range 6 {
			g := drawWriter(t)
			for range 5 {
				a := drawAttempt(t, u)
				want := u.wants(g, a)
				written, err := a.try(t, s, g)
				if (err == nil) != want {
					t.Fatalf("%+v %+v: %v, want it permitted: %v", g, a, err, want)
				}
				after := dump(t, d)
				ref := a.kind + "/" + a.id
				if err == nil {
					permitted++
					ref = written.Resource.Reference().String()
					u = u.after(a, written)
				}
				if err == nil {
					before[ref] = after[ref]
				}
				if !maps.Equal(before, after) {
					t.Fatalf("%+v %+v: something else changed:\n%s", g, a, cmp.Diff(before, after))
				}
			}
		}
		searches(t, s, u.remaining(), grant{Scopes: []string{"user/*.rs"}, HasUser: true, Reach: []string{"a", "b", "c", "ab"}}, question{Kind: "Observation", Sort: "_id"})
	})
	if permitted < 40 {
		t.Errorf("only %d writes were permitted: the test proves little", permitted)
	}
}

// after is the universe with what was written.
func (u *universe) after(a attempt, written fhirstore.Written) *universe {
	before := u.find(a.kind + "/" + a.id)
	if written.Deleted {
		gone := *before
		gone.gone = true
		next := &universe{defs: u.defs, things: slices.Clone(u.things)}
		next.things[slices.Index(u.things, before)] = &gone
		return next
	}
	a.content["id"] = written.Resource.ID()
	return u.with(before, &thing{kind: a.kind, id: written.Resource.ID(), content: keepingLabels(before, a.content)})
}

// remaining is what can still be found.
func (u *universe) remaining() *universe {
	return &universe{defs: u.defs, things: slices.DeleteFunc(slices.Clone(u.things), func(r *thing) bool { return r.gone })}
}

// open is load, and keeps the database.
func (w world) open(t *rapid.T, u *universe) (*db.DB, *fhirsql.Store, func()) {
	var d *db.DB
	s, done := world(func(t *rapid.T) (*db.DB, func()) {
		found, done := w(t)
		d = found
		return found, done
	}).load(t, u)
	return d, s, done
}

// What apps are told of their writes does not depend on what is hidden.
//
// attack: B.61, B.64, B.66, B.107
func TestWritesTellNothingOfWhatIsHidden(t *testing.T) {
	inEachWorld(t, func(t *testing.T, open func(t *testing.T) world) { tellsNothing(t, open(t), open(t)) })
}

func tellsNothing(t *testing.T, w, v world) {
	defs := readDefinitions(t)
	rapid.Check(t, func(t *rapid.T) {
		u := &universe{defs: defs}
		u.draw(t)
		one, closeOne := w.load(t, u)
		defer closeOne()
		two, closeTwo := v.load(t, u.without(t, "c"))
		defer closeTwo()
		for range 25 {
			g, a := drawWriter(t), drawAttempt(t, u)
			isStranger := func(p string) bool { return p == "c" }
			g.Reach, g.Own, g.OwnAll = slices.DeleteFunc(slices.Clone(g.Reach), isStranger), slices.DeleteFunc(slices.Clone(g.Own), isStranger), false
			g.Everybody = false
			x, err := a.try(t, one, g)
			y, another := a.try(t, two, g)
			if fmt.Sprint(err) != fmt.Sprint(another) || told(x) != told(y) {
				t.Fatalf("%+v %+v: %v %s, and %v %s", g, a, err, told(x), another, told(y))
			}
		}
	})
}

// told is what an answer says, without the id that is made up.
func told(w fhirstore.Written) string {
	if w.Resource.IsZero() {
		return ""
	}
	body := string(w.Resource.JSON())
	if w.Created {
		body = strings.Replace(body, w.Resource.ID(), "new", 1)
	}
	return fmt.Sprintln(w.Version, w.UpdatedAt, w.Owners, w.Created, w.Deleted, body)
}

// Of two updates of one version exactly one is made, whoever comes first.
//
// attack: B.63
func TestOneOfTwoUpdatesWins(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			load(t, s, of(about("o", "Patient/a")))
			g := grant{Scopes: []string{"patient/*.cruds"}, Patient: "a", HasUser: true, Reach: []string{"a"}}
			content, err := fhir.ParseResource([]byte(about("o", "Patient/a")))
			if err != nil {
				t.Fatal(err)
			}
			d := access.Decide(g.subject(), fhir.Interaction{Code: fhir.Update, Type: "Observation", ID: "o"})
			for version := int64(1); version <= 5; version++ {
				const callers = 8
				errs := make(chan error, callers)
				for range callers {
					go func() {
						_, err := s.Write(context.Background(), []fhirstore.Write{{Decision: d, Code: fhir.Update, Ref: content.Reference(), Content: content, IfMatch: strconv.FormatInt(version, 10)}})
						errs <- err
					}()
				}
				won := 0
				for range callers {
					switch err := <-errs; {
					case err == nil:
						won++
					case !errors.Is(err, fhirstore.ErrVersion):
						t.Error(err)
					}
				}
				if won != 1 {
					t.Errorf("version %d: %d won", version, won)
				}
			}
		})
	}
}

// A history by time is one by version, though the clock of one process is behind.
func TestTimeDoesNotGoBack(t *testing.T) {
	for name, open := range worlds {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			rapid.Check(t, func(t *rapid.T) {
				d, done := w(t)
				defer done()
				clock := time.Unix(2e9, 0)
				s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Now: func() time.Time { return clock }})
				if err != nil {
					t.Fatal(err)
				}
				g := grant{Scopes: []string{"patient/*.cruds"}, Patient: "a", HasUser: true, Reach: []string{"a"}}
				first, err := (attempt{code: fhir.Create, kind: "Device", content: object{"resourceType": "Device", "patient": to("Patient/a")}}).try(t, s, g)
				if err != nil {
					t.Fatal(err)
				}
				last := first
				for range 4 {
					clock = clock.Add(time.Duration(rapid.IntRange(-5, 5).Draw(t, "seconds")) * time.Second)
					id := first.Resource.ID()
					next, err := (attempt{code: fhir.Update, kind: "Device", id: id, content: object{"resourceType": "Device", "id": id, "patient": to("Patient/a")}}).try(t, s, g)
					if err != nil || next.UpdatedAt.Before(last.UpdatedAt) || next.Version != last.Version+1 {
						t.Fatalf("%v: %v after %v", err, next.UpdatedAt, last.UpdatedAt)
					}
					last = next
				}
			})
		})
	}
}
