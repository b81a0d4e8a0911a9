package review_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/emberlatch/emberlatch/internal/review"
	"github.com/emberlatch/emberlatch/internal/store"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	got, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// spec: REG-06
func TestBusinessDays(t *testing.T) {
	newYork, err := review.NewCalendar("America/New_York", []string{"2026-12-25", "2027-01-01", "2026-12-26"})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name     string
		calendar review.Calendar
		from     string
		n        int
		want     string // the last day
	}{
		{"Monday and ten", review.Calendar{}, "2026-06-01T09:00:00Z", 10, "2026-06-15T23:59:59Z"},
		{"Friday and five", review.Calendar{}, "2026-06-05T23:59:00Z", 5, "2026-06-12T23:59:59Z"},
		{"Saturday and one", review.Calendar{}, "2026-06-06T10:00:00Z", 1, "2026-06-08T23:59:59Z"},
		{"Sunday and five", review.Calendar{}, "2026-06-07T10:00:00Z", 5, "2026-06-12T23:59:59Z"},
		{"over two holidays, one on a Saturday", newYork, "2026-12-18T12:00:00Z", 10, "2027-01-05T23:59:59-05:00"},
		{"still yesterday there", newYork, "2026-06-02T02:00:00Z", 1, "2026-06-02T23:59:59-04:00"},
		{"over the change of the clocks", newYork, "2026-10-30T12:00:00Z", 1, "2026-11-02T23:59:59-05:00"},
		{"on a holiday", newYork, "2026-12-25T15:00:00Z", 1, "2026-12-28T23:59:59-05:00"},
	} {
		if got := row.calendar.End(at(t, row.from), row.n).Truncate(time.Second); !got.Equal(at(t, row.want)) {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
	for name, row := range map[string]struct {
		zone     string
		holidays []string
	}{
		"zone": {"Nowhere/City", nil}, "date": {"", []string{"25.12.2026"}}, "no day": {"", []string{"2026-02-30"}}, "many": {"", make([]string, 401)},
	} {
		if _, err := review.NewCalendar(row.zone, row.holidays); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// What is due follows from the times: ten business days for the developer, whatever
// was asked meanwhile, and five for the app.
//
// spec: REG-06
func TestWhatIsDue(t *testing.T) {
	monday := at(t, "2026-06-01T09:00:00Z")
	day := func(text string) time.Time { return at(t, text+"T23:59:59.999Z") }
	for _, row := range []struct {
		name   string
		review store.Review
		want   review.Standing
		late   string // a moment at which it is overdue
	}{
		{"nothing", store.Review{}, review.Standing{}, ""},
		{"registered", store.Review{RegisteredAt: monday}, review.Standing{State: "registered", Since: monday, Due: day("2026-06-15")}, "2026-06-16T00:00:00Z"},
		{"asked", store.Review{RegisteredAt: monday, AskedAt: monday.Add(time.Hour)}, review.Standing{State: "asked", Since: monday.Add(time.Hour), Due: day("2026-06-15")}, "2026-06-16T00:00:00Z"},
		{"verified", store.Review{RegisteredAt: monday, VerifiedAt: monday}, review.Standing{State: "verified", Since: monday, Due: day("2026-06-08")}, "2026-06-09T00:00:00Z"},
		{"enabled", store.Review{RegisteredAt: monday, EnabledAt: monday}, review.Standing{State: "enabled", Since: monday}, ""},
		{"declined", store.Review{RegisteredAt: monday, DeclinedAt: monday}, review.Standing{State: "declined", Since: monday}, ""},
		{"suspended", store.Review{RegisteredAt: monday, EnabledAt: monday, SuspendedAt: monday}, review.Standing{State: "suspended", Since: monday}, ""},
	} {
		last := row.want.Due
		if last.IsZero() {
			last = monday.AddDate(1, 0, 0)
		}
		if diff := cmp.Diff(row.want, review.Calendar{}.Standing(row.review, last)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
		if row.late != "" && !(review.Calendar{}).Standing(row.review, at(t, row.late)).Overdue {
			t.Errorf("%s: not overdue a moment later", row.name)
		}
	}
}

// The whole table of who may go where; what is refused changes nothing that is kept.
//
// spec: REG-06, REG-16
func TestDecisions(t *testing.T) {
	now := at(t, "2026-06-01T09:00:00Z")
	later := now.Add(time.Hour)
	const (
		registered = store.ReviewRegistered
		asked      = store.ReviewAsked
		verified   = store.ReviewVerified
		enabled    = store.ReviewEnabled
		declined   = store.ReviewDeclined
		suspended  = store.ReviewSuspended
		approved   = "approved" // enabled, and verified
		own        = "own"      // an operator's
		no         = ""
	)
	from := map[store.ReviewState]store.Client{
		registered: {SelfRegistered: true, Review: store.Review{RegisteredAt: now}},
		asked:      {SelfRegistered: true, Review: store.Review{RegisteredAt: now, AskedAt: now}},
		verified:   {SelfRegistered: true, Checked: true, Review: store.Review{RegisteredAt: now, VerifiedAt: now}},
		enabled:    {SelfRegistered: true, Review: store.Review{RegisteredAt: now, EnabledAt: now}},
		approved:   {SelfRegistered: true, Checked: true, Review: store.Review{RegisteredAt: now, VerifiedAt: now, EnabledAt: now}},
		declined:   {SelfRegistered: true, Disabled: true, Review: store.Review{RegisteredAt: now, DeclinedAt: now, Reason: "x"}},
		suspended:  {SelfRegistered: true, Disabled: true, Checked: true, Review: store.Review{RegisteredAt: now, VerifiedAt: now, EnabledAt: now, SuspendedAt: now, Reason: "x"}},
		own:        {Trusted: true},
	}
	decide := map[string]func(store.Client) (store.Client, error){
		"ask":     func(c store.Client) (store.Client, error) { return review.Ask(c, "Who are you?", later) },
		"verify":  func(c store.Client) (store.Client, error) { return review.Verify(c, later) },
		"approve": func(c store.Client) (store.Client, error) { return review.Approve(c, later) },
		"decline": func(c store.Client) (store.Client, error) { return review.Decline(c, "Nobody answers.", later) },
		"suspend": func(c store.Client) (store.Client, error) { return review.Suspend(c, "Complaints.", later) },
		"resume":  review.Resume,
	}
	for verb, row := range map[string]map[store.ReviewState]store.ReviewState{
		"ask":     {registered: asked, asked: asked, verified: no, enabled: no, approved: no, declined: no, suspended: no, own: no},
		"verify":  {registered: verified, asked: verified, verified: no, enabled: enabled, approved: no, declined: verified, suspended: no, own: no},
		"approve": {registered: enabled, asked: enabled, verified: enabled, enabled: enabled, approved: no, declined: enabled, suspended: no, own: no},
		"decline": {registered: declined, asked: declined, verified: declined, enabled: declined, approved: no, declined: no, suspended: no, own: no},
		"suspend": {registered: suspended, asked: suspended, verified: suspended, enabled: suspended, approved: suspended, declined: no, suspended: no, own: suspended},
		"resume":  {registered: registered, asked: asked, verified: verified, enabled: enabled, approved: enabled, declined: no, suspended: enabled, own: own},
	} {
		for before, want := range row {
			c, err := decide[verb](from[before])
			var refused *review.Refusal
			switch {
			case want == no:
				if !errors.As(err, &refused) || refused.Text == "" {
					t.Errorf("%s of %s: %v", verb, before, err)
				}
			case err != nil:
				t.Errorf("%s of %s: %v", verb, before, err)
			case want == own && c.Review == (store.Review{}):
			case c.Review.State() != want:
				t.Errorf("%s of %s: %s, want %s", verb, before, c.Review.State(), want)
			case c.Disabled != (want == declined || want == suspended), c.MayAsk() != (want == enabled):
				t.Errorf("%s of %s: %+v", verb, before, c)
			case (verb == "verify" || verb == "approve") && (!c.Checked || c.Review.VerifiedAt.IsZero() || c.Review.Reason != ""):
				t.Errorf("%s of %s: %+v", verb, before, c)
			case c.OperatorSet == (verb == "decline" || verb == "suspend"):
				t.Errorf("%s of %s: set by an operator: %t", verb, before, c.OperatorSet)
			case want == declined && (c.Checked || c.Review.Reason == ""):
				t.Errorf("%s of %s: %+v", verb, before, c)
			}
		}
	}
}

// What a developer is told is a sentence that can be shown.
func TestWordsForTheDeveloper(t *testing.T) {
	c := store.Client{SelfRegistered: true, Review: store.Review{RegisteredAt: time.Now()}}
	for _, text := range []string{"", "a\x1b[31mb", "a\u202eb", strings.Repeat("a", 501), "a\xffb"} {
		if _, err := review.Ask(c, text, time.Now()); err == nil {
			t.Errorf("asked %q", text)
		}
		if _, err := review.Decline(c, text, time.Now()); err == nil {
			t.Errorf("declined for %q", text)
		}
		if _, err := review.Suspend(c, text, time.Now()); (err == nil) != (text == "") {
			t.Errorf("suspended for %q: %v", text, err)
		}
	}
	if got, err := review.Decline(c, "Line one.\nLínea dos.", time.Now()); err != nil || got.Review.Reason == "" {
		t.Error(err)
	}
}
