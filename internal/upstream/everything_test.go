package upstream_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/internal/fhirapi"
)

// storeDoor is our own store asked directly, for the same tokens.
func storeDoor(t *testing.T, h *honest, who bearers) http.Handler {
	t.Helper()
	direct := bearers{}
	for name, facts := range who {
		facts.Base = h.base
		direct[name] = facts
	}
	d, err := fhirapi.New(fhirapi.Deps{Base: h.base, Path: "/fhir", Subjects: direct, Backend: h.store, Keeper: h.store, PageKey: make([]byte, 32), Capability: []byte("{}"), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// record follows $everything to its end.
func record(t *testing.T, door http.Handler, token, path, from string) (all []string) {
	t.Helper()
	for n := 0; path != "" && n < 500; n++ {
		got := get(door, token, path)
		var b struct {
			Link  []struct{ Relation, URL string }
			Entry []struct {
				Resource struct{ ResourceType, ID string }
			}
		}
		if err := json.Unmarshal(got.Body.Bytes(), &b); err != nil || got.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, got.Code, got.Body)
		}
		for _, e := range b.Entry {
			all = append(all, e.Resource.ResourceType+"/"+e.Resource.ID)
		}
		path = ""
		for _, l := range b.Link {
			if l.Relation == "next" {
				path = strings.TrimPrefix(l.URL, from)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// $everything through the gateway is what our own store answers, but for Binary, and with
// the Provenance of what is in it.
//
// spec: RSX-14, RSB-07
// attack: B.85
func TestEverythingThroughTheGateway(t *testing.T) {
	h := newHonest(t, of(ndjson(t, filepath.Join(dataDir(t), "traps/resources.ndjson.gz"))...))
	who := bearers{"alice": patientToken("trap-alice"), "granular": patientToken("trap-alice", "patient/Patient.rs", "patient/Condition.rs", "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"), "read": patientToken("trap-alice", "patient/*.r")}
	g := newGate(t, h.base)
	gateway, store := doorFor(t, g, who), storeDoor(t, h, who)
	for token := range who {
		for _, query := range []string{"", "?_count=3", "?start=2024-01-01", "?end=2024-01-01&_count=10", "?_since=2020-01-01", "?_type=Observation,Condition,Practitioner", "?_type=Patient"} {
			if token != "alice" && strings.Contains(query, "_type=Obs") {
				continue
			}
			wanted := slices.DeleteFunc(record(t, store, token, "/Patient/trap-alice/$everything"+query, h.base), func(ref string) bool { return strings.HasPrefix(ref, "Binary/") })
			got := record(t, gateway, token, "/Patient/trap-alice/$everything"+query, base)
			missing := without(got, wanted)
			if strings.Contains(query, "start") || strings.Contains(query, "end") { // it comes with what it is about
				missing = slices.DeleteFunc(missing, func(ref string) bool { return strings.HasPrefix(ref, "Provenance/") })
			}
			if extra := without(wanted, got); len(extra) > 0 || len(missing) > 0 || len(got) == 0 {
				t.Errorf("%s%s: only in the store %v, only at the gateway %v", token, query, missing, extra)
			}
		}
	}
	for path, want := range map[string]int{"/Patient/trap-bob/$everything": 404, "/Patient/none/$everything": 404, "/Patient/trap-alice/$everything?_type=Binary": 400, "/Patient/$everything": 403} {
		if got := get(gateway, "alice", path); got.Code != want {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	if n := g.seen.droppedAs("hidden") + g.seen.droppedAs("malformed"); n != 0 {
		t.Errorf("%d alarms:\n%s", n, g.log)
	}
}
