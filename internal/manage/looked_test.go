package manage_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/manage"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// happened records accesses as they would have been.
func (e *env) happened(list ...trail.Entry) {
	e.t.Helper()
	sheets, err := trail.Sheets(list)
	must(e.t, err)
	must(e.t, e.store.AppendSheets(e.t.Context(), sheets))
}

var day = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

func look(user, fhirUser, client, code, target string, status int, at time.Time, patients ...string) trail.Entry {
	who, _ := fhir.ParseReference(fhirUser, "")
	ref, ok := fhir.ParseReference(target, "")
	if !ok {
		ref = fhir.Reference{Type: fhir.ResourceType(target)}
	}
	return trail.Entry{Who: trail.Who{Client: client, User: user, FHIRUser: who, Address: "192.0.2.7", TokenID: "jti-1"}, Code: code, Target: ref, Status: status, At: at, Patients: patients, Query: "code=secret"}
}

// A person sees who looked at their own record: by app, by who was behind it without a
// name, what kind of information, how often and when; and nothing about anybody else.
//
// spec: AUD-16
func TestWhoLookedAtMyRecord(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria", "leo")
	james := e.user("james", store.RolePatient, "Patient/james", "james")
	doctor := e.user("doc", store.RolePractitioner, "Practitioner/doc", "maria", "james")
	issued := look("maria", "Patient/maria", "steps", "", "", 200, day.Add(time.Hour), "maria")
	issued.Kind = trail.CodeIssued
	everything := look("maria", "Patient/maria", "steps", "$everything", "Patient/maria", 200, day.Add(2*time.Hour), "maria")
	e.happened(
		look("doc", "Practitioner/doc", "risk", "search-type", "Observation", 200, day, "james", "maria"),
		look("doc", "Practitioner/doc", "risk", "read", "AllergyIntolerance/1", 200, day.Add(time.Minute), "maria"),
		look("doc2", "Practitioner/other", "risk", "read", "Observation/1", 200, day.Add(2*time.Minute), "maria"),
		look("ben", "RelatedPerson/ben", "growth", "create", "QuestionnaireResponse/1", 201, day.Add(3*time.Minute), "maria"),
		look("", "", "risk", "read", "Condition/1", 200, day.Add(24*time.Hour), "maria"),
		look("maria", "Patient/maria", "growth", "search-type", "Condition", 403, day.Add(24*time.Hour), "maria"),
		look("maria", "Patient/maria", "growth", "search-type", "Condition", 503, day.Add(24*time.Hour), "maria"),
		look("james", "Patient/james", "steps", "read", "Patient/james", 200, day, "james"), issued, everything,
	)
	w := maria.get(manage.PathLooked)
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	says(t, w, "Who looked at your record", "21 November 2026 GrowthTracker refused Used by you It asked for this, and got nothing: Health problems Once, at 09:30 UTC",
		"RiskCalc By itself, without a person It was shown: Health problems", "20 November 2026 StepCounter Used by you It was shown: Every kind of health information",
		"StepCounter Used by you It was let in, by a decision of the person who used it", "GrowthTracker Used by somebody who stands for you It added or changed: Answers you gave",
		"RiskCalc Used by people who treat you at Riverside Clinic It was shown: Results and measurements, Allergies 3 times, last at 09:32 UTC")
	for _, hidden := range []string{"james", "doc", "ben", "secret", "192.0.2.7", "jti", "Display-of"} {
		if strings.Contains(w.Body.String(), hidden) {
			t.Errorf("%s is told: %s", hidden, text(t, w))
		}
	}
	events(t, e, "audit.looked", 1)
	if got := text(t, james.get(manage.PathLooked)); !strings.Contains(got, "StepCounter Used by you It was shown: About you Once") || strings.Contains(got, "GrowthTracker") {
		t.Error(got)
	}
	if w := doctor.get(manage.PathLooked); w.Code != http.StatusSeeOther || w.Header().Get("Location") != manage.Path {
		t.Errorf("without a record: %d", w.Code)
	}
	says(t, maria.get(manage.Path), "Who looked at your record")
	held := look("doc", "Practitioner/doc", "risk", "read", "Observation/1", 200, day.Add(48*time.Hour), "maria", "james")
	held.Holds("maria", []string{"hiv", "secret"})
	held.Holds("james", []string{"abuse"})
	e.happened(held, held)
	says(t, maria.get(manage.PathLooked), "It was shown: Results and measurements Sensitive information was among it: HIV 2 times")
	if got := text(t, doctor.get(manage.Path)); strings.Contains(got, "Who looked") {
		t.Error("a link to nothing")
	}
	stranger := &browser{e, map[string]*http.Cookie{}}
	if w := stranger.get(manage.PathLooked); w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Location"), "/login?request=manage.looked") {
		t.Errorf("nobody: %d %s", w.Code, w.Header().Get("Location"))
	}
	e.reached["maria"] = nil // the record is not hers to open now
	if w := maria.get(manage.PathLooked); w.Code != http.StatusSeeOther {
		t.Errorf("a record that is not reached: %d %s", w.Code, text(t, w))
	}
}

// Older ones stand on further pages, each once, to the end.
//
// spec: AUD-16
func TestOlderLooksAreOnFurtherPages(t *testing.T) {
	e := newEnv(t)
	maria := e.user("maria", store.RolePatient, "Patient/maria", "maria")
	for d := range 12 {
		var list []trail.Entry
		for range 100 {
			list = append(list, look("maria", "Patient/maria", "growth", "read", "Observation/1", 200, day.AddDate(0, 0, d), "maria"))
		}
		e.happened(list...)
	}
	says(t, maria.get(manage.PathLooked), "1 December 2026")
	earlier := regexp.MustCompile(`href="(/manage/looked\?before=[^"]+)"`)
	days, path, pages := 0, manage.PathLooked, 0
	for ; path != "" && pages < 9; pages++ {
		w := maria.get(path)
		days += strings.Count(w.Body.String(), "100 times")
		path = ""
		if m := earlier.FindStringSubmatch(w.Body.String()); m != nil {
			path = m[1]
		}
		if pages > 0 {
			says(t, w, "Back to the newest")
		}
	}
	if days != 12 || pages != 3 {
		t.Errorf("%d days on %d pages", days, pages)
	}
	for _, bad := range []string{"x", "1.2", "1.-2.0", "1.2.3.4", "%00"} {
		if w := maria.get(manage.PathLooked + "?before=" + bad); w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}
