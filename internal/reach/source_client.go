package reach

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/store"
)

// OfClient returns what a client reaches by itself: what the operator said in its
// registration (C.1 of the design of access: cl). A disabled client, and one about
// which nothing was said, reach nobody. The error is the store's; then nobody is
// reached either.
func (r *Resolver) OfClient(ctx context.Context, c store.Client) (access.Own, error) {
	switch {
	case c.Disabled:
		return access.Own{}, nil
	case c.Data.All:
		return access.Own{All: true}, nil
	}
	ids := append([]string{}, c.Data.Patients...)
	members, err := r.membersOf(ctx, c.Data.Groups)
	if err != nil {
		return access.Own{}, err
	}
	managed, err := r.managedBy(ctx, c.Data.Organizations)
	if err != nil {
		return access.Own{}, err
	}
	return access.Own{
		Patients: search.NewIDSet(append(append(ids, members...), managed...)...), Groups: search.NewIDSet(c.Data.Groups...),
	}, nil
}

// maxNamed is how many are asked for by name at once: no search takes all that a
// registration may name.
const maxNamed = 200

// membersOf are the active members of Groups of persons.
func (r *Resolver) membersOf(ctx context.Context, groups []string) ([]string, error) {
	var ids []string
	for some := range slices.Chunk(groups, maxNamed) {
		err := r.all(ctx, "Group", url.Values{"_id": {strings.Join(some, ",")}}, func(m fhirstore.Record) {
			for _, member := range fhirstore.Members(m.Resource, r.deps.Base) {
				if member.Holds(r.deps.Now()) {
					ids = append(ids, member.Patient.ID)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// managedBy are the patients whom Organizations manage (Patient.managingOrganization).
func (r *Resolver) managedBy(ctx context.Context, organizations []string) ([]string, error) {
	var ids []string
	for some := range slices.Chunk(organizations, maxNamed) {
		err := r.all(ctx, "Patient", url.Values{"organization": {"Organization/" + strings.Join(some, ",Organization/")}}, func(m fhirstore.Record) {
			ids = append(ids, m.Resource.ID())
		})
		if err != nil {
			return nil, err
		}
	}
	return ids, nil
}
