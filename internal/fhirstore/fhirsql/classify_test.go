package fhirsql_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/sensitive"
	"github.com/emberlatch/emberlatch/internal/testdb"
	"github.com/emberlatch/emberlatch/smart"
)

// house is a database that several processes open, each with its own configuration.
type house struct{ db *db.DB }

func houses(t *testing.T, run func(t *testing.T, h house)) {
	for name, address := range map[string]func() string{"sqlite": func() string { return testdb.SQLite(t) }, "postgres": func() string { return testdb.PostgreSQL(t) }} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(context.Background(), db.Config{URL: address()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = d.Close() })
			run(t, house{d})
		})
	}
}

// process starts one.
func (h house) process(t *testing.T, c *sensitive.Categories) (s *fhirsql.Store, looked int64) {
	t.Helper()
	s, err := fhirsql.New(fhirsql.Deps{DB: h.db, Base: base, Sensitive: c, Now: time.Now})
	if err == nil {
		err = s.Classify(context.Background(), func(done, all int64) {
			if looked = done; done > all {
				t.Errorf("%d of %d", done, all)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, looked
}

// withheldFrom is a token of a practitioner who reaches patient a, and no category.
func withheldFrom(c *sensitive.Categories) access.Subject {
	return access.NewSubject(access.Facts{ClientID: "app", HasUser: true, FHIRUser: fhir.Reference{Type: "Practitioner", ID: "p"}, Reach: search.NewIDSet("a"),
		Scopes: smart.NewScopeSet([]string{"user/*.rs"}), Sensitive: c.Policy(), Base: base})
}

// shown are the resources, and versions, that are read.
func shown(t *testing.T, s *fhirsql.Store, c *sensitive.Categories, refs ...string) (list []string) {
	t.Helper()
	for _, text := range refs {
		ref, ok := fhir.ParseReference(text, "")
		if !ok {
			t.Fatal(text)
		}
		read, code := s.Read, fhir.Read
		if ref.Version != "" {
			read, code = s.VRead, fhir.VRead
		}
		_, err := read(context.Background(), access.Decide(withheldFrom(c), fhir.Interaction{Code: code, Type: ref.Type, ID: ref.ID}), ref)
		if err == nil {
			list = append(list, text)
		} else if !errors.Is(err, fhirstore.ErrNotFound) {
			t.Error(text, err)
		}
	}
	return list
}

func labelled(id, code string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","subject":{"reference":"Patient/a"},"code":{"coding":[{"system":"urn:s","code":%q}]}}`, id, code)
}

func medicine(id, code string) string {
	return fmt.Sprintf(`{"resourceType":"Medication","id":%q,"code":{"coding":[{"system":"urn:s","code":%q}]}}`, id, code)
}

// statement that patient a takes a medicine.
func statement(id, medicine string) string {
	return fmt.Sprintf(`{"resourceType":"MedicationRequest","id":%q,"status":"active","intent":"order","subject":{"reference":"Patient/a"},"medicationReference":{"reference":%q}}`, id, medicine)
}

func category(codes ...string) *sensitive.Categories {
	d := sensitive.Definition{Name: "c"}
	for _, code := range codes {
		d.Codes = append(d.Codes, sensitive.Code{System: "urn:s", Code: code})
	}
	return sensitive.New([]sensitive.Definition{d}, nil)
}

// A change of the configuration classifies all that is stored anew, with its versions and
// with what derives from it.
//
// attack: GW-40, B.4, B.44
func TestANewConfigurationClassifiesAnew(t *testing.T) {
	houses(t, func(t *testing.T, h house) {
		before, looked := h.process(t, nil)
		load(t, before, of(labelled("x", "x"), labelled("y", "y"), labelled("was", "x"), labelled("was", "z"), labelled("old", "z"),
			targeting("px", "Observation/x"), targeting("pp", "Provenance/px"), targeting("py", "Observation/y"), targeting("both", "Observation/old", "Observation/y"),
			document("d", "Patient/a", "Binary/b"), `{"resourceType":"Binary","id":"b","contentType":"text/plain"}`,
			`{"resourceType":"Binary","id":"s","contentType":"text/plain","securityContext":{"reference":"Observation/x"}}`,
			targeting("old", "Observation/y"), targeting("old", "Observation/old")))
		load(t, before, of(statement("m", "Medication/m"), statement("n", "Medication/n"), statement("was", "Medication/m"), statement("was", "Medication/n"), medicine("m", "x"), medicine("n", "y"), targeting("pm", "MedicationRequest/m")))
		all := []string{"MedicationRequest/m", "MedicationRequest/n", "MedicationRequest/was", "MedicationRequest/was/_history/1", "Medication/m", "Medication/n", "Provenance/pm", "Observation/x", "Observation/y", "Observation/was", "Observation/was/_history/1", "Provenance/px", "Provenance/pp", "Provenance/py", "Provenance/both", "Binary/b", "Binary/s", "Provenance/old", "Provenance/old/_history/1"}
		if looked != 0 || !slices.Equal(shown(t, before, nil, all...), all) {
			t.Fatal("something is withheld without a configuration")
		}
		for _, step := range []struct {
			of     *sensitive.Categories
			hidden []string
		}{
			{category("x"), []string{"MedicationRequest/m", "MedicationRequest/was/_history/1", "Medication/m", "Provenance/pm", "Observation/x", "Observation/was/_history/1", "Provenance/px", "Provenance/pp", "Binary/s"}},
			{category("y"), []string{"MedicationRequest/n", "MedicationRequest/was", "MedicationRequest/was/_history/1", "Medication/n", "Observation/y", "Provenance/py", "Provenance/both", "Provenance/old/_history/1"}},
			{category("none"), nil},
		} {
			s, looked := h.process(t, step.of)
			if looked == 0 {
				t.Error("nothing was looked at")
			}
			want := slices.DeleteFunc(slices.Clone(all), func(ref string) bool { return slices.Contains(step.hidden, ref) })
			if diff := cmp.Diff(want, shown(t, s, step.of, all...)); diff != "" {
				t.Errorf("(-want +shown):\n%s", diff)
			}
			if _, again := h.process(t, step.of); again != 0 {
				t.Errorf("%d were looked at again", again)
			}
		}
	})
}

// What a process of another configuration writes is withheld until all is classified anew.
//
// attack: GW-40
func TestWhatNobodyHasClassifiedIsWithheld(t *testing.T) {
	houses(t, func(t *testing.T, h house) {
		c := category("x")
		s, _ := h.process(t, c)
		load(t, s, of(labelled("x", "x"), labelled("z", "z")))
		if got := shown(t, s, c, "Observation/x", "Observation/z"); !slices.Equal(got, []string{"Observation/z"}) {
			t.Errorf("shown: %v", got)
		}
		other, _ := h.process(t, nil)
		load(t, other, of(labelled("by-another", "z")))
		load(t, s, of(labelled("after", "z")))
		if got := shown(t, s, c, "Observation/z", "Observation/by-another", "Observation/after"); !slices.Equal(got, []string{"Observation/z"}) {
			t.Errorf("shown: %v", got)
		}
		s, _ = h.process(t, c)
		if got := shown(t, s, c, "Observation/x", "Observation/by-another", "Observation/after"); !slices.Equal(got, []string{"Observation/by-another", "Observation/after"}) {
			t.Errorf("shown after all is classified: %v", got)
		}
	})
}

// What is withheld tells nothing: the answers are those of a store without it.
//
// attack: GW-40, B.12, B.40, B.41, B.42, B.43, B.46, B.48
func TestWhatIsWithheldChangesNoByte(t *testing.T) {
	inEachWorld(t, func(t *testing.T, open func(t *testing.T) world) { withholdsAll(t, open(t), open(t)) })
}

func withholdsAll(t *testing.T, w, v world) {
	defs, withheld := readDefinitions(t), 0
	rapid.Check(t, func(t *rapid.T) {
		u := &universe{defs: defs}
		u.draw(t)
		g := drawGrant(t)
		g.Careful = true
		other, n := u.withoutWithheld(t, g)
		withheld += n
		one, closeOne := w.load(t, u)
		defer closeOne()
		two, closeTwo := v.load(t, other)
		defer closeTwo()
		for range 20 {
			q := drawQuestion(t)
			x, _ := page(t, one, g, q, "4", "")
			y, _ := page(t, two, g, q, "4", "")
			if diff := cmp.Diff(string(bytesOf(x)), string(bytesOf(y))); diff != "" {
				t.Fatalf("%+v %+v: the answer tells of what is withheld:\n%s", g, q, diff)
			}
		}
	})
	if withheld == 0 {
		t.Error("nothing was withheld: the test proves nothing")
	}
}

// withoutWithheld is the universe with everything gone, or as sensitive with another
// content, that is withheld from a grant. What others derive from stays as it is, and so do
// the medicine that a statement is about, by which it is as sensitive, and all whom it is
// about, by whom the grant's audience is found.
func (u *universe) withoutWithheld(t *rapid.T, g grant) (*universe, int) {
	other, n := &universe{defs: u.defs}, 0
	for _, r := range u.things {
		stays := aboutElement[r.kind] == "" || r.kind == "DocumentReference" || slices.Contains([]string{"Observation/0", "Observation/1", "Condition/0", "MedicationRequest/0"}, r.ref())
		if stays || u.cleared(g, r) {
			other.things = append(other.things, r)
			continue
		}
		n++
		if !rapid.Bool().Draw(t, "changed, not removed") {
			continue
		}
		content := fresh[r.kind](t)
		maps.DeleteFunc(content, func(name string, v any) bool { return decides(r.kind, name, v) })
		for name, v := range r.content {
			if decides(r.kind, name, v) {
				content[name] = v
			}
		}
		other.things = append(other.things, made(r.kind, r.id, content))
	}
	other.things = rapid.Permutation(other.things).Draw(t, "another order of loading")
	return other, n
}

// decides reports whether what an element holds decides about who reads the resource.
func decides(kind, name string, v any) bool {
	return slices.Contains([]string{aboutElement[kind], "extension", "meta", "medicationReference"}, name) || namesPatient(v)
}

// namesPatient: there is a reference to a patient somewhere.
func namesPatient(v any) bool {
	switch v := v.(type) {
	case object:
		reference, _ := v["reference"].(string)
		return strings.Contains(reference, "Patient/") || slices.ContainsFunc(slices.Collect(maps.Values(v)), namesPatient)
	case []any:
		return slices.ContainsFunc(v, namesPatient)
	}
	return false
}
