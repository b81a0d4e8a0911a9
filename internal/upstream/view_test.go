package upstream_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/emberlatch/emberlatch/fhir"
)

var sealed = regexp.MustCompile(`_page=[A-Za-z0-9_-]+`)

// What lies outside of the view changes no byte of any answer (C.5 1), behind an
// upstream that does what it is asked: totals, links, order and includes too.
//
// spec: RSX-18, RSG-15, ERR-45
// attack: B.12, B.45, B.46, B.47, B.48, B.49, GW-35
func TestWhatIsHiddenChangesNothing(t *testing.T) {
	dir := dataDir(t)
	all := ndjson(t, filepath.Join(dir, "traps/resources.ndjson.gz"))
	hidden := map[string]bool{} // from Alice
	for _, row := range traps(t, dir) {
		hidden[row.Ref] = row.Class == "closed" || row.Class == "record" && !strings.Contains(strings.Join(row.Recommended, " ")+" ", "trap-alice ")
	}
	var seen, others []string
	for _, raw := range all {
		r, err := fhir.ParseResource([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		if hidden[r.Reference().String()] {
			others = append(others, raw)
		} else {
			seen = append(seen, raw)
		}
	}
	if len(others) < 20 || len(seen) < 20 {
		t.Fatalf("%d hidden, %d seen", len(others), len(seen))
	}
	answers := func(resources []string) map[string]string {
		up := newHonest(t, of(resources...))
		door := doorBefore(t, newGate(t, up.base))
		m := map[string]string{}
		ask := func(path string) {
			got := get(door, "trap-alice", path)
			m[path] = stable(fmt.Sprint(got.Code, " ", got.Header().Get("Content-Type"), " ", got.Body))
		}
		for kind, queries := range asked {
			for _, query := range queries {
				ask("/" + string(kind) + "?" + query)
			}
		}
		for ref := range hidden {
			ask("/" + ref)
		}
		return m
	}
	before, after := answers(seen), answers(append(append([]string{}, seen...), others...))
	for path, want := range before {
		if got := after[path]; got != want {
			t.Errorf("%s: without what is hidden\n%s\nwith it\n%s", path, want, got)
		}
	}
}

// stable is an answer without what differs from one run to another.
func stable(body string) string {
	return regexp.MustCompile(`"lastUpdated":"[^"]*"`).ReplaceAllString(sealed.ReplaceAllString(body, "_page"), "")
}

// Hidden and missing take the same requests, and what another resource points to is
// never fetched.
//
// spec: RS-21, ERR-45
// attack: B.1, B.7, B.16, B.19, B.55, GW-02
func TestHiddenAndMissingTakeTheSame(t *testing.T) {
	up := newHonest(t, of(alices[0], alices[1], lab("b1", "bob"),
		`{"resourceType":"DocumentReference","id":"d1","status":"current","subject":{"reference":"Patient/alice"},"content":[{"attachment":{"url":"http://169.254.169.254/latest"}}]}`))
	door := doorBefore(t, newGate(t, up.base))
	get(door, "alice", "/Observation") // the CapabilityStatement has been read
	trace := func(method, path string) string {
		up.asked()
		r := httptest.NewRequest(method, base+path, nil)
		r.Header.Set("Authorization", "Bearer alice")
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		calls, _ := up.asked()
		text := fmt.Sprint(w.Code, w.Header(), w.Body)
		for _, c := range calls {
			text += " " + c.Method + " " + c.URL.String()
		}
		return strings.NewReplacer("b1", "ID", "zz", "ID").Replace(text)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, path := range []string{"/Observation/%s", "/Observation/%s/_history/1", "/Observation?_id=%s", "/Observation?patient=%s", "/Observation?performer=Patient/%s"} {
			if path[len(path)-2:] != "%s" && method == http.MethodHead {
				continue
			}
			hidden, missing := trace(method, fmt.Sprintf(path, "b1")), trace(method, fmt.Sprintf(path, "zz"))
			if hidden != missing {
				t.Errorf("%s %s: hidden\n%s\nmissing\n%s", method, path, hidden, missing)
			}
		}
	}
	if got := trace(http.MethodGet, "/DocumentReference/d1"); !strings.HasPrefix(got, "200") || strings.Count(got, " GET ") != 1 {
		t.Errorf("a document: %s", got)
	}
}

// Many tokens at the same time: each answer holds its own patient and nobody else.
//
// attack: GW-42
func TestManyTokensAtOnce(t *testing.T) {
	var all []string
	for i := range 40 {
		id := fmt.Sprintf("p%02d", i)
		all = append(all, `{"resourceType":"Patient","id":"`+id+`","name":[{"family":"canary-`+id+`"}]}`, strings.Replace(lab("o"+id, id), `"x"`, `"canary-`+id+`"`, 1))
	}
	up := newHonest(t, of(all...))
	g := newGate(t, up.base)
	canary := regexp.MustCompile(`canary-p\d\d`)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			id := fmt.Sprintf("p%02d", i)
			for range 5 {
				for kind, query := range map[fhir.ResourceType]string{"Patient": "_revinclude=Observation:subject", "Observation": "_include=Observation:subject"} {
					page, err := find(t, g, patientToken(id), kind, query)
					if err != nil || len(page.Matches) != 1 {
						t.Errorf("%s: %v, %d matches", id, err, len(page.Matches))
						continue
					}
					for _, r := range append(page.Matches, page.Includes...) {
						for _, found := range canary.FindAllString(string(r.Resource.JSON()), -1) {
							if found != "canary-"+id {
								t.Errorf("%s sees %s", id, found)
							}
						}
					}
				}
			}
		})
	}
	wg.Wait()
}
