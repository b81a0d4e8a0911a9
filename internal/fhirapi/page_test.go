package fhirapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// many is a ward where each of two patients has 25 observations more.
func many(t testing.TB) *site {
	t.Helper()
	store := openStore(t, ward())
	var more []string
	for i := range 25 {
		more = append(more, observation(fmt.Sprintf("a-%02d", i), "alice", categories+"|laboratory"), observation(fmt.Sprintf("b-%02d", i), "bob", categories+"|laboratory"))
	}
	fill(t, store, of(more...))
	return newSite(t, store, tokens{
		"alice": patient("alice", "patient/*.rs"), "again": patient("alice", "patient/*.rs"),
		"bob": patient("bob", "patient/*.rs"), "lab": patient("alice", laboratory),
	})
}

// Pages hold everything once, are full but the last, and name this server only.
//
// spec: RSX-20, RS-20, RSG-09, RSG-15
// attack: B.31, B.48, B.49, B.103
func TestPagesAreWhole(t *testing.T) {
	s := many(t)
	for _, row := range []struct{ name, token, path string }{
		{"type search", "alice", "/Observation"},
		{"granular scope", "lab", "/Observation"},
		{"compartment search", "alice", "/Patient/alice/Observation"},
		{"a query of the app", "alice", "/Observation?category=" + categories + "%7Claboratory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			separator := "?"
			if strings.Contains(row.path, "?") {
				separator = "&"
			}
			_, whole := s.find(t, row.token, row.path+separator+"_count=1000")
			place, _, _ := strings.Cut(row.path, "?")
			var paged []string
			for next := row.path + separator + "_count=7"; next != ""; {
				b, ids := s.find(t, row.token, next)
				paged = append(paged, ids...)
				next = strings.TrimPrefix(b.link("next"), base)
				if next != "" && len(ids) != 7 {
					t.Errorf("a page of %d", len(ids))
				}
				for _, l := range b.Link {
					if !strings.HasPrefix(l.URL, base+place) {
						t.Errorf("%s link %s", l.Relation, l.URL)
					}
				}
			}
			slices.Sort(paged)
			if d := cmp.Diff(whole, paged); d != "" || len(whole) < 20 {
				t.Errorf("%d in the whole: %s", len(whole), d)
			}
		})
	}
}

// A page link works as it came, for its own grant and search, for an hour.
//
// spec: RSX-20
// attack: B.50, B.51, GW-11
func TestPageLinks(t *testing.T) {
	s := many(t)
	b, _ := s.find(t, "alice", "/Observation?_count=5")
	link := strings.TrimPrefix(b.link("next"), base)
	c, _ := s.find(t, "alice", "/Patient/alice/Observation?_count=5")
	inside := strings.TrimPrefix(c.link("next"), base)
	_, sealed, ok := strings.Cut(link, "_page=")
	if !ok || inside == "" {
		t.Fatal(link, inside)
	}
	changed := func(i int) string {
		text := []byte(sealed)
		if text[i] == 'A' {
			text[i] = 'B'
		} else {
			text[i] = 'A'
		}
		return string(text)
	}
	for _, row := range []struct {
		name, token, path string
		status            int
	}{
		{"B.50 as it came", "alice", link, 200},
		{"B.50 a second time", "alice", link, 200},
		{"B.50 of another patient", "bob", link, 404},
		{"B.50 of another grant of the same person", "again", link, 404},
		{"B.51 another type", "alice", "/Condition?_page=" + sealed, 404},
		{"B.51 a compartment", "alice", "/Patient/alice/Observation?_page=" + sealed, 404},
		{"B.51 out of the compartment", "alice", "/Observation?" + inside[strings.Index(inside, "_page="):], 404},
		{"B.51 nonce changed", "alice", "/Observation?_page=" + changed(3), 404},
		{"B.51 text changed", "alice", "/Observation?_page=" + changed(len(sealed)/2), 404},
		{"B.51 seal changed", "alice", "/Observation?_page=" + changed(len(sealed)-4), 404},
		{"B.51 cut", "alice", "/Observation?_page=" + sealed[:len(sealed)-8], 404},
		{"B.51 empty", "alice", "/Observation?_page=", 404},
		{"B.51 padded", "alice", "/Observation?_page=" + sealed + "%3D", 404},
		{"B.51 with a condition", "alice", link + "&patient=alice", 400},
		{"B.51 twice", "alice", link + "&_page=" + sealed, 400},
		{"B.51 on a read", "alice", "/Observation/a-lab?_page=" + sealed, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := s.get(t, row.token, row.path); got.status != row.status {
				t.Errorf("%d %s, want %d", got.status, got.body, row.status)
			}
		})
	}
	if got, made := s.get(t, "bob", link), s.get(t, "bob", "/Observation?_page=x"); got.body != made.body {
		t.Errorf("a stolen link and a broken one differ: %s, %s", got.body, made.body)
	}
	if strings.Contains(sealed, "alice") || strings.Contains(sealed, "grant") {
		t.Errorf("the link can be read: %s", sealed)
	}
	s.now = s.now.Add(time.Hour)
	if got := s.get(t, "alice", link); got.status != 200 {
		t.Errorf("within the hour: %d", got.status)
	}
	s.now = s.now.Add(time.Second)
	if got := s.get(t, "alice", link); got.status != 404 {
		t.Errorf("after the hour: %d", got.status)
	}
}

// The view is evaluated anew on every page: what is lost since is not shown.
//
// spec: RSX-20
// attack: B.50, B.112
func TestPagesUnderAViewThatShrank(t *testing.T) {
	store := openStore(t, ward())
	known := tokens{"doctor": clinician([]string{"user/*.rs"}, "alice", "bob")}
	s := newSite(t, store, known)
	b, _ := s.find(t, "doctor", "/Observation?_count=2&_sort=_id")
	known["doctor"] = clinician([]string{"user/*.rs"}, "alice")
	for next := strings.TrimPrefix(b.link("next"), base); next != ""; {
		page, ids := s.find(t, "doctor", next)
		for _, id := range ids {
			if strings.HasPrefix(id, "Observation/b-") || id == "Observation/hidden-now" {
				t.Errorf("%s is Bob's", id)
			}
		}
		next = strings.TrimPrefix(page.link("next"), base)
	}
}

// A search by POST is the search of its query and its form together, in one
// content type.
//
// spec: RS-04, RS-16, RS-22, RSX-02
// attack: B.28, B.30, B.101, GW-05, GW-33, HT-05
func TestSearchByPost(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	const form = "application/x-www-form-urlencoded"
	for _, row := range []struct {
		name, path, media, body string
		status                  int
		contains                string
	}{
		{"form", "/Observation/_search", form, "_id=a-lab", 200, "Observation/a-lab"},
		{"form with a charset", "/Observation/_search", form + "; charset=utf-8", "_id=a-lab", 200, "Observation/a-lab"},
		{"compartment", "/Patient/alice/Observation/_search", form, "_id=a-lab", 200, "Observation/a-lab"},
		{"B.30 query and form", "/Observation/_search?patient=alice", form, "patient=bob", 200, `"total":0`},
		{"B.30 the other way", "/Observation/_search?patient=bob", form, "patient=alice", 200, `"total":0`},
		{"B.30 JSON", "/Observation/_search", "application/json", `{"patient":"bob"}`, 415, "OperationOutcome"},
		{"B.30 multipart", "/Observation/_search", "multipart/form-data; boundary=x", "--x--", 415, "OperationOutcome"},
		{"GW-33 no type", "/Observation/_search", "", "_id=a-lab", 415, "OperationOutcome"},
		{"GW-33 a type that is none", "/Observation/_search", ";;", "_id=a-lab", 415, "OperationOutcome"},
		{"RS-04 token in the form", "/Observation/_search", form, "access_token=alice", 400, "OperationOutcome"},
		{"B.101 _method", "/Observation/_search", form, "_method=DELETE", 400, "_method"},
		{"B.28 broken escape", "/Observation/_search", form, "patient=%zz", 400, "OperationOutcome"},
		{"B.28 semicolon", "/Observation/_search", form, "a=1;patient=bob", 400, "OperationOutcome"},
		{"B.28 not UTF-8", "/Observation/_search", form, "code=\xff", 400, "OperationOutcome"},
		{"RS-22 large form", "/Observation/_search", form, "code=" + strings.Repeat("x", 65<<10), 413, "OperationOutcome"},
		{"RS-22 long query", "/Observation/_search?code=" + strings.Repeat("x", 17<<10), form, "", 414, "OperationOutcome"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := s.send(t, "alice", http.MethodPost, row.path, row.body, "Content-Type", row.media)
			if got.status != row.status || !strings.Contains(got.body, row.contains) {
				t.Errorf("%d %s, want %d with %s", got.status, got.body, row.status, row.contains)
			}
		})
	}
}

// JSON is what is spoken; whoever wants something else is told so.
//
// spec: RS-16
// attack: B.13
func TestFormats(t *testing.T) {
	s := newSite(t, openStore(t, ward()), tokens{"alice": patient("alice", "patient/*.rs")})
	for _, row := range []struct {
		query, accept string
		status        int
	}{
		{"", "", 200}, {"", "*/*", 200}, {"", "application/fhir+json", 200}, {"", "application/fhir+json; fhirVersion=4.0", 200},
		{"", "text/html, application/json;q=0.5", 200}, {"", "Application/FHIR+JSON", 200}, {"?_format=json", "text/html", 200},
		{"?_format=application/fhir%2Bjson", "", 200}, {"?_format=application/fhir+json", "", 200}, {"?_pretty=true", "", 200},
		{"?_format=xml", "", 406}, {"?_format=json&_format=xml", "", 406}, {"?_format=ttl", "", 406}, {"?_format=html", "", 406},
		{"?_format=", "", 406}, {"", "application/fhir+xml", 406}, {"", "text/html", 406}, {"", "application/json;q=0", 406},
	} {
		for _, path := range []string{"/Patient/alice", "/Patient", "/metadata"} {
			if got := s.get(t, "alice", path+row.query, "Accept", row.accept); got.status != row.status {
				t.Errorf("B.13 %s%s Accept %q: %d, want %d", path, row.query, row.accept, got.status, row.status)
			} else if c := got.header.Get("Content-Type"); c != "application/fhir+json; charset=utf-8" {
				t.Errorf("%s: Content-Type %q", path, c)
			}
		}
	}
}
