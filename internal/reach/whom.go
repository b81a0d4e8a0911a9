package reach

import (
	"maps"
	"slices"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// Whom is whom a user reaches at a moment, and why. The zero value is nobody. Who reaches
// everybody does so without a list.
type Whom struct {
	everybody access.Ways // why everybody is reached; none: they are not
	patients  search.IDSet
	ways      []access.Ways // to the patients, in their order
}

// Of is some patients; why they are reached is not said.
func Of(ids ...string) Whom { return Whom{patients: search.NewIDSet(ids...)} }

// along is whom single ways lead to.
func along(ways map[string]access.Ways) Whom {
	w := Whom{patients: search.NewIDSet(slices.Collect(maps.Keys(ways))...)}
	w.ways = make([]access.Ways, 0, w.patients.Len())
	for _, id := range w.patients.List() {
		w.ways = append(w.ways, ways[id])
	}
	return w
}

// Everybody is whom a role leads to that the operator named.
func Everybody() Whom { return Whom{everybody: access.ByRole} }

// IsEverybody reports whether all patients are reached.
func (w Whom) IsEverybody() bool { return w.everybody != 0 }

// IsNobody reports whether nobody is reached.
func (w Whom) IsNobody() bool { return w.everybody == 0 && w.patients.Len() == 0 }

// Contains reports whether a patient is reached. Of everybody that is said whether there is
// such a patient or not.
func (w Whom) Contains(patient string) bool {
	return w.patients.Contains(patient) || w.everybody != 0 && patient != ""
}

// Only is the only patient who is reached; false: there are more, or none.
func (w Whom) Only() (string, bool) {
	if w.everybody != 0 || w.patients.Len() != 1 {
		return "", false
	}
	return w.patients.List()[0], true
}

// Patients are those who are reached one by one: of everybody, none.
func (w Whom) Patients() search.IDSet { return w.patients }

// Why is which ways lead to a patient.
func (w Whom) Why(patient string) access.Ways {
	at, ok := slices.BinarySearch(w.patients.List(), patient)
	if !ok || at >= len(w.ways) {
		return w.everybody
	}
	return w.everybody | w.ways[at]
}

// found gathers what the sources find.
type found struct {
	now       time.Time
	ways      map[string]access.Ways
	everybody bool
	until     time.Time // until when all of it holds
}

// patient notes a way to one.
func (f *found) patient(id string, way access.Ways) { f.ways[id] |= way }

// holds reports whether something holds now, and notes its end: an answer that is made of
// it is not used after that.
func (f *found) holds(s fhirstore.Span) bool {
	if !s.Holds(f.now) {
		return false
	}
	if end, ends := s.End(); ends {
		f.ends(end)
	}
	return true
}

func (f *found) ends(at time.Time) {
	if at.Before(f.until) {
		f.until = at
	}
}

func (f *found) whom() Whom {
	if f.everybody {
		return Everybody()
	}
	return along(f.ways)
}
