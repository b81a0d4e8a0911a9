package launch

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/internal/emergency"
	"github.com/emberlatch/emberlatch/internal/flow"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Patients finds whom a user may choose.
type Patients interface {
	People(ctx context.Context, u store.User) ([]reach.Patient, error)
	Find(ctx context.Context, u store.User, s reach.Search) (found []reach.Patient, more bool, err error)
	Recent(ctx context.Context, u store.User) ([]reach.Patient, error)
	Patient(ctx context.Context, id string) (reach.Patient, error)
	Encounters(ctx context.Context, u store.User, patient string) (found []reach.Encounter, more bool, err error)
	Encounter(ctx context.Context, patient, id string) (reach.Encounter, error)
}

// Deps are the parts that the door needs; all but Emergency are required.
type Deps struct {
	Patients Patients
	// Person returns an enabled user with the patients they reach now.
	Person func(ctx context.Context, id store.UserID) (store.User, reach.Whom, error)
	Flow   *flow.Flow
	// Emergency is where records are opened in an emergency; nil: nobody may.
	Emergency *emergency.Desk
	// Paths of the steps.
	Path, EncounterPath, EmergencyPath string
	Now                                func() time.Time
}

// Door answers the steps that choose a patient and an encounter.
type Door struct{ deps Deps }

// New makes the door; it refuses missing parts.
func New(deps Deps) (*Door, error) {
	if deps.Patients == nil || deps.Person == nil || deps.Flow == nil || deps.Path == "" || deps.EncounterPath == "" || deps.EmergencyPath == "" || deps.Now == nil {
		return nil, errors.New("launch: a part is missing")
	}
	return &Door{deps}, nil
}

// Show answers GET.
func (d *Door) Show(w http.ResponseWriter, r *http.Request) {
	s, ok := d.deps.Flow.Open(w, r, r.URL.Query().Get("request"))
	if !ok {
		return
	}
	user, _, ok := d.user(w, r, s)
	if !ok {
		return
	}
	d.show(w, r, s, user, nil, false)
}

// user is who has logged in; without anybody the request goes back to be told so,
// and so does one that comes from a chart, where nobody is to choose (CTX-07).
func (d *Door) user(w http.ResponseWriter, r *http.Request, s flow.Step) (store.User, reach.Whom, bool) {
	if s.Request.LaunchContext != "" {
		d.deps.Flow.Continue(w, s.Handle)
		return store.User{}, reach.Whom{}, false
	}
	if !d.deps.Flow.SignedIn(w, r, s) {
		return store.User{}, reach.Whom{}, false
	}
	user, reached, err := d.deps.Person(r.Context(), s.Request.UserID)
	if errors.Is(err, store.ErrNotFound) {
		d.deps.Flow.Continue(w, s.Handle)
		return store.User{}, reach.Whom{}, false
	}
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return store.User{}, reach.Whom{}, false
	}
	return user, reached, true
}

// Post answers the forms: choosing, searching, going back.
func (d *Door) Post(w http.ResponseWriter, r *http.Request) {
	s, typed, ok := d.deps.Flow.Form(w, r, d.deps.Path)
	if !ok {
		return
	}
	if typed.Get("action") == "cancel" {
		d.deps.Flow.Refuse(w, r, s)
		return
	}
	user, reached, ok := d.user(w, r, s)
	if !ok {
		return
	}
	if typed.Get("action") == "search" {
		d.show(w, r, s, user, typed, false)
		return
	}
	if typed.Has("emergency") {
		d.toEmergency(w, r, s, typed["emergency"])
		return
	}
	patient := typed.Get("patient")
	reaches, err := d.reaches(r.Context(), reached, patient)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if len(typed["patient"]) != 1 || !reaches {
		d.show(w, r, s, user, nil, true)
		return
	}
	d.deps.Flow.Save(w, r, s, func(q *store.AuthorizationRequest) {
		flow.SetPatient(q, patient)
	})
}

// reaches reports whether there is a patient who is reached: who reaches everybody has no
// list to look at.
func (d *Door) reaches(ctx context.Context, reached reach.Whom, patient string) (bool, error) {
	if !reached.Contains(patient) || !reached.IsEverybody() {
		return reached.Contains(patient), nil
	}
	_, err := d.deps.Patients.Patient(ctx, patient)
	if errors.Is(err, reach.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// show lists people, or the matches of a clinician's search.
func (d *Door) show(w http.ResponseWriter, r *http.Request, s flow.Step, user store.User, typed url.Values, failed bool) {
	status := http.StatusOK
	if failed {
		status = http.StatusBadRequest
	}
	if user.Role != store.RolePractitioner {
		people, err := d.deps.Patients.People(r.Context(), user)
		if err != nil {
			d.deps.Flow.Fail(w, r, err)
			return
		}
		d.deps.Flow.Show(w, r, status, page.ChoosePerson{Shell: d.deps.Flow.Shell(s, d.deps.Path), People: d.lines(people), Failed: failed})
		return
	}
	p := page.ChoosePatient{Failed: failed}
	found, err := d.search(r.Context(), user, typed, &p)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if p.Found = d.lines(found); p.Searched && len(found) == 0 && !d.seek(w, r, &s, user, &p) {
		return
	}
	p.Shell = d.deps.Flow.Shell(s, d.deps.Path) // its ticket is of the request as it is now
	d.deps.Flow.Show(w, r, status, p)
}

// maxInput bounds one input, in bytes.
const maxInput = 100

func (d *Door) search(ctx context.Context, user store.User, typed url.Values, p *page.ChoosePatient) ([]reach.Patient, error) {
	get := func(name string) string {
		text := strings.TrimSpace(typed.Get(name))
		if len(text) > maxInput {
			return ""
		}
		return text
	}
	p.Query, p.BirthDate, p.RecordNumber = get("name"), get("birth_date"), get("record_number")
	p.Searched = p.Query != "" || p.BirthDate != "" || p.RecordNumber != ""
	if !p.Searched {
		return d.deps.Patients.Recent(ctx, user)
	}
	found, more, err := d.deps.Patients.Find(ctx, user, reach.Search{Name: p.Query, BirthDate: p.BirthDate, RecordNumber: p.RecordNumber})
	p.More = more
	return found, err
}

// lines are what a list shows; equal names are marked.
func (d *Door) lines(people []reach.Patient) []page.Person {
	names := map[string]int{}
	for _, p := range people {
		names[p.Name]++
	}
	list := make([]page.Person, 0, len(people))
	for _, p := range people {
		list = append(list, page.Person{
			ID: p.ID, Name: p.Name, Relationship: p.Relationship, BirthDate: p.BirthDate, Sex: p.Sex, RecordNumber: p.RecordNumber,
			Age: age(p.BirthDate, d.deps.Now()), Self: p.Self, Until: p.Until, SameName: names[p.Name] > 1,
		})
	}
	return list
}

// age in whole years; 0 when the birth date is not a day.
func age(birthDate string, now time.Time) int {
	born, err := time.Parse("2006-01-02", birthDate)
	if err != nil {
		return 0
	}
	years := now.Year() - born.Year()
	if now.YearDay() < born.YearDay() {
		years--
	}
	return max(0, years)
}
