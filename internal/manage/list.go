package manage

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/emberlatch/emberlatch/internal/choice"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// maxAccesses is how many accesses one page shows.
const maxAccesses = 100

// List shows what the person shares.
func (d *Door) List(w http.ResponseWriter, r *http.Request) {
	who, ok := d.signedIn(w, r, placeList)
	if !ok {
		return
	}
	v, err := d.viewer(r.Context(), who)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if err := d.deps.FlushUses(r.Context()); err != nil { // only the times would be older
		d.deps.Log.WarnContext(r.Context(), "when grants were last used could not be written", "error", err)
	}
	p, err := d.connected(r.Context(), v)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

func (d *Door) connected(ctx context.Context, v viewer) (page.Connected, error) {
	p := page.Connected{
		Shell: page.Shell{Self: Path}, UserName: v.user.Display, SessionsURL: PathSignIns, PasswordURL: PathPassword, SecondStepURL: PathSecondStep, SignOutURL: d.deps.LogoutPath,
	}
	grants, err := d.deps.Store.LivingGrants(ctx, d.query(v))
	if err != nil {
		return p, err
	}
	accesses := v.gather(grants)
	if p.More = len(grants) >= maxGrants || len(accesses) > maxAccesses; len(accesses) > maxAccesses {
		accesses = accesses[:maxAccesses]
	}
	if v.record != "" {
		p.LookedURL = PathLooked
	}
	if d.deps.Emergencies && v.user.Role == store.RolePractitioner {
		open, err := d.deps.Store.OpenEmergencies(ctx, v.user.ID)
		if err != nil {
			return p, err
		}
		if len(open) > 0 {
			p.EmergenciesURL = PathEmergencies
		}
	}
	names := d.names(v)
	var keeping []store.ClientID
	for _, a := range accesses {
		if !a.staff {
			p.StopAllURL = PathStopAll
			if a.keeps(d.deps.Now()) && !slices.Contains(keeping, a.ClientID) {
				keeping = append(keeping, a.ClientID)
			}
		}
		whose, err := names.whose(ctx, a.Patient)
		if err != nil {
			return p, err
		}
		addTo(&p, whose, a.Patient, d.shown(v, a))
	}
	p.Keeping = len(keeping)
	slices.SortStableFunc(p.Records, byRecord)
	for i := range p.Records {
		p.Records[i].ID = "record-" + strconv.Itoa(i+1)
	}
	p.Stopped, err = d.history(ctx, v, names)
	return p, err
}

// addTo puts an access below the record that it is about. Records without a name are one
// heading; two people of one name are two. The ID is the patient until it is numbered.
func addTo(p *page.Connected, whose page.Whose, patient string, a page.Access) {
	if whose.Name == "" {
		patient = ""
	}
	i := slices.IndexFunc(p.Records, func(r page.Record) bool { return r.ID == patient && r.Whose == whose })
	if i < 0 {
		p.Records = append(p.Records, page.Record{ID: patient, Whose: whose})
		i = len(p.Records) - 1
	}
	p.Records[i].Accesses = append(p.Records[i].Accesses, a)
}

// shown is an access as the page has it.
func (d *Door) shown(v viewer, a access) page.Access {
	now, scopes := d.deps.Now(), a.scopes()
	p := page.Access{
		App: d.app(a.ClientID), Staff: a.staff, Scopes: scopes, Keeps: a.keeps(now),
		Since: a.since(), Used: a.used(), Ends: a.ends(now, d.deps.AccessLife),
	}
	p.Read, p.Write = choice.Shown(scopes)
	switch {
	case a.staff:
	case a.UserID == v.user.ID:
		p.Identity = smart.NewScopeSet(scopes).Has(smart.OpenID)
		p.StopURL = placeStop(a.id()).Path
	default:
		p.By = a.grants[0].GivenBy.Display
		p.StopURL = placeStop(a.id()).Path
	}
	return p
}

// app is what people are told of an app; of one that is gone its id is left.
func (d *Door) app(id store.ClientID) page.App {
	c, known := d.deps.Client(id)
	if !known {
		return page.App{Name: string(id), Status: "registered"}
	}
	return choice.App(c, d.deps.Sandbox)
}
