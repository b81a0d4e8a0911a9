package audit

import (
	"context"
	"time"

	"github.com/emberlatch/emberlatch/internal/store"
	"github.com/emberlatch/emberlatch/internal/trail"
)

// Entries are those about a patient behind a position, newest first, about as many
// as asked for: whole sheets are told. It returns where to go on, the zero value at the end.
func (r *Reader) Entries(ctx context.Context, patient string, behind Position, most int) (list []trail.Entry, next Position, err error) {
	if err := r.settle(ctx); err != nil {
		return nil, behind, err
	}
	q := store.EventQuery{Patient: patient, BehindAt: time.UnixMilli(behind.at), BehindSeq: behind.seq, Limit: readPart}
	for range readMost / readPart {
		events, err := r.store.EventsOf(ctx, q)
		if err != nil {
			return nil, behind, err
		}
		for _, e := range events {
			q.BehindAt, q.BehindSeq = e.At, e.Seq
			part, err := entriesOf(e, patient)
			if list = append(list, part...); err != nil || len(list) >= most {
				return list, Position{e.At.UnixMilli(), e.Seq, 0}, err
			}
		}
		if len(events) < readPart {
			return list, Position{}, nil
		}
	}
	return list, Position{q.BehindAt.UnixMilli(), q.BehindSeq, 0}, nil
}

// entriesOf are the entries of an event about a patient, newest first.
func entriesOf(e store.KeptEvent, patient string) (list []trail.Entry, err error) {
	if e.Kind != store.KindSheet {
		return nil, nil
	}
	all, err := trail.Read(e.Body)
	for i := len(all) - 1; i >= 0; i-- {
		for _, id := range all[i].Patients {
			if id == patient {
				list = append(list, all[i])
			}
		}
	}
	return list, err
}
