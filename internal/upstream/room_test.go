package upstream_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

// shared is a gateway before an upstream that answers reads and searches about the patient that is asked
// for, in pages of different sizes.
func shared(t testing.TB) *gate {
	t.Helper()
	up := scripted(t, func(w http.ResponseWriter, r *http.Request) {
		who := "alice"
		if strings.Contains(r.URL.String(), "bob") {
			who = "bob"
		}
		one := func(n int) string {
			return fmt.Sprintf(`{"resourceType":"Observation","id":"%s-%d","status":"final","code":{"text":"of %s"},"subject":{"reference":"Patient/%s"}}`, who, n, who, who)
		}
		w.Header().Set("Content-Type", "application/fhir+json")
		if strings.HasPrefix(r.URL.Path, "/fhir/Observation/") {
			_, _ = io.WriteString(w, one(1))
			return
		}
		var entries []string
		for n := range map[string]int{"alice": 20, "bob": 45}[who] {
			entries = append(entries, `{"resource":`+one(n)+`}`)
		}
		page := `{"resourceType":"Bundle","type":"searchset","entry":[` + strings.Join(entries, ",") + `]}`
		if who == "bob" { // of a length that is told
			w.Header().Set("Content-Length", fmt.Sprint(len(page)))
		}
		_, _ = io.WriteString(w, page)
	})
	return newGate(t, up.URL+"/fhir")
}

// Answers are read into rooms that are used again: no answer shows anything of another.
//
// attack: B.1, B.34
func TestNoAnswerShowsWhatStoodInItsRoom(t *testing.T) {
	door := doorBefore(t, shared(t))
	var all sync.WaitGroup
	for n := range 8 {
		who, other := "alice", "bob"
		if n%2 == 1 {
			who, other = other, who
		}
		all.Go(func() {
			for range 40 {
				for path, entries := range map[string]int{"/Observation?_count=50": map[string]int{"alice": 20, "bob": 45}[who], "/Observation/" + who + "-1": 1} {
					got := get(door, who, path)
					text := got.Body.String()
					if got.Code != http.StatusOK || strings.Contains(text, other) || strings.Count(text, "of "+who) != entries {
						t.Errorf("%s asked %s: %d %.200s", who, path, got.Code, text)
						return
					}
					if _, err := fhir.ReadDocument(got.Body.Bytes()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
}

// What was read is its own: an answer that comes later does not change it.
func TestAReadKeepsItsBytes(t *testing.T) {
	g := shared(t)
	for range 20 { // a room is not always taken again
		var kept []fhir.Resource
		for _, who := range []string{"alice", "bob", "alice"} {
			r, err := read(g, patientToken(who), fhir.Reference{Type: "Observation", ID: who + "-1"})
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, r.Resource)
		}
		for i, who := range []string{"alice", "bob", "alice"} {
			if text := string(kept[i].JSON()); !strings.Contains(text, "of "+who) {
				t.Fatalf("that of %s is now %s", who, text)
			}
		}
	}
}

// Nobody sees a page that was given back, nor what stands in its room by then; what was
// made of it stays.
//
// attack: B.1, B.34
func TestAPageThatWasGivenBackIsGone(t *testing.T) {
	g := shared(t)
	page, err := find(t, g, patientToken("alice"), "Observation", "_count=50")
	if err != nil || len(page.Matches) != 20 {
		t.Fatal(len(page.Matches), err)
	}
	page.Release()
	page.Release() // twice is once
	later, err := find(t, g, patientToken("bob"), "Observation", "_count=50")
	if err != nil || len(later.Matches) != 45 {
		t.Fatal(len(later.Matches), err)
	}
	one := page.Matches[3]
	if one.Resource.ID() != "alice-3" || one.Owners.Required[0] != "alice" {
		t.Error(one.Resource.ID(), one.Owners)
	}
	for name, look := range map[string]func() any{
		"its bytes": func() any { return one.Resource.JSON() }, "its members": func() any { return one.Resource.Root().Member("code") },
		"its tree": func() any { return one.Resource.Tree() }, "its version": func() any { return one.Resource.VersionID() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s were seen", name)
				}
			}()
			look()
		}()
	}
	for n, m := range later.Matches {
		if !strings.Contains(string(m.Resource.JSON()), fmt.Sprintf(`"bob-%d"`, n)) {
			t.Errorf("%s", m.Resource.JSON())
		}
	}
}
