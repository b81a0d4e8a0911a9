package reach

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/store"
)

// maxNamesakes is how many people a directory tells apart; of more it tells nobody.
const maxNamesakes = 5

// Exact reports whether a search can mean one person: it has a record number, or a name
// with the day of birth.
func (s Search) Exact() bool {
	_, err := time.Parse(time.DateOnly, s.BirthDate)
	return s.RecordNumber != "" || len(strings.Fields(s.Name)) > 1 && err == nil
}

// Directory finds patients whom a user does not reach, by a search that is exact: all that
// was typed is what their record says, the name as a whole. It returns who they are: the id,
// the name, the birth date and the sex. Callers have made sure that the user may know, and
// record and bound it.
func (r *Resolver) Directory(ctx context.Context, u store.User, s Search) ([]Patient, error) {
	if !s.Exact() {
		return nil, nil
	}
	reached, err := r.Reach(ctx, u)
	if err != nil {
		return nil, err
	}
	params := url.Values{"_count": {"50"}}
	if s.RecordNumber != "" {
		params.Set("identifier", escape(s.RecordNumber))
	} else {
		params.Set("birthdate", "eq"+s.BirthDate)
		for _, word := range strings.Fields(plain(s.Name)) {
			params.Add("name", escape(word))
		}
	}
	q, err := search.Parse("Patient", params, r.deps.Base)
	if err != nil {
		return nil, nil // what cannot be asked finds nobody
	}
	page, err := r.show(ctx, access.System("reach: who somebody is, in an emergency", r.deps.Base), q)
	if err != nil || page.Next != "" {
		return nil, err
	}
	var found []Patient
	for _, m := range page.Matches {
		if id := m.Resource.ID(); isMeant(m.Resource, s) && !reached.Contains(id) {
			p := patientFrom(m.Resource)
			found = append(found, Patient{ID: id, Name: p.Name, BirthDate: p.BirthDate, Sex: p.Sex})
		}
	}
	if len(found) > maxNamesakes {
		return nil, nil
	}
	return found, nil
}

// isMeant reports whether a record that is in use says all that was typed, as a whole.
func isMeant(r fhir.Resource, s Search) bool {
	tree := r.Tree()
	if tree["active"] == false {
		return false
	}
	if s.BirthDate != "" && text(tree["birthDate"]) != s.BirthDate {
		return false
	}
	if s.RecordNumber != "" {
		has := false
		for _, i := range objects(tree["identifier"]) {
			has = has || text(i["value"]) == s.RecordNumber
		}
		if !has {
			return false
		}
	}
	return strings.TrimSpace(s.Name) == "" || isNamed(objects(tree["name"]), s.Name)
}

// isNamed reports whether one of the names is the one typed: the first given name or all of
// them with the family name, in either order, or the text of the name.
func isNamed(names []fhir.Object, typed string) bool {
	typed = plain(typed)
	for _, n := range names {
		all, family := plain(given(n)), plain(text(n["family"]))
		first, _, _ := strings.Cut(all, " ")
		for _, is := range []string{all + " " + family, family + " " + all, first + " " + family, family + " " + first, plain(text(n["text"]))} {
			if typed == strings.TrimSpace(is) {
				return true
			}
		}
	}
	return false
}

// plain is a name without what people spell differently: case and spaces.
func plain(name string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(name, ",", " ")), " "))
}
