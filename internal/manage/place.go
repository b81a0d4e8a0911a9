package manage

import (
	"regexp"
	"time"

	"github.com/emberlatch/emberlatch/internal/flow"
)

// Paths of the pages.
const (
	Path         = "/manage" // the management endpoint
	PathStop     = Path + "/stop"
	PathStopAll  = Path + "/stop-all"
	PathReceipt  = Path + "/receipt"
	PathSignIns  = Path + "/sign-ins"
	PathPassword = Path + "/password"
	PathLooked   = Path + "/looked"
	// The second step of a person's sign-in.
	PathSecondStep = Path + "/second-step"
	PathSetUp      = PathSecondStep + "/set-up"
	// PathEmergencies are the records that somebody at work has opened.
	PathEmergencies = Path + "/emergencies"
)

// Home is the handle of the first of them.
const Home = "manage"

// freshness is how long ago somebody may have signed in who changes what others get at
// (LG-19).
const freshness = 5 * time.Minute

// The places that sign-in returns to. Whoever changes a password proves the old one in
// the same form, however long ago they signed in.
var (
	placeList       = flow.Place{Handle: Home, Path: Path}
	placeStopAll    = flow.Place{Handle: "manage.stop-all", Path: PathStopAll, MaxAge: freshness}
	placeSignIns    = flow.Place{Handle: "manage.sign-ins", Path: PathSignIns}
	placeOthers     = flow.Place{Handle: "manage.sign-ins.end", Path: PathSignIns, MaxAge: freshness}
	placeLooked     = flow.Place{Handle: "manage.looked", Path: PathLooked}
	placeSecondStep = flow.Place{Handle: "manage.second-step", Path: PathSecondStep}
	placeChangeStep = flow.Place{Handle: "manage.second-step.change", Path: PathSecondStep, MaxAge: freshness}
	placeSetUp      = flow.Place{Handle: "manage.second-step.set-up", Path: PathSetUp, MaxAge: freshness}
	placePassword   = flow.Place{Handle: "manage.password", Path: PathPassword}

	placeEmergencies = flow.Place{Handle: "manage.emergencies", Path: PathEmergencies}
)

// accessID is what names an access in an address: a digest, which tells nobody who or
// what it is about.
var accessID = regexp.MustCompile(`^[A-Za-z0-9_-]{22}$`)

const stopHandle = "manage.stop."

// placeStop is where one access is stopped.
func placeStop(id string) flow.Place {
	return flow.Place{Handle: stopHandle + id, Path: PathStop + "?access=" + id, MaxAge: freshness}
}

// Place finds the page that a handle stands for; false for any other text.
func Place(handle string) (flow.Place, bool) {
	for _, p := range []flow.Place{placeList, placeStopAll, placeSignIns, placeOthers, placePassword, placeLooked, placeSecondStep, placeChangeStep, placeSetUp, placeEmergencies} {
		if p.Handle == handle {
			return p, true
		}
	}
	if len(handle) > len(stopHandle) && handle[:len(stopHandle)] == stopHandle && accessID.MatchString(handle[len(stopHandle):]) {
		return placeStop(handle[len(stopHandle):]), true
	}
	return flow.Place{}, false
}
