package manage

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/emberlatch/emberlatch/internal/choice"
	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/store"
)

// How far the history goes back, in years and in entries. Six years is how long others
// have to account for what they disclosed (45 CFR 164.528).
const (
	historyYears = 6
	historyMax   = 50
)

// ending is an access that has ended, at one moment.
type ending struct {
	access
	at time.Time
}

// endings are what the viewer sees of what has ended, the latest first.
func (d *Door) endings(ctx context.Context, v viewer) ([]ending, error) {
	grants, err := d.deps.Store.StoppedGrants(ctx, d.query(v), d.deps.Now().AddDate(-historyYears, 0, 0))
	if err != nil {
		return nil, err
	}
	var list []ending
	for _, g := range grants {
		e := ending{v.accessOf(g), g.Grant.RevokedAt}
		i := slices.IndexFunc(list, func(o ending) bool { return o.Sharing == e.Sharing && o.at.Equal(e.at) })
		if i < 0 {
			list, i = append(list, e), len(list)
		}
		list[i].grants = append(list[i].grants, g)
	}
	return list[:min(len(list), historyMax)], nil
}

func (d *Door) history(ctx context.Context, v viewer, n *names) ([]page.StoppedAccess, error) {
	all, err := d.endings(ctx, v)
	if err != nil {
		return nil, err
	}
	return d.stopped(ctx, v, n, all)
}

// justStopped is the last end of each access that is meant.
func (d *Door) justStopped(ctx context.Context, v viewer, meant func(access) bool) ([]page.StoppedAccess, error) {
	all, err := d.endings(ctx, v)
	if err != nil {
		return nil, err
	}
	var last []ending
	for _, e := range all {
		if meant(e.access) && !slices.ContainsFunc(last, func(o ending) bool { return o.Sharing == e.Sharing }) {
			last = append(last, e)
		}
	}
	return d.stopped(ctx, v, d.names(v), last)
}

func (d *Door) stopped(ctx context.Context, v viewer, n *names, all []ending) ([]page.StoppedAccess, error) {
	var list []page.StoppedAccess
	for _, e := range all {
		s, err := d.stoppedAccess(ctx, v, n, e)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (d *Door) stoppedAccess(ctx context.Context, v viewer, n *names, e ending) (page.StoppedAccess, error) {
	whose, err := n.whose(ctx, e.Patient)
	return page.StoppedAccess{
		App: d.app(e.ClientID), Whose: whose, At: e.at, By: stoppedBy(v.user.ID, e.grants[0]),
		ReceiptURL: PathReceipt + "?" + url.Values{"access": {e.id()}, "at": {strconv.FormatInt(e.at.UnixMilli(), 10)}}.Encode(),
	}, err
}

// stoppedBy says who has ended a grant, in a word of the page. A user who is neither the
// one who looks nor the one who gave it is the person whose record it is.
func stoppedBy(me store.UserID, g store.SharedGrant) string {
	switch g.RevokedBy {
	case string(me):
		return "you" // stopped-by
	case string(g.Grant.UserID):
		return "giver" // stopped-by
	case string(g.Grant.ClientID):
		switch g.Grant.RevokedFor {
		case "refresh token reused", "code replayed", "code bound to something else":
			return "safety" // stopped-by
		}
		return "app" // stopped-by
	case "server":
		return "server" // stopped-by
	}
	if g.Grant.RevokedFor == reason {
		return "person" // stopped-by
	}
	return "staff" // stopped-by
}

// Receipt gives a text to keep about an access that has ended. What is not the person's
// is not there.
func (d *Door) Receipt(w http.ResponseWriter, r *http.Request) {
	who, ok := d.signedIn(w, r, placeList)
	if !ok {
		return
	}
	v, err := d.viewer(r.Context(), who)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	all, err := d.endings(r.Context(), v)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	asked := r.URL.Query()
	i := slices.IndexFunc(all, func(e ending) bool {
		return e.id() == asked.Get("access") && strconv.FormatInt(e.at.UnixMilli(), 10) == asked.Get("at")
	})
	if i < 0 {
		d.deps.Flow.Redirect(w, Path)
		return
	}
	s, err := d.stoppedAccess(r.Context(), v, d.names(v), all[i])
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	receipt := page.Receipt{StoppedAccess: s, ClientID: string(all[i].ClientID), Since: all[i].since(), Scopes: all[i].scopes()}
	receipt.Read, receipt.Write = choice.Shown(receipt.Scopes)
	d.deps.Flow.Receipt(w, r, receipt)
}
