package reach

import (
	"context"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/store"
)

// careTeam: the subjects of active care teams in which the practitioner, or a
// role of theirs, takes part now.
func careTeam(ctx context.Context, r *Resolver, u store.User) ([]string, error) {
	selves, err := r.selves(ctx, u)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, ref := range selves {
		own[ref.String()] = true
	}
	var ids []string
	err = r.ofPractitioner(ctx, u, "CareTeam", "participant", func(resource fhir.Resource) {
		team := resource.Tree()
		if team["status"] != "active" || !r.current(team["period"]) {
			return
		}
		for _, p := range objects(team["participant"]) {
			member, ok := localReference(p["member"], r.deps.Base)
			if ok && own[member.String()] && r.current(p["period"]) {
				ids = append(ids, patientOf(team["subject"], r.deps.Base)...)
			}
		}
	})
	return search.NewIDSet(ids...).List(), err
}
