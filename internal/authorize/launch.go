package authorize

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/emberlatch/emberlatch/internal/oauth"
	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/smart"
)

// checkLaunch: the scope launch and a launch value come together, or neither does
// (SMART App Launch 2.2, scopes: launch; CTX-06). Order: after the scopes, of which
// only those that the client has registered count.
func checkLaunch(p oauth.Parameters, _ redirectable, q *store.AuthorizationRequest) *oauth.Error {
	switch asked := has(q.Scopes, smart.Launch); {
	case asked && !p.Has("launch"):
		return invalid(oauth.SlugLaunchMissing, "launch", "The scope launch needs the launch value that an EHR has sent: without one, leave the scope out")
	case !asked && p.Has("launch"):
		return launchWithoutScope()
	case asked:
		q.LaunchHash = oauth.Hash(p.Get("launch"))
	}
	return nil
}

func launchWithoutScope() *oauth.Error {
	return invalid(oauth.SlugLaunchScopeMissing, "scope", "A launch value needs the scope launch, which the client has to have registered")
}

// launched adds what an EHR has said about this launch; the value is used up by
// it. Order: when everything else about the request was found to be right, so that
// a mistake of the app does not cost the launch, and before anybody is looked for,
// since it says who may sign in.
func (d *Door) launched(r *http.Request, q *store.AuthorizationRequest) error {
	if q.LaunchHash == nil {
		return nil
	}
	l, err := d.deps.Store.ConsumeLaunch(r.Context(), q.LaunchHash, q.ClientID)
	if errors.Is(err, store.ErrNotFound) { // ERR-14: one answer for all reasons
		return invalid(oauth.SlugLaunchUnknown, "launch", "This launch value is unknown, used, expired or made for another client: start the app from the EHR again").Because(err)
	}
	if err != nil {
		return err
	}
	q.LaunchHash, q.LaunchContext, q.LaunchUser = nil, l.Context, l.UserID
	return nil
}

// chartOf is the chart that a request was launched from; false: it was not.
func chartOf(q store.AuthorizationRequest) (smart.LaunchContext, bool, error) {
	var c smart.LaunchContext
	if q.LaunchContext == "" {
		return c, false, nil
	}
	if err := json.Unmarshal([]byte(q.LaunchContext), &c); err != nil {
		return c, false, fmt.Errorf("reading the launch context of a request: %w", err)
	}
	return c, true, nil
}
