package fhirapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A long search that was posted is continued by links that this server accepts, to
// the end, or refused on its first page; it is never left in the middle. One whose
// answer fits a page is answered however long it is.
//
// spec: RS-22
// attack: B.49
func TestLongQueriesPage(t *testing.T) {
	long := map[string]string{"p0": strings.Repeat("😀", 300), "p1": strings.Repeat(`\u0001`, 300), "p2": strings.Repeat("<", 300), "p3": "short", "p4": strings.Repeat("&", 9000)}
	var all []string
	for id, text := range long {
		all = append(all, fmt.Sprintf(`{"resourceType":"Patient","id":"%s","name":[{"family":"%s"}],"address":[{"city":"%s"}]}`, id, text, text))
	}
	s := newSite(t, openStore(t, of(all...)), tokens{"doctor": clinician([]string{"user/Patient.rs"}, "p0", "p1", "p2", "p3", "p4")})
	post := func(form url.Values) answer {
		return s.send(t, "doctor", http.MethodPost, "/Patient/_search", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	outcomes := map[string]int{}
	for _, keys := range []string{"", "family", "family,address-city,-family,_id"} {
		for _, padding := range []int{0, 20, 40, 60, 100, 110, 120, 130, 140, 145, 150, 155, 160, 165, 170, 180, 190, 200, 290} {
			ids := []string{"p0", "p1", "p2", "p3", "p4"}
			for i := range padding {
				ids = append(ids, fmt.Sprintf("%064d", i))
			}
			form := url.Values{"_id": {strings.Join(ids, ",")}, "_count": {"1"}}
			if keys != "" {
				form.Set("_sort", keys)
			}
			got := post(form)
			if got.status == http.StatusBadRequest && strings.Contains(got.body, `"too-costly"`) && strings.Contains(got.body, "_count") {
				outcomes["refused by _sort="+keys]++
				form.Set("_count", "5")
				if whole := post(form); whole.status != http.StatusOK || strings.Contains(whole.body, `"next"`) {
					t.Errorf("_sort=%s, %d ids on one page: %d", keys, len(ids), whole.status)
				}
				continue
			}
			outcomes["answered by _sort="+keys]++
			var found []string
			for {
				var b bundle
				if err := json.Unmarshal([]byte(got.body), &b); err != nil || got.status != http.StatusOK {
					t.Fatalf("_sort=%s, %d ids, page %d: %d %.300s", keys, len(ids), len(found)+1, got.status, got.body)
				}
				for _, e := range b.Entry {
					found = append(found, e.Resource.ID)
				}
				next := b.link("next")
				if next == "" {
					break
				}
				got = s.get(t, "doctor", strings.TrimPrefix(next, base))
			}
			slices.Sort(found)
			if d := cmp.Diff([]string{"p0", "p1", "p2", "p3", "p4"}, found); d != "" {
				t.Errorf("_sort=%s, %d ids: %s", keys, len(ids), d)
			}
		}
	}
	for _, keys := range []string{"", "family", "family,address-city,-family,_id"} {
		if outcomes["answered by _sort="+keys] < 3 || outcomes["refused by _sort="+keys] < 3 {
			t.Errorf("_sort=%s: the bound is not where it is looked for: %v", keys, outcomes)
		}
	}
}
