package catalogue_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/emberlatch/emberlatch/internal/db"
	"github.com/emberlatch/emberlatch/internal/fhirstore/fhirsql"
	"github.com/emberlatch/emberlatch/internal/testdb"
)

var universes = flag.Int("universes", 10, "how many random universes are asked over HTTP; as many as -rapid.checks at most")

// twin is one universe behind both doors, with tokens that change.
type twin struct {
	store, gateway *side
	known          tokens
	close          func()
}

// newTwin opens a universe. Its clock stands still, so that two of them tell the same
// times.
func newTwin(t testing.TB, url string, u []drawn) *twin {
	d, err := db.Open(t.Context(), db.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	s, err := fhirsql.New(fhirsql.Deps{DB: d, Base: base, Now: func() time.Time { return time.Unix(1e9, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	load(t, s, texts(u)...)
	w := &twin{known: tokens{}}
	var behind http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { behind.ServeHTTP(rw, r) }))
	behind = newDoor(t, server.URL+"/fhir", tokens{ours: all(server.URL + "/fhir")}, s, s)
	g := newGate(t, server.URL+"/fhir")
	w.store = &side{name: "store", store: s, door: newDoor(t, base, w.known, s, s)}
	w.gateway = &side{name: "gateway", store: s, url: server.URL + "/fhir", door: newDoor(t, base, w.known, g, g)}
	w.close = func() { g.Close(); server.Close(); _ = d.Close() }
	return w
}

// changing is what two answers that say the same may differ in: the seal of a page link.
var changing = regexp.MustCompile(`_page=[^"&]*`)

// said is everything that an answer tells.
func said(a answer) string {
	h := a.header.Clone()
	if strings.Contains(a.body, "_page=") {
		h.Del("Content-Length")
	}
	text := changing.ReplaceAllString(a.body, "_page=")
	var lines []string
	for name, values := range h {
		lines = append(lines, name+": "+strings.Join(values, ", "))
	}
	slices.Sort(lines)
	return http.StatusText(a.status) + "\n" + strings.Join(lines, "\n") + "\n" + text
}

// Random universes, tokens and requests over HTTP, before the store and before the
// gateway. Of each: what nobody of the token reaches changes no byte of the answer
// (C.5 1); the gateway finds what the store finds (6); more scopes find no less (4); and
// what two lists of scopes find together is what each finds (5).
//
// attack: B.1, B.4, B.5, B.7, B.12, B.20, B.21, B.40 to B.48, B.52, B.85, B.107
func TestRandomUniversesOverHTTP(t *testing.T) {
	dir, n, cases, compared, failing := t.TempDir(), 0, 0, 0, false
	rapid.Check(t, func(rt *rapid.T) {
		if n++; n > *universes && !failing { // what failed is made smaller as often as it takes
			return
		}
		failing = true
		u := universe(rt)
		other := disturbed(rt, u)
		name := filepath.Join(dir, fmt.Sprint(n))
		x, y := newTwin(t, testdb.SQLiteAt(t, name+"x"), u), newTwin(t, testdb.SQLiteAt(t, name+"y"), other)
		defer x.close()
		defer y.close()
		for range 12 {
			g := drawGrants(rt)
			for _, w := range []*twin{x, y} {
				w.known["both"], w.known["one"], w.known["two"] = g.both, g.one, g.two
			}
			for range 8 {
				method, path, plain := drawRequest(rt)
				compared += lawful(rt, x, y, g, method, path, plain)
				cases += 2
			}
		}
		failing = false
	})
	if compared < cases/100 {
		t.Errorf("of %d cases the store and the gateway found the same something in %d: the test proves little", cases, compared)
	}
	t.Logf("both sides found something in %d", compared)
	t.Logf("cases: %d", cases)
}

// lawful holds one request against the laws; 1: both sides found something.
func lawful(rt *rapid.T, x, y *twin, g grants, method, path string, plain bool) int {
	found := map[string][]string{}
	for _, name := range []string{"store", "gateway"} {
		here, there := x.store, y.store
		if name == "gateway" {
			here, there = x.gateway, y.gateway
		}
		got := here.send("both", method, path, "")
		if diff := cmp.Diff(said(got), said(there.send("both", method, path, ""))); diff != "" {
			rt.Fatalf("%s %s of the %s under %q, patient %q: the answer changes with what is hidden:\n%s", method, path, name, g.scopes, g.both.Patient, diff)
		}
		if !plain {
			continue
		}
		all, ok := foundBy(rt, got)
		one, okOne := foundBy(rt, here.send("one", method, path, ""))
		two, okTwo := foundBy(rt, here.send("two", method, path, ""))
		if !ok {
			continue // not offered
		}
		found[name] = all
		if okOne && !within(one, all) || okTwo && !within(two, all) {
			rt.Fatalf("%s of the %s: %q finds %v and %v, together %v", path, name, g.scopes, one, two, all)
		}
		// A join leads from what one list of scopes finds to what the other does.
		if okOne && okTwo && !strings.ContainsAny(path, ":.") && !strings.Contains(path, "include") && !within(all, append(one, two...)) {
			rt.Fatalf("%s of the %s: %q finds %v and %v, together %v", path, name, g.scopes, one, two, all)
		}
	}
	if here, ok := found["gateway"]; ok {
		if diff := cmp.Diff(found["store"], here); diff != "" {
			rt.Fatalf("%s under %q, patient %q (-store +gateway):\n%s", path, g.scopes, g.both.Patient, diff)
		}
		return min(1, len(here))
	}
	return 0
}

// foundBy is what a search found, in its order; a refusal by scopes finds nothing.
func foundBy(rt *rapid.T, a answer) ([]string, bool) {
	switch a.status {
	case http.StatusForbidden:
		return nil, true
	case http.StatusOK:
	default:
		return nil, false
	}
	list := []string{}
	var b bundle
	if err := json.Unmarshal([]byte(a.body), &b); err != nil {
		rt.Fatal(err)
	}
	for _, e := range b.Entry {
		list = append(list, e.Resource.ResourceType+"/"+e.Resource.ID)
	}
	return list, true
}

func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(id string) bool { return !slices.Contains(all, id) })
}
