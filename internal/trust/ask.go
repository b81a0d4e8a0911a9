package trust

import (
	"context"
	"errors"
	"time"
)

// patience is how long a question takes at most: the turn of others, and what egress
// allows.
const patience = 6 * time.Second

// Ask finds out whether the token is good now. The error is ErrUnavailable: nobody can
// say. Why a token is refused goes to the log, the token never.
func (q Question) Ask(ctx context.Context) (Answer, error) {
	if q.from == nil {
		return Answer{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	way := q.list.byEndpoint
	if q.from.byKeys() {
		way = q.list.byKeys
	}
	answer, err := way(ctx, q.from, q.text)
	switch {
	case errors.Is(err, ErrUnavailable):
		q.list.deps.Log.WarnContext(ctx, "a trusted issuer could not be asked about its token", "issuer", q.from.Name, "cause", err)
		return Answer{}, err
	case err != nil:
		q.list.deps.Log.InfoContext(ctx, "a token of a trusted issuer was refused", "issuer", q.from.Name, "cause", err)
		return Answer{}, nil
	}
	return answer, nil
}
