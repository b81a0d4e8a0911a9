package manage

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/reach"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// viewer is the person who looks, with whom they reach now.
type viewer struct {
	user    store.User
	reached reach.Whom
	record  string // the patient that they are, if they reach that record; else empty
}

// viewer finds out who looks. Somebody who reaches more than can be found out sees what
// they gave, without the names of those it is about.
func (d *Door) viewer(ctx context.Context, who session.Authenticated) (viewer, error) {
	user, reached, err := d.deps.Person(ctx, who.UserID())
	if errors.Is(err, reach.ErrTooWide) {
		user, err = d.deps.Store.User(ctx, who.UserID())
		return viewer{user: user}, err
	}
	v := viewer{user: user, reached: reached}
	own, ok := fhir.ParseReference(user.FHIRUser, "")
	if ok && own.Type == "Patient" && standsForPatients(user) && reached.Contains(own.ID) {
		v.record = own.ID
	}
	return v, err
}

// standsForPatients: a patient, or somebody who represents one. All others see records
// because of their work.
func standsForPatients(u store.User) bool {
	return u.Role == store.RolePatient || u.Role == store.RoleRepresentative
}

// maxGrants bounds what is read for one page.
const maxGrants = 1000

func (d *Door) query(v viewer) store.SharingQuery {
	return store.SharingQuery{UserID: v.user.ID, Record: v.record, AccessLife: d.deps.AccessLife, Limit: maxGrants}
}

// access is what one person has given to one app about one record: its grants. Of what
// people at work use, all of one app are one access, and nobody is named.
type access struct {
	store.Sharing
	staff  bool
	grants []store.SharedGrant
}

// id names an access in addresses; it is looked up among those of the person who asks.
func (a access) id() string {
	h := sha256.New()
	for _, part := range []string{string(a.UserID), string(a.ClientID), a.Patient, strconv.FormatBool(a.staff)} {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))[:22]
}

// accessOf is the access that a grant belongs to.
func (v viewer) accessOf(g store.SharedGrant) access {
	a := access{Sharing: store.Sharing{UserID: g.Grant.UserID, ClientID: g.Grant.ClientID, Patient: g.Grant.Patient}}
	if a.UserID != v.user.ID && !standsForPatients(g.GivenBy) {
		a.UserID, a.staff = "", true
	}
	return a
}

// gather puts grants together into accesses, the one used last first.
func (v viewer) gather(grants []store.SharedGrant) []access {
	byID, order := map[string]*access{}, []string{}
	for _, g := range grants {
		a := v.accessOf(g)
		id := a.id()
		if byID[id] == nil {
			byID[id], order = &a, append(order, id)
		}
		byID[id].grants = append(byID[id].grants, g)
	}
	list := make([]access, 0, len(order))
	for _, id := range order {
		list = append(list, *byID[id])
	}
	slices.SortStableFunc(list, func(a, b access) int { return b.used().Compare(a.used()) })
	return list
}

// used is when the app last used the access: to read, or to get a token.
func (a access) used() time.Time {
	var last time.Time
	for _, g := range a.grants {
		for _, at := range []time.Time{g.UsedAt, g.TokenAt} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

func (a access) since() time.Time {
	return slices.MinFunc(a.grants, func(x, y store.SharedGrant) int { return x.Grant.CreatedAt.Compare(y.Grant.CreatedAt) }).Grant.CreatedAt
}

func (a access) scopes() []string {
	var list []string
	for _, g := range a.grants {
		for _, s := range g.Grant.Scopes {
			if !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// ends says when the access is over by itself: by the grant that lasts longest.
func (a access) ends(now time.Time, accessLife time.Duration) page.Ending {
	var last page.Ending
	var rank int
	for _, g := range a.grants {
		e, r := endOf(g, now, accessLife)
		if r > rank || r == rank && e.At.After(last.At) {
			last, rank = e, r
		}
	}
	return last
}

// endOf is the end of one grant, with its rank among the kinds of ends.
func endOf(g store.SharedGrant, now time.Time, accessLife time.Duration) (page.Ending, int) {
	refresh, end := g.Grant.Refresh, g.Grant.RefreshExpiresAt
	switch {
	case refresh.Kind == store.RefreshOffline && end.After(now):
		if refresh.Absolute > 0 && !g.Grant.CreatedAt.Add(refresh.Absolute).After(end) {
			return page.Ending{Kind: "on", At: end}, 3
		}
		return page.Ending{Kind: "unused", At: end}, 3
	case refresh.Kind == store.RefreshOnline:
		return page.Ending{Kind: "session"}, 2
	}
	return page.Ending{Kind: "soon", At: g.TokenAt.Add(accessLife)}, 1
}

// keeps reports whether the app gets at something while nobody uses it (CONS-19).
func (a access) keeps(now time.Time) bool {
	return slices.ContainsFunc(a.grants, func(g store.SharedGrant) bool {
		return g.Grant.Refresh.Kind == store.RefreshOffline && g.Grant.RefreshExpiresAt.After(now)
	})
}

// names finds whose record is whose, each once.
type names struct {
	door  *Door
	v     viewer
	known map[string]page.Whose
}

func (d *Door) names(v viewer) *names { return &names{d, v, map[string]page.Whose{}} }

// whose says whose record a patient is, as far as the viewer reaches.
func (n *names) whose(ctx context.Context, patient string) (page.Whose, error) {
	if known, ok := n.known[patient]; ok {
		return known, nil
	}
	w, err := n.ask(ctx, patient)
	n.known[patient] = w
	return w, err
}

func (n *names) ask(ctx context.Context, patient string) (page.Whose, error) {
	if patient == "" {
		return page.Whose{Kind: "none"}, nil
	}
	if !n.v.reached.Contains(patient) {
		return page.Whose{Kind: "unseen"}, nil
	}
	p, err := n.door.deps.Patient(ctx, patient)
	switch {
	case errors.Is(err, reach.ErrNotFound): // the record is gone
		return page.Whose{Kind: "unseen"}, nil
	case err != nil:
		return page.Whose{}, err
	case patient == n.v.record:
		return page.Whose{Kind: "own", Name: p.Name}, nil
	}
	return page.Whose{Kind: "other", Name: p.Name}, nil
}

// byRecord orders records: one's own, then others by name, then what has no name.
func byRecord(a, b page.Record) int {
	rank := map[string]int{"own": 0, "other": 1, "unseen": 2, "none": 3}
	return cmp.Or(rank[a.Whose.Kind]-rank[b.Whose.Kind], cmp.Compare(a.Whose.Name, b.Whose.Name))
}
