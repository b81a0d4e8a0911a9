package upstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/emberlatch/emberlatch/access"
	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/search"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
	"github.com/emberlatch/emberlatch/internal/sensitive"
)

// Deps are the parts of a Backend; those without a remark are required.
type Deps struct {
	Config Config
	Base   string // our FHIR base, as apps know it
	Now    func() time.Time
	Log    *slog.Logger
	// Sensitive are the operator's categories of sensitive content; nil: there are none.
	Sensitive *sensitive.Categories
	// Observe counts; nil: nobody does.
	Observe Observer
	// RequestID names the request in the log; nil: nothing does.
	RequestID func(ctx context.Context) string
}

// Observer counts what operators are told of. Labels are constants of this package.
type Observer interface {
	// Call is one answer of the upstream, or the lack of it: ok, not-found, refused,
	// failed, unreachable, slow.
	Call(outcome string, took time.Duration)
	// Dropped is an entry that did not leave: hidden (the upstream gave what was not
	// asked for), malformed, or doubled. Each is an alarm.
	Dropped(why string)
	// Filtered is an entry that did not leave as planned: no query could say the view.
	Filtered()
}

// Backend answers out of an upstream. It is safe for concurrent use.
type Backend struct {
	deps   Deps
	client *client
	bases  *rebaser
	states statements
}

var _ fhirstore.Backend = (*Backend)(nil)

// New makes a Backend; it refuses missing and unsafe parts. Nothing is asked of the
// upstream yet.
func New(deps Deps) (*Backend, error) {
	if deps.Base == "" || deps.Now == nil || deps.Log == nil {
		return nil, errors.New("upstream: a part is missing")
	}
	if deps.Observe == nil {
		deps.Observe = nobody{}
	}
	if deps.RequestID == nil {
		deps.RequestID = func(context.Context) string { return "" }
	}
	if err := deps.Config.Validate(); err != nil {
		return nil, err
	}
	c, err := newClient(deps)
	if err != nil {
		return nil, err
	}
	b := &Backend{deps: deps, client: c, bases: newRebaser(deps.Config.bases(), deps.Base)}
	b.states = statements{read: b.readStatement, now: deps.Now}
	return b, nil
}

// Close gives idle connections back.
func (b *Backend) Close() {
	b.client.up.CloseIdle()
	b.client.tokens.CloseIdleConnections()
}

type nobody struct{}

func (nobody) Call(string, time.Duration) {}
func (nobody) Dropped(string)             {}
func (nobody) Filtered()                  {}

// Read implements fhirstore.Backend. Order: what is hidden and what is missing take
// the same calls (design law of access, row 55).
func (b *Backend) Read(ctx context.Context, d access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	if d.View(ref.Type) == nil {
		return fhirstore.Record{}, fhirstore.ErrNotFound
	}
	r, err := b.fetch(ctx, fhir.Reference{Type: ref.Type, ID: ref.ID})
	if err != nil {
		return fhirstore.Record{}, asMissing(err)
	}
	return b.admit(ctx, d, r)
}

// VRead implements fhirstore.Backend. Order: the current version first; who may not
// see it sees none (row 4).
func (b *Backend) VRead(ctx context.Context, d access.Decision, ref fhir.Reference) (fhirstore.Record, error) {
	current, err := b.Read(ctx, d, ref)
	if err != nil {
		return fhirstore.Record{}, err
	}
	if current.Resource.VersionID() == ref.Version {
		return current, nil
	}
	r, err := b.fetch(ctx, ref)
	if err != nil {
		return fhirstore.Record{}, asMissing(err)
	}
	if r.VersionID() != ref.Version {
		b.dropped(ctx, ref.Type, "malformed")
		return fhirstore.Record{}, fhirstore.ErrNotFound
	}
	return b.admit(ctx, d, r)
}

// admit makes a record of what is in the view; ErrNotFound otherwise.
func (b *Backend) admit(ctx context.Context, d access.Decision, r fhir.Resource) (fhirstore.Record, error) {
	owners, err := b.newOwners(d).of(ctx, r)
	if err != nil {
		return fhirstore.Record{}, err
	}
	if !d.Admits(r, owners) {
		return fhirstore.Record{}, fhirstore.ErrNotFound
	}
	return record(r, owners), nil
}

// fetch reads one resource, or one version of it. ErrNotFound also for what is not
// the resource that was asked for, or cannot be read as one: that depends on the
// resource, and must not tell that it is there.
func (b *Backend) fetch(ctx context.Context, ref fhir.Reference) (fhir.Resource, error) {
	body, err := b.client.get(ctx, "/"+ref.String())
	if errors.Is(err, errTooLarge) {
		b.dropped(ctx, ref.Type, "malformed")
		return fhir.Resource{}, fhirstore.ErrNotFound
	}
	if err != nil {
		return fhir.Resource{}, err
	}
	r, err := fhir.ParseResource(body)
	if err == nil {
		r, err = b.bases.resource(r)
	}
	if err == nil && (r.Type() != ref.Type || r.ID() != ref.ID) {
		err = errors.New("another resource than was asked for")
	}
	if err != nil {
		b.deps.Log.ErrorContext(ctx, "the upstream answered a read with what is not the resource", "type", ref.Type, "error", err)
		b.dropped(ctx, ref.Type, "malformed")
		return fhir.Resource{}, fhirstore.ErrNotFound
	}
	return r, nil
}

func isMissing(err error) bool { return errors.Is(err, fhirstore.ErrNotFound) }

// asMissing: that something was deleted tells that it was there, and there is nothing
// left to judge who may know (row 107).
func asMissing(err error) error {
	if isMissing(err) {
		return fhirstore.ErrNotFound
	}
	return err
}

// dropped counts an entry that did not leave, and tells the operator.
func (b *Backend) dropped(ctx context.Context, t fhir.ResourceType, why string) {
	b.deps.Observe.Dropped(why)
	b.deps.Log.ErrorContext(ctx, "an entry of the upstream was dropped", "type", t, "why", why)
}

// record is a resource with what the contract says about it.
func record(r fhir.Resource, owners search.Owners) fhirstore.Record {
	v := fhirstore.Record{Resource: r, Owners: owners, VersionID: r.VersionID()}
	if !fhir.ValidID(v.VersionID) {
		v.VersionID = fingerprint(r.JSON())
	}
	v.UpdatedAt, _ = time.Parse(time.RFC3339Nano, r.LastUpdated())
	return v
}

// refused is an answer to a search that cannot be asked here, with what to do.
func refused(parameter, format string, args ...any) error {
	return fhir.NewOutcome("error", "not-supported", fmt.Sprintf(format, args...)).About(parameter)
}

// notOffered is an answer to what the upstream cannot be asked for any resource of a
// type, with what to do.
func notOffered(format string, args ...any) error {
	return outcome(http.StatusNotImplemented, "not-supported", fmt.Sprintf(format, args...))
}

func outcome(status int, code, text string) error {
	o := fhir.NewOutcome("error", code, text)
	o.Status = status
	return o
}
