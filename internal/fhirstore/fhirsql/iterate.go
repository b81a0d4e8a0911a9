package fhirsql

import (
	"context"
	"slices"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

// maxRounds bounds how often iterated includes go on from what they found.
const maxRounds = 12

// step is an include in its direction.
type step struct {
	search.Include
	reverse bool
}

// steps are the includes of a query, the iterated ones or the others.
func steps(q search.Query, iterated bool) []step {
	var list []step
	for _, i := range q.Include {
		list = append(list, step{i, false})
	}
	for _, i := range q.RevInclude {
		list = append(list, step{i, true})
	}
	return slices.DeleteFunc(list, func(s step) bool { return s.Iterate != iterated })
}

func (s *Store) follow(ctx context.Context, d access.Decision, i step, rows []row, set *included) error {
	if i.reverse {
		return s.revInclude(ctx, d, i.Include, rows, set)
	}
	return s.include(ctx, d, i.Include, rows, set)
}

// iterate goes on from the matches and from all that came along, until nothing new
// comes. What is hidden comes never along, so nothing is found through it.
func (s *Store) iterate(ctx context.Context, d access.Decision, list []step, rows []row, set *included) error {
	if len(list) == 0 {
		return nil
	}
	next := append(slices.Clone(rows), set.rows...)
	for round := 0; len(next) > 0; round++ {
		if round == maxRounds {
			return fhirstore.ErrTooCostly
		}
		before := len(set.rows)
		for _, i := range list {
			if err := s.follow(ctx, d, i, next, set); err != nil {
				return err
			}
		}
		next = slices.Clone(set.rows[before:])
	}
	return nil
}

// parameterIDs are the numbers of the parameters that an include follows.
func parameterIDs(i search.Include) []int64 {
	var list []int64
	for _, p := range i.Parameters() {
		list = append(list, parameterID(p))
	}
	return list
}
