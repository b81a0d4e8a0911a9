package manage

import (
	"context"
	"net/http"
	"slices"

	"github.com/emberlatch/emberlatch/internal/page"
	"github.com/emberlatch/emberlatch/internal/session"
	"github.com/emberlatch/emberlatch/internal/store"
)

// reason is why a grant has ended, for the record.
const reason = "stopped by the person"

// living are the accesses that the viewer may stop.
func (d *Door) living(ctx context.Context, v viewer) ([]access, error) {
	grants, err := d.deps.Store.LivingGrants(ctx, d.query(v))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(v.gather(grants), func(a access) bool { return a.staff }), nil
}

// one is the access of an id, among those that the viewer may stop and no others
// (REVOKE-09, CO-03).
func (d *Door) one(ctx context.Context, v viewer, id string) (access, bool, error) {
	all, err := d.living(ctx, v)
	if err != nil {
		return access{}, false, err
	}
	i := slices.IndexFunc(all, func(a access) bool { return a.id() == id })
	if i < 0 {
		return access{}, false, nil
	}
	return all[i], true, nil
}

// ShowStop asks whether one access is to end. One that is not there any more leads back
// to the list.
func (d *Door) ShowStop(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("access")
	if !accessID.MatchString(id) {
		d.deps.Flow.Redirect(w, Path)
		return
	}
	who, ok := d.signedIn(w, r, placeStop(id))
	if !ok {
		return
	}
	v, err := d.viewer(r.Context(), who)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	a, found, err := d.one(r.Context(), v, id)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if !found {
		d.deps.Flow.Redirect(w, Path)
		return
	}
	whose, err := d.names(v).whose(r.Context(), a.Patient)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	p := page.StopSharing{Shell: d.deps.Flow.OwnShell(w, r, PathStop, id, who), Access: d.shown(v, a), Whose: whose, Back: Path}
	p.AppName, p.Self = p.Access.App.Name, placeStop(id).Path
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

// Stop ends one access.
func (d *Door) Stop(w http.ResponseWriter, r *http.Request) {
	typed, ok := d.deps.Flow.Typed(w, r)
	if !ok {
		return
	}
	id := typed.Get("request")
	if !accessID.MatchString(id) {
		d.deps.Flow.OwnForbidden(w, r)
		return
	}
	who, typed, ok := d.form(w, r, PathStop, placeStop(id))
	if !ok {
		return
	}
	if typed.Get("action") != "stop" { // Enter decides nothing
		d.deps.Flow.Redirect(w, placeStop(id).Path)
		return
	}
	d.end(w, r, who, false, func(a access) bool { return a.id() == id })
}

// ShowStopAll asks whether everything is to end.
func (d *Door) ShowStopAll(w http.ResponseWriter, r *http.Request) {
	who, ok := d.signedIn(w, r, placeStopAll)
	if !ok {
		return
	}
	v, err := d.viewer(r.Context(), who)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	all, err := d.living(r.Context(), v)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if len(all) == 0 {
		d.deps.Flow.Redirect(w, Path)
		return
	}
	d.deps.Flow.Show(w, r, http.StatusOK, page.StopSharing{
		Shell: d.deps.Flow.OwnShell(w, r, PathStopAll, placeStopAll.Handle, who), All: true, Count: len(all), Back: Path,
	})
}

// StopAll ends everything that the person may stop.
func (d *Door) StopAll(w http.ResponseWriter, r *http.Request) {
	who, typed, ok := d.form(w, r, PathStopAll, placeStopAll)
	if !ok {
		return
	}
	if typed.Get("action") != "stop" {
		d.deps.Flow.Redirect(w, PathStopAll)
		return
	}
	d.end(w, r, who, true, func(access) bool { return true })
}

// end ends the accesses that are meant, and says when that was. Pressed twice, the
// second one shows what the first has done.
func (d *Door) end(w http.ResponseWriter, r *http.Request, who session.Authenticated, all bool, meant func(access) bool) {
	v, err := d.viewer(r.Context(), who)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	ended, err := d.endMeant(r.Context(), v, all, meant)
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	stopped, err := d.justStopped(r.Context(), v, func(a access) bool {
		return meant(a) && (!all || slices.ContainsFunc(ended, func(e access) bool { return e.Sharing == a.Sharing }))
	})
	if err != nil {
		d.deps.Flow.Fail(w, r, err)
		return
	}
	if len(stopped) == 0 {
		d.deps.Flow.Redirect(w, Path)
		return
	}
	p := page.SharingStopped{Shell: page.Shell{Self: Path}, All: all, Stopped: stopped, Back: Path}
	if !all {
		p.AppName = stopped[0].App.Name
	}
	d.deps.Flow.Show(w, r, http.StatusOK, p)
}

// endMeant ends accesses in the store, and makes this process see it. With all, what the
// person gave ends in one step, whether it was listed or not.
func (d *Door) endMeant(ctx context.Context, v viewer, all bool, meant func(access) bool) ([]access, error) {
	accesses, err := d.living(ctx, v)
	if err != nil {
		return nil, err
	}
	actor := string(v.user.ID)
	if all {
		if _, err := d.deps.Store.Revoke(ctx, store.Revocation{UserID: v.user.ID, Reason: reason, Actor: actor}); err != nil {
			return nil, err
		}
	}
	accesses = slices.DeleteFunc(accesses, func(a access) bool { return !meant(a) })
	for _, a := range accesses {
		if all && a.UserID == v.user.ID {
			continue
		}
		if _, err := d.deps.Store.StopSharing(ctx, a.Sharing, reason, actor); err != nil {
			return nil, err
		}
	}
	return accesses, d.deps.Settle(ctx)
}
