package fhirsql_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
)

// alone is a patient with every scope.
func alone(id string) grant {
	return grant{Scopes: []string{"patient/*.cruds"}, Patient: id, HasUser: true, Reach: []string{id}}
}

// write makes one write, which must be permitted.
func write(t *testing.T, s *fhirsql.Store, g grant, code fhir.InteractionCode, ref, content string) fhirstore.Written {
	t.Helper()
	kind, id, _ := strings.Cut(ref, "/")
	w := fhirstore.Write{Code: code, Ref: fhir.Reference{Type: fhir.ResourceType(kind), ID: id}}
	w.Decision = access.Decide(g.subject(), fhir.Interaction{Code: code, Type: w.Ref.Type, ID: id})
	if content != "" {
		var err error
		if w.Content, err = fhir.ParseResource([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	done, err := s.Write(context.Background(), []fhirstore.Write{w})
	if err != nil {
		t.Fatal(ref, err)
	}
	return done[0]
}

// What an app deletes or takes out shows nobody more than before: a file of two
// records does not become one of the other record, nor does a Provenance.
//
// attack: B.14, B.44, B.66
func TestNobodySeesMoreAfterADeletion(t *testing.T) {
	const binary = `{"resourceType":"Binary","id":"b","contentType":"text/plain"}`
	file, record := fhir.Reference{Type: "Binary", ID: "b"}, fhir.Reference{Type: "Provenance", ID: "p"}
	for engine, open := range engines {
		for name, row := range map[string]struct {
			hidden fhir.Reference
			change func(t *testing.T, s *fhirsql.Store)
		}{
			"a document is deleted": {file, func(t *testing.T, s *fhirsql.Store) {
				write(t, s, alone("a"), fhir.Delete, "DocumentReference/d", "")
			}},
			"an attachment is taken out": {file, func(t *testing.T, s *fhirsql.Store) {
				write(t, s, alone("a"), fhir.Update, "DocumentReference/d", document("d", "Patient/a", "https://elsewhere.test/x"))
			}},
			"a target is deleted": {record, func(t *testing.T, s *fhirsql.Store) {
				write(t, s, alone("a"), fhir.Delete, "Observation/1", "")
			}},
		} {
			t.Run(engine+": "+name, func(t *testing.T) {
				s := open(t)
				load(t, s, of(binary, document("d", "Patient/a", "Binary/b"), document("e", "Patient/b", "Binary/b"),
					about("1", "Patient/a"), about("2", "Patient/b"), targeting("p", "Observation/1", "Observation/2")))
				row.change(t, s)
				// Another change has the owners computed anew.
				load(t, s, of(strings.Replace(binary, "plain", "html", 1), strings.Replace(targeting("p", "Observation/1", "Observation/2"), "2024", "2025", 1)))
				for _, patient := range []string{"a", "b"} {
					if reads(t, s, patientToken(patient), row.hidden) {
						t.Errorf("%s reads %s", patient, row.hidden)
					}
				}
			})
		}
	}
}

// A version is seen when it is in the view, and the current one is too: of what was moved
// neither patient sees the version before.
//
// attack: B.4
func TestAVersionIsJudgedByItselfAndByTheCurrentOne(t *testing.T) {
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			load(t, s, of(about("1", "Patient/b"), about("1", "Patient/a")))
			for patient, seen := range map[string]string{"a": "2", "b": ""} {
				for _, version := range []string{"1", "2", "3"} {
					ref := fhir.Reference{Type: "Observation", ID: "1", Version: version}
					_, err := s.VRead(context.Background(), access.Decide(alone(patient).subject(), fhir.Interaction{Code: fhir.VRead, Type: ref.Type, ID: ref.ID, Version: version}), ref)
					if (err == nil) != (version == seen) || err != nil && !errors.Is(err, fhirstore.ErrNotFound) {
						t.Errorf("version %s read by %s: %v", version, patient, err)
					}
				}
			}
		})
	}
}

// What was deleted is known to those who could see it, and can be loaded again.
//
// attack: B.107
func TestDeletedAndLoadedAgain(t *testing.T) {
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			load(t, s, of(about("1", "Patient/a")))
			ref := fhir.Reference{Type: "Observation", ID: "1"}
			gone := write(t, s, alone("a"), fhir.Delete, "Observation/1", "")
			if !gone.Deleted || gone.Version != 2 {
				t.Errorf("%+v", gone)
			}
			read := func(patient string) error {
				_, err := s.Read(context.Background(), access.Decide(alone(patient).subject(), fhir.Interaction{Code: fhir.Read, Type: ref.Type, ID: ref.ID}), ref)
				return err
			}
			if err := read("a"); !errors.Is(err, fhirstore.ErrGone) {
				t.Errorf("who could see it: %v", err)
			}
			if err := read("b"); !errors.Is(err, fhirstore.ErrNotFound) || errors.Is(err, fhirstore.ErrGone) {
				t.Errorf("who could not: %v", err)
			}
			if report := load(t, s, of(about("1", "Patient/a"))); report.Stored["Observation"] != 1 {
				t.Errorf("%+v", report)
			}
			if err := read("a"); err != nil {
				t.Error(err)
			}
		})
	}
}

// All of several writes are made, or none; the one that cannot be is named.
func TestAllOrNone(t *testing.T) {
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			create := func(patient string) fhirstore.Write {
				content, err := fhir.ParseResource([]byte(about("x", "Patient/"+patient)))
				if err != nil {
					t.Fatal(err)
				}
				return fhirstore.Write{Code: fhir.Create, Ref: fhir.Reference{Type: "Observation"}, Content: content,
					Decision: access.Decide(alone("a").subject(), fhir.Interaction{Code: fhir.Create, Type: "Observation"})}
			}
			_, err := s.Write(context.Background(), []fhirstore.Write{create("a"), create("b")})
			var which *fhirstore.WriteError
			var refusal access.Refusal
			if !errors.As(err, &which) || which.At != 1 || !errors.As(err, &refusal) {
				t.Errorf("%v", err)
			}
			g := alone("a")
			count := func() int {
				h, err := s.History(context.Background(), access.Decide(g.subject(), fhir.Interaction{Code: fhir.HistoryType, Type: "Observation"}),
					fhirstore.HistoryQuery{Ref: fhir.Reference{Type: "Observation"}, Count: 10})
				if err != nil {
					t.Fatal(err)
				}
				return len(h.Entries)
			}
			if n := count(); n != 0 {
				t.Errorf("%d were made", n)
			}
			if done, err := s.Write(context.Background(), []fhirstore.Write{create("a"), create("a")}); err != nil || len(done) != 2 || count() != 2 {
				t.Errorf("%v, %d", err, count())
			}
		})
	}
}

// Histories of all three levels on both databases, a page at a time.
//
// spec: RSX-03, RSG-10
// attack: B.5, B.6, B.48
func TestHistoryPages(t *testing.T) {
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			s := open(t)
			load(t, s, of(about("1", "Patient/b"), about("2", "Patient/b"), about("3", "Patient/a")))
			load(t, s, of(about("1", "Patient/a"), `{"resourceType":"Device","id":"d","patient":{"reference":"Patient/a"}}`))
			for range 3 {
				write(t, s, alone("a"), fhir.Update, "Observation/3", about("3", "Patient/a"))
			}
			write(t, s, alone("a"), fhir.Delete, "Device/d", "")
			for name, row := range map[string]struct {
				code fhir.InteractionCode
				ref  fhir.Reference
				want []string // as a set
			}{
				"instance": {fhir.HistoryInstance, fhir.Reference{Type: "Observation", ID: "3"}, []string{"Observation/3 4", "Observation/3 3", "Observation/3 2", "Observation/3 1"}},
				"type":     {fhir.HistoryType, fhir.Reference{Type: "Observation"}, []string{"Observation/3 4", "Observation/3 3", "Observation/3 2", "Observation/1 2", "Observation/3 1"}},
				"system":   {fhir.HistorySystem, fhir.Reference{}, []string{"Device/d 2 deleted", "Observation/3 4", "Observation/3 3", "Observation/3 2", "Device/d 1", "Observation/1 2", "Observation/3 1"}},
			} {
				t.Run(name, func(t *testing.T) {
					d := access.Decide(alone("a").subject(), fhir.Interaction{Code: row.code, Type: row.ref.Type, ID: row.ref.ID})
					for count := 1; count < 4; count++ {
						var got []string
						q := fhirstore.HistoryQuery{Ref: row.ref, Count: count}
						for pages := 0; pages < 20; pages++ {
							page, err := s.History(context.Background(), d, q)
							if err != nil {
								t.Fatal(err)
							}
							for _, e := range page.Entries {
								line := fmt.Sprint(e.Resource.Reference(), " ", e.Version)
								if e.Deleted {
									line += " deleted"
								}
								got = append(got, line)
							}
							if q.Cursor = page.Next; q.Cursor == "" {
								break
							}
							if len(page.Entries) != count {
								t.Errorf("a page of %d in place of %d", len(page.Entries), count)
							}
						}
						if diff := cmp.Diff(setOf(row.want), setOf(got)); diff != "" || len(got) != len(row.want) {
							t.Errorf("%d a page, %v (-want +got)\n%s", count, got, diff)
						}
					}
				})
			}
			for _, cursor := range []string{"?", "e30", "bm8"} {
				d := access.Decide(alone("a").subject(), fhir.Interaction{Code: fhir.HistorySystem})
				if _, err := s.History(context.Background(), d, fhirstore.HistoryQuery{Count: 1, Cursor: cursor}); !errors.Is(err, fhirstore.ErrPosition) {
					t.Errorf("%q: %v", cursor, err)
				}
			}
		})
	}
}
