package upstream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/emberlatch/emberlatch/fhir"
	"github.com/emberlatch/emberlatch/fhir/compartment"
	"github.com/emberlatch/emberlatch/internal/fhirstore"
)

const (
	statementLife  = 10 * time.Minute
	statementRetry = 30 * time.Second
)

// statement is what the CapabilityStatement of the upstream declares, as far as
// anything is asked by it. What it does not declare is not sent.
type statement struct {
	types map[fhir.ResourceType]declared
}

type declared struct {
	interactions map[string]bool
	parameters   map[string]bool
	// versions: an update says which version it is of (versioned-update).
	versions bool
	// creates: a creation may be conditional.
	creates bool
}

// does reports whether the upstream declares an interaction on a type.
func (s *statement) does(t fhir.ResourceType, code fhir.InteractionCode) bool {
	return s.types[t].interactions[string(code)]
}

// declares reports whether searches of a type may use a parameter.
func (s *statement) declares(t fhir.ResourceType, code string) bool {
	return s.types[t].parameters[code]
}

// searches reports whether a type can be searched.
func (s *statement) searches(t fhir.ResourceType) bool {
	return s.types[t].interactions["search-type"]
}

// parseStatement reads a CapabilityStatement (FHIR R4 capabilitystatement). Another
// release of FHIR is refused: its resources mean something else.
func parseStatement(r fhir.Resource) (*statement, error) {
	tree := r.Tree()
	version, _ := tree["fhirVersion"].(string)
	if r.Type() != "CapabilityStatement" || version != "4.0" && !strings.HasPrefix(version, "4.0.") {
		return nil, fmt.Errorf("its CapabilityStatement says FHIR %.10q; R4 (4.0.1) is needed", version)
	}
	s := &statement{types: map[fhir.ResourceType]declared{}}
	for _, rest := range objects(tree["rest"]) {
		if rest["mode"] != "server" {
			continue
		}
		common := names(rest["searchParam"], "name")
		for _, resource := range objects(rest["resource"]) {
			name, _ := resource["type"].(string)
			t, known := fhir.ParseResourceType(name)
			if !known {
				continue
			}
			d := declared{names(resource["interaction"], "code"), names(resource["searchParam"], "name"),
				resource["versioning"] == "versioned-update", resource["conditionalCreate"] == true}
			for code := range common {
				d.parameters[code] = true
			}
			s.types[t] = d
		}
	}
	return s, nil
}

func objects(v any) []fhir.Object {
	list, _ := v.([]any)
	var all []fhir.Object
	for _, item := range list {
		if o, ok := item.(fhir.Object); ok {
			all = append(all, o)
		}
	}
	return all
}

// names are the texts of one member in a list of objects.
func names(v any, member string) map[string]bool {
	set := map[string]bool{}
	for _, o := range objects(v) {
		if name, ok := o[member].(string); ok {
			set[name] = true
		}
	}
	return set
}

func (b *Backend) readStatement(ctx context.Context) (*statement, error) {
	body, err := b.client.get(ctx, "/metadata")
	if errors.Is(err, fhirstore.ErrNotFound) || errors.Is(err, errTooLarge) {
		err = &fhirstore.Failure{Status: http.StatusBadGateway, Cause: errors.New("it has no CapabilityStatement that can be read")}
	}
	if err != nil {
		return nil, err
	}
	r, err := fhir.ParseResource(body)
	if err != nil {
		return nil, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: fmt.Errorf("its CapabilityStatement: %w", err)}
	}
	s, err := parseStatement(r)
	if err != nil {
		return nil, &fhirstore.Failure{Status: http.StatusBadGateway, Cause: err}
	}
	return s, nil
}

// statements keep the statement and read it anew from time to time. An old one serves
// while a new one cannot be had: it says what may be asked, never who sees what.
type statements struct {
	read func(ctx context.Context) (*statement, error)
	now  func() time.Time

	current atomic.Pointer[dated]
	flights singleflight.Group
	once    sync.Mutex // one renewal in the background
}

type dated struct {
	*statement
	until time.Time
}

// get returns the statement; the first one is waited for.
func (s *statements) get(ctx context.Context) (*statement, error) {
	known := s.current.Load()
	if known != nil {
		if !s.now().Before(known.until) && s.once.TryLock() {
			go func() { //nolint:contextcheck // nobody waits for it
				defer s.once.Unlock()
				defer func() { _ = recover() }() // no request stands behind this; the old one serves
				s.renew(context.WithoutCancel(ctx), known)
			}()
		}
		return known.statement, nil
	}
	found, err, _ := s.flights.Do("", func() (any, error) {
		fresh, err := s.read(context.WithoutCancel(ctx))
		if err != nil {
			return nil, err
		}
		s.current.Store(&dated{fresh, s.now().Add(statementLife)})
		return fresh, nil
	})
	fresh, _ := found.(*statement)
	return fresh, err
}

func (s *statements) renew(ctx context.Context, known *dated) {
	next := &dated{known.statement, s.now().Add(statementRetry)}
	if fresh, err := s.read(ctx); err == nil {
		next = &dated{fresh, s.now().Add(statementLife)}
	}
	s.current.Store(next)
}

// Offers is what can be asked through the gateway at present.
func (b *Backend) Offers(ctx context.Context) (*Offers, error) {
	s, err := b.states.get(ctx)
	return (*Offers)(s), err
}

// KnownOffers is what was offered when it was last asked; nil: it was never found out.
func (b *Backend) KnownOffers() *Offers {
	if known := b.states.current.Load(); known != nil {
		return (*Offers)(known.statement)
	}
	return nil
}

// Offers is what an upstream declares, as far as it can be narrowed to a view. The same
// pointer means the same content.
type Offers statement

// Holds reports whether the upstream has resources of a type.
func (o *Offers) Holds(t fhir.ResourceType) bool {
	_, has := o.types[t]
	return has
}

// Does reports whether an interaction on a type is offered.
func (o *Offers) Does(t fhir.ResourceType, code fhir.InteractionCode) bool {
	s := (*statement)(o)
	switch code {
	case fhir.Read:
		return o.Holds(t)
	case fhir.VRead, fhir.HistoryInstance:
		return s.does(t, code)
	case fhir.SearchType:
		return o.Searches(t)
	case fhir.Create, fhir.Update, fhir.Patch, fhir.Delete:
		return s.takes(t, code) == nil
	}
	return false
}

// CreatesOnce reports whether a creation may depend on criteria.
func (o *Offers) CreatesOnce(t fhir.ResourceType) bool {
	return o.types[t].creates && o.Does(t, fhir.Create) && o.Searches(t)
}

// Declares reports whether a search of a type takes a parameter.
func (o *Offers) Declares(t fhir.ResourceType, code string) bool {
	return (*statement)(o).declares(t, code)
}

// Searches reports whether apps can search a type: what is about patients needs a
// parameter that says which.
func (o *Offers) Searches(t fhir.ResourceType) bool {
	s := (*statement)(o)
	switch {
	case !s.searches(t):
		return false
	case compartment.DerivationOf(t) == compartment.FromTargets:
		return s.declares(t, "target") || s.declares(t, "patient")
	case compartment.DerivationOf(t) != compartment.None:
		return s.declares(t, "_id")
	case compartment.ClassOf(t) != compartment.Record:
		return true
	}
	_, narrowed := parameterOf(s, t)
	return narrowed
}

// Check reads the CapabilityStatement if nobody has yet: a start that finds the
// upstream says at once whether it can be used.
func (b *Backend) Check(ctx context.Context) error {
	_, err := b.states.get(ctx)
	return err
}
