package access

import (
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
)

// Traverse judges the joins of a search: every type that one leads over must be
// searchable with the token, or the answer would be told by what it may not search
// (RSX-16). Like Decide it looks at the token and the request alone. What it allows is
// the same decision: its views hold for every resource that a join comes by.
func (d Decision) Traverse(q search.Query) Decision {
	if !d.allowed || d.system {
		return d
	}
	may := func(t fhir.ResourceType) bool {
		_, ok := d.known.of(t).gate.scope('s')
		return ok
	}
	for _, j := range q.Joins {
		if t, ok := j.Permitted(may); !ok {
			return Decision{known: d.known, permission: d.permission}.refuse(ScopeMissing, Refusal{InsufficientScope: true,
				Text: "The access token has no scope to search " + string(t) + ", which the parameter leads over."})
		}
	}
	return d
}
