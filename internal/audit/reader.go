package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/internal/store"
)

// Position is how far a reader has come: behind the nth AuditEvent, newest first, of an
// event. The zero value is before everything.
type Position struct {
	at  int64 // Unix milliseconds
	seq int64
	n   int
}

// ErrPosition: the text is no position.
var ErrPosition = errors.New("audit: not a position")

// String is the position for a link.
func (p Position) String() string {
	if p.seq == 0 {
		return ""
	}
	return fmt.Sprint(p.at, ".", p.seq, ".", p.n)
}

// ParsePosition reads what String writes.
func ParsePosition(text string) (p Position, err error) {
	if text == "" {
		return p, nil
	}
	if _, err = fmt.Sscanf(text, "%d.%d.%d", &p.at, &p.seq, &p.n); err != nil || p.String() != text || p.seq < 1 || p.n < 0 {
		return Position{}, ErrPosition
	}
	return p, nil
}

// Span bounds the times that are looked at; it may be wider than what is asked for.
type Span struct{ Since, Until time.Time }

// Reader tells patients what stands in the record about them.
type Reader struct {
	store  Store
	settle func(ctx context.Context) error
	teller Teller
}

// NewReader makes a Reader; settle writes what this process has not written yet.
func NewReader(s Store, settle func(ctx context.Context) error, t Teller) (*Reader, error) {
	if s == nil || settle == nil || t.Base == "" {
		return nil, errors.New("audit: a part is missing")
	}
	return &Reader{s, settle, t}, nil
}

const (
	readPart = 50   // events that are read at once
	readMost = 2000 // events that are looked at for one page
)

// Each visits the AuditEvents about a patient behind a position, newest first, until
// visit says that it has enough. It returns where to go on, the zero value at the end.
func (r *Reader) Each(ctx context.Context, patient string, in Span, behind Position, visit func(e fhir.Resource) (more bool, err error)) (Position, error) {
	if err := r.settle(ctx); err != nil {
		return behind, err
	}
	q := store.EventQuery{Patient: patient, Since: in.Since, Until: in.Until, Limit: readPart}
	if behind.seq > 0 { // the event of the position itself comes again
		q.BehindAt, q.BehindSeq = time.UnixMilli(behind.at), behind.seq+1
	}
	for range readMost / readPart {
		events, err := r.store.EventsOf(ctx, q)
		if err != nil {
			return behind, err
		}
		for _, e := range events {
			q.BehindAt, q.BehindSeq = e.At, e.Seq
			next, more, err := r.visit(patient, e, behind, visit)
			if err != nil || !more {
				return next, err
			}
			behind = next
		}
		if len(events) < readPart {
			return Position{}, nil
		}
	}
	return behind, nil
}

// visit visits the AuditEvents of one event that lie behind a position.
func (r *Reader) visit(patient string, e store.KeptEvent, behind Position, visit func(e fhir.Resource) (bool, error)) (Position, bool, error) {
	at := Position{e.At.UnixMilli(), e.Seq, 0}
	all, err := r.teller.For(patient).All(e)
	for i := range all {
		if at.n = i + 1; err != nil || e.Seq == behind.seq && i < behind.n {
			continue
		}
		var resource fhir.Resource
		if resource, err = resourceOf(all[len(all)-1-i]); err != nil { // the last is the newest
			return at, false, err
		}
		more, err := visit(resource)
		if err != nil || !more {
			return at, false, err
		}
	}
	return at, true, err
}

// One is an AuditEvent about a patient by its id; store.ErrNotFound otherwise, whoever
// else it is about.
func (r *Reader) One(ctx context.Context, patient, id string) (fhir.Resource, error) {
	if err := r.settle(ctx); err != nil {
		return fhir.Resource{}, err
	}
	number, plain := strings.CutPrefix(id, plainID)
	if !plain {
		number, _, _ = strings.Cut(strings.TrimPrefix(id, accessID), "-")
	}
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fhir.Resource{}, store.ErrNotFound
	}
	e, err := r.store.KeptEvent(ctx, seq)
	if err != nil {
		return fhir.Resource{}, err
	}
	all, err := r.teller.For(patient).All(e)
	for _, a := range all {
		if a.ID == id {
			return resourceOf(a)
		}
	}
	return fhir.Resource{}, errors.Join(err, store.ErrNotFound)
}

func resourceOf(a AuditEvent) (fhir.Resource, error) {
	raw, err := a.JSON()
	if err != nil {
		return fhir.Resource{}, err
	}
	return fhir.ParseResource(raw)
}
